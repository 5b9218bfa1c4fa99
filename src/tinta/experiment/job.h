#pragma once

#include <filesystem>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"
#include "tinta/dist/group.h"
#include "tinta/experiment/held_out.h"
#include "tinta/experiment/machine.h"
#include "tinta/experiment/step_profile.h"
#include "tinta/model/unet.h"
#include "tinta/training/state.h"
#include "tinta/training/trainer.h"

namespace tinta::experiment {

/// A run that is ready to train; all kept by reference.
struct Job {
  const config::RunConfig& config;
  const data::Dataset& dataset;
  const Compute& compute;
  model::UNet& network;
  const std::filesystem::path& run;  ///< of rank 0; the others write nothing
  dist::Group& group;
  const HeldOut* held_out = nullptr;  ///< where validations were asked for
  StepProfile* profile = nullptr;     ///< where one was asked for
};

/// Rank 0's part of training: as one process does, with its metrics, pictures and checkpoints.
/// @param state where to begin; the others are given it
training::Ending carry_out(const Job& job, const training::Budget& budget,
                           training::TrainingState& state, const Sinks& sinks,
                           const StopRequested& stop);

/// The other ranks' part: carry_out() without what is written.
/// @param state of the network's parameters; receives rank 0's
void take_part(const Job& job, training::TrainingState& state, const StopRequested& stop);

}  // namespace tinta::experiment
