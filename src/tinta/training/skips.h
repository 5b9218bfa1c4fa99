#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

// What a run remembers of steps that changed nothing. A step whose loss or gradient is not finite
// is skipped: weights, moments and averages stay as they were, and the run goes on with the next
// batch. It counts as a step all the same, so that step n is made of the same samples whatever
// happened before it; only the optimiser's own count leaves it out (TrainingState::updates()). Too
// many in a row roll the run back (rollback.h).

namespace tinta::training {

/// Steps first to last, counted from 1.
struct StepRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  friend bool operator==(const StepRange&, const StepRange&) = default;
};

/// Part of what a checkpoint holds, so that a run that is killed between two skips goes on alike.
struct Skips {
  /// Rollbacks are forgotten after so many steps without a bad one.
  static constexpr std::uint64_t kForgotten = 100;

  std::uint64_t total = 0;      ///< steps that changed nothing: bad ones, and those passed over
  std::uint64_t in_row = 0;     ///< bad steps since the last that was taken
  std::uint64_t first_bad = 0;  ///< of those in_row; counted from 1
  std::uint64_t last_bad = 0;   ///< of the whole run; 0: none
  std::uint64_t rollbacks = 0;  ///< that are not forgotten
  std::vector<StepRange> passed_over{};  ///< steps ahead that a rollback leaves out, in order

  [[nodiscard]] bool passes_over(std::uint64_t step) const;

  /// What became of a step, counted from 1. One is called for each.
  void count_taken(std::uint64_t step);
  void count_bad(std::uint64_t step);
  void count_passed_over() { ++total; }

  friend bool operator==(const Skips&, const Skips&) = default;
};

nlohmann::json to_json(const Skips& skips);
/// Nothing skipped where the object lacks a key, as in checkpoints of earlier versions.
/// @throws nlohmann::json::exception on a value of another kind
Skips skips_from(const nlohmann::json& json);

}  // namespace tinta::training
