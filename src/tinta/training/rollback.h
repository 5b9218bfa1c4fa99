#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "tinta/training/checkpoint.h"
#include "tinta/training/skips.h"
#include "tinta/training/state.h"

// A run that meets too many bad steps in a row (skips.h) goes back to a checkpoint that was saved
// while all was well, and passes over the samples that led there: the bad steps, and before them
// one step the first time, two more the second, four more the third, because a step that spoils the
// weights is itself still finite. Each time it begins one checkpoint earlier, where there is one.
//
// rollback.json in the run folder says what is to be done; it is written whole before anything else
// is touched, and removed at the end. A run killed in between does the same again from it, so that
// a run that was killed ends with the bits of one that was not.

namespace tinta::training {

/// Where a run goes back to, and what it remembers there.
struct Rollback {
  std::uint64_t to = 0;  ///< step of a checkpoint; 0 may be the run's start, which none holds
  Skips skips{};
  double seconds = 0;  ///< the clock is not turned back

  friend bool operator==(const Rollback&, const Rollback&) = default;
};

/// The state a run began with. Where there is none, a run without a checkpoint cannot go back.
using RunStart = std::function<TrainingState()>;

/// Where a run at `state` goes back to, or nothing where there is no place to go back to.
/// @param state after a bad step
std::optional<Rollback> plan_rollback(const std::filesystem::path& run, const TrainingState& state,
                                      const RunStart& start);

/// Writes rollback.json. @throws SystemError
void write_rollback(const std::filesystem::path& run, const Rollback& rollback);

/// Carries out rollback.json, where there is one: afterwards the newest valid checkpoint is the one
/// gone back to, with what is to be remembered, and the file is gone. Where the file or that
/// checkpoint is damaged, `warn` is told and the file removed: the run goes on from what is whole,
/// and rolls back again. Call with the run's lock held.
/// @throws SystemError when a write fails: the next call finishes it
void finish_rollback(const std::filesystem::path& run, const RunStart& start,
                     const std::function<void(const std::string&)>& warn);

}  // namespace tinta::training
