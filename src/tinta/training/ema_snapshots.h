#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "tinta/training/state.h"

// What is kept of the tracked averages for a later choice of width (power_ema.h): at each
// checkpoint a file RUN/ema/step-00010000.safetensors with the tensors "0.05/NAME" of every width,
// as float16 (float32 where a value is beyond it), and in its metadata the SHA-256 of the rest.
// They stay when checkpoints are pruned.

namespace tinta::training {

/// Writes the averages of a state, and reads them back; nothing where none is tracked.
/// @throws SystemError when a write fails: what existed before is untouched
void save_snapshot(const std::filesystem::path& run, const TrainingState& state);

/// Removes the snapshots of steps beyond `step`.
void cut_snapshots(const std::filesystem::path& run, std::uint64_t step);

/// An average that was put together afterwards.
struct RebuiltAverage {
  NamedTensors weights{};     ///< float32
  double residual = 0;        ///< of its profile: Combination::residual
  std::size_t snapshots = 0;  ///< files that went into it
};

/// The average of a relative width after step `step`, tracked or not, from the snapshots up to
/// there. One that is damaged is passed over and told to `warn`.
/// @throws ArgumentError when there is none, or on a width outside of gamma_of()'s range
RebuiltAverage rebuild_average(const std::filesystem::path& run, std::uint64_t step, double width,
                               const std::function<void(const std::string&)>& warn);

}  // namespace tinta::training
