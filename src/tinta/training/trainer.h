#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "tinta/core/sink.h"
#include "tinta/training/rollback.h"
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

struct MetricsLine;

struct TrainerHooks {
  Sinks sinks;
  /// Asked after each step, and within one but the first, which is given up then (step.h).
  StopRequested stop;
  /// Called after each training.sample_every steps and at the end, with the averaged weights,
  /// before the checkpoint of that step; never where sample_every is 0.
  std::function<void(std::uint64_t step, const NamedTensors& averages)> preview{};
  /// Called with each line of metrics once it is written.
  std::function<void(const MetricsLine&)> logged{};
  /// Called before each checkpoint: what was told by `logged` must not be lost after it.
  std::function<void()> saving{};
  /// Called when the run has gone back to a step, which is done; what was told of later ones does
  /// not hold.
  std::function<void(std::uint64_t step)> rolled_back{};
  /// Called as validations.h says, with the averaged weights; absent: nothing is validated.
  Validations::Validate validate{};
  /// Called right before and right after each step, for a profile of steps alone.
  std::function<void()> before_step{};
  std::function<void()> after_step{};
  /// The state that the run began with, for a rollback before the first checkpoint; without it such
  /// a run ends.
  RunStart start{};
};

enum class Ending { finished, stopped };

/// Trains until the budget is spent, patience with validations is at its end, or a stop is asked
/// for, writing metrics.jsonl, validation.jsonl, best.json, checkpoints and snapshots of averages.
/// The first step of a run and the last one of a call are always logged, the last one is saved.
/// A step whose loss or gradient is not finite is skipped, with a warning that names step and
/// samples; after training.max_skipped of them in a row the next one rolls the run back
/// (rollback.h), and its batch is saved (post_mortem.h).
/// With several processes (TrainerParts::group) all call it; rank 0 trains as one process does, and
/// the others follow it (together.h): they read no clock and write nothing.
/// @param budget of rank 0
/// @param state where to start, the same on every rank (hand_out()); holds the result afterwards
/// @throws NonFiniteError naming step, samples and the saved batch, after training.max_rollbacks
///         rollbacks that did not lead past the place, or where there is nowhere to go back to; the
///         last checkpoint stands
/// @throws SystemError when a checkpoint or the metrics cannot be written
Ending train(const TrainerParts& parts, const Budget& budget, TrainingState& state,
             const TrainerHooks& hooks);

}  // namespace tinta::training
