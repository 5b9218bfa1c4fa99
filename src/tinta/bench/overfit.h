#pragma once

#include <cstdint>
#include <string>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"
#include "tinta/experiment/machine.h"

namespace tinta::bench {

/// One batch learnt by heart: a network that cannot do that will learn nothing from many.
struct Overfit {
  /// What the loss must fall below, as a share of the first one.
  static constexpr double kShare = 0.1;
  static constexpr std::int64_t kPictures = 8;  ///< of the batch, at most

  std::string data{};  ///< whose pictures
  std::int64_t pictures = 0;
  std::int64_t steps = 0;  ///< done
  double first = 0;        ///< loss before the first step
  double last = 0;         ///< mean loss of the last tenth of the steps; may not be finite

  [[nodiscard]] bool passed() const { return last < kShare * first; }
};

/// Takes the same step again and again: the same pictures, noise levels, noise and labels, with the
/// run's own learning rate (no warm-up, no decay), optimiser and precision.
/// @param config a valid one
/// @throws Stopped, ArgumentError where the pictures are not of the config's kind
Overfit overfit(const config::RunConfig& config, const experiment::Compute& compute,
                const data::Dataset& dataset, std::int64_t steps, const Sinks& sinks,
                const StopRequested& stop);

}  // namespace tinta::bench
