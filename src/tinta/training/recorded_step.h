#pragma once

#include <memory>
#include <string>

#include "tinta/config/config.h"
#include "tinta/data/loader.h"
#include "tinta/kernels/gpu.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"
#include "tinta/training/optimizer.h"
#include "tinta/training/update.h"

namespace tinta::training {

/// A training step on a GPU that is recorded once and played again and again (kernels/gpu.h,
/// StepGraph): noise, forward and backward pass, clipping, AdamW and average, in one call of the
/// driver. What differs from step to step lies in memory that keeps its place: pictures, noise
/// levels, labels, the samples' numbers, from which noise and dropout follow, and the optimiser's
/// numbers. The first steps are done as they come, on the same stream, because libraries make up
/// their minds then.
class RecordedStep {
 public:
  virtual ~RecordedStep() = default;
  /// As Update::run(); every batch of one size. @throws ArgumentError on another
  virtual UpdateValues run(const data::Batch& batch, double learning_rate) = 0;
  /// As Update::take_note().
  virtual std::string take_note() = 0;
};

/// What a step is made of; all kept by reference.
struct StepParts {
  process::TrainableDenoiser& network;
  const process::Schedule& schedule;
  const config::TrainingConfig& config;
  Optimizer& optimizer;
};

/// @param graph null gives null: the network is not on a GPU, or the build has no CUDA
std::unique_ptr<RecordedStep> make_recorded_step(const StepParts& parts,
                                                 std::unique_ptr<kernels::StepGraph> graph);

}  // namespace tinta::training
