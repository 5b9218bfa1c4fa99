#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/dist/group.h"
#include "tinta/experiment/machine.h"
#include "tinta/experiment/run.h"
#include "tinta/process/denoiser.h"

namespace tinta::experiment {

/// What to draw.
struct GenerateTask {
  process::TrainableDenoiser& network;
  const config::ProcessConfig& process;
  const config::SamplingConfig& sampling;
  PictureShape shape;
  Compute compute;
  at::Tensor labels;       ///< [N] int64, one per picture; undefined when unconditional
  std::int64_t count = 1;  ///< N
  std::int64_t batch = 0;  ///< pictures at a time; 0: as fits the size of a picture
  std::uint64_t seed = 0;  ///< picture i depends on (seed, i), its label and the sampler alone
  dist::Group& group = dist::Group::alone();  ///< all call it, and each rank draws a share
};

/// Draws pictures. @return [N,C,H,W] uint8, on every rank; undefined when `stop` answered true on
///                         one
at::Tensor generate(const GenerateTask& task, const Sinks& sinks, const StopRequested& stop);

/// The same with at most so many evaluations of the network, by deterministic DDIM where more are
/// set: for a look that must not cost much time.
config::SamplingConfig quick_sampling(config::SamplingConfig sampling, std::int64_t most);

/// Pictures at a time that keep a network's widest features within a few hundred megabytes.
std::int64_t fitting_batch(const PictureShape& shape);

/// [N,C,H,W] as others expect raw pictures: [N,H,W] when grey, else [N,H,W,C].
at::Tensor channels_last_array(const at::Tensor& pictures);

/// Labels for `count` pictures, taken from `classes` in turn. @return [count] int64
at::Tensor labels_in_turn(const std::vector<std::int64_t>& classes, std::int64_t count);

/// A grid with one column a class where the pictures come in turns, and nearly square otherwise.
std::int64_t grid_columns(std::int64_t count, std::int64_t classes, const PictureShape& shape);

}  // namespace tinta::experiment
