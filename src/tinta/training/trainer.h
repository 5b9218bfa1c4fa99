#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "tinta/core/sink.h"
#include "tinta/training/state.h"
#include "tinta/training/step.h"
#include "tinta/training/validations.h"

namespace tinta::training {

/// When a run ends: at the first of these that is reached. At least one is given.
struct Budget {
  std::optional<std::uint64_t> steps;
  std::optional<std::uint64_t> images;
  std::optional<double> seconds;  ///< of training, over all sessions of the run

  /// The share that is spent, 0 to 1 and above.
  [[nodiscard]] double spent(const TrainingState& state) const;
};

struct TrainerHooks {
  Sinks sinks;
  StopRequested stop;
  /// Called after each training.sample_every steps and at the end, with the averaged weights,
  /// before the checkpoint of that step; never where sample_every is 0.
  std::function<void(std::uint64_t step, const NamedTensors& averages)> preview;
  /// Called as validations.h says, with the averaged weights; absent: nothing is validated.
  Validations::Validate validate{};
  /// Called right before and right after each step, for a profile of steps alone.
  std::function<void()> before_step{};
  std::function<void()> after_step{};
};

enum class Ending { finished, stopped };

/// Trains until the budget is spent, patience with validations is at its end, or a stop is asked
/// for, writing metrics.jsonl, validation.jsonl, best.json, checkpoints and snapshots of averages.
/// The first step of a run and the last one of a call are always logged, the last one is saved.
/// @param state where to start; holds the result afterwards
/// @throws NonFiniteError naming step and samples when loss or gradient is not finite; nothing is
///         saved then, and the last checkpoint stands
/// @throws SystemError when a checkpoint or the metrics cannot be written
Ending train(const TrainerParts& parts, const Budget& budget, TrainingState& state,
             const TrainerHooks& hooks);

}  // namespace tinta::training
