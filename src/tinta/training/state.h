#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tinta/training/level_losses.h"
#include "tinta/training/loss_scale.h"
#include "tinta/training/skips.h"

namespace tinta::training {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// What training keeps of one parameter, float32, all of one shape.
struct ParameterState {
  std::string name;
  at::Tensor master;                  ///< the weight in full precision
  at::Tensor m;                       ///< AdamW's first moment
  at::Tensor v;                       ///< AdamW's second moment
  at::Tensor ema;                     ///< moving average of the weight
  std::vector<at::Tensor> tracked{};  ///< power-function averages, one for each relative width
};

/// Everything that the next step depends on, but for the config: what a checkpoint holds. Random
/// numbers and data order need no state; they follow from the step (core/philox.h).
struct TrainingState {
  std::vector<ParameterState> parameters;
  std::vector<double> relative_widths{};  ///< of the averages that are tracked (power_ema.h)
  std::uint64_t step = 0;                 ///< steps done, those that were skipped (skips.h) too
  std::uint64_t images = 0;               ///< pictures of all these steps
  double loss_sum = 0;  ///< since the last logged step, over steps that were not skipped
  std::uint64_t loss_count = 0;
  LevelLosses level_losses{};  ///< likewise, by noise level
  double seconds = 0;          ///< time spent training; the one entry that is not reproducible
  Skips skips{};
  LossScale loss_scale{};

  /// Steps that changed the weights: what the optimiser counts.
  [[nodiscard]] std::uint64_t updates() const { return step - skips.total; }

  /// A run's start: master and averages are the given weights, moments are zero.
  /// @param relative_widths of the averages to track, rising
  static TrainingState fresh(const NamedTensors& weights,
                             const std::vector<double>& relative_widths = {});

  [[nodiscard]] NamedTensors masters() const;
  [[nodiscard]] NamedTensors averages() const;
  /// The average of relative_widths[which].
  [[nodiscard]] NamedTensors tracked(std::size_t which) const;

  /// Norm of all masters.
  [[nodiscard]] double weight_norm() const;
};

/// Copies values by name, converting to each target's dtype and device.
/// @throws ArgumentError when a name is missing, left over, or has another shape
void copy_weights(const NamedTensors& from, const NamedTensors& to);

}  // namespace tinta::training
