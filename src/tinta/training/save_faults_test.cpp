#include <faults/file_faults.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include "tinta/core/error.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/checkpoint_testing.h"
#include "tinta/training/test_support.h"

// Saves on a disk that fails at each of their calls in turn, or under a process that is killed
// there.

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// How a disk fails: once, or from then on, as a full one does.
struct Failing {
  const char* name;
  int error;
  std::uint64_t count;
};

class SaveOnABadDisk : public testing::TestWithParam<Failing> {
 protected:
  static faults::Plan plan(const RunFolder& run, std::uint64_t at) {
    return {.prefix = run.path().string(),
            .at = at,
            .count = GetParam().count,
            .error = GetParam().error};
  }
};

// The new checkpoint is of a step of its own, or replaces one of the same step.
TEST_P(SaveOnABadDisk, WhateverCallFailsItIsToldAndWhatWasThereIsWhole) {
  const faults::WithoutFlushes quick;
  for (const std::uint64_t step : {20, 10}) {
    std::uint64_t at = 0;
    for (bool failed = true; failed;) {
      const RunFolder run;
      const CheckpointRef older = saved(run, 5);
      const CheckpointRef old = saved(run, 10);
      const TrainingState next = varied_state(step, /*salt=*/1);
      std::string message;
      {
        const faults::Armed disk(plan(run, ++at));
        message = message_of<SystemError>([&] { save_checkpoint(run.path(), next, 1); });
        failed = faults::failures() > 0;
      }
      ASSERT_EQ(message != "no error", failed) << "call " << at << " of step " << step;
      if (failed) {
        EXPECT_THAT(message, HasSubstr(run.path().string()));
        EXPECT_EQ(fault(older), std::nullopt) << "nothing is pruned";
        EXPECT_EQ(fault(old), std::nullopt) << "call " << at;
        expect_same_state(load_checkpoint(older), varied_state(5));
        if (step == 20) expect_same_state(load_checkpoint(old), varied_state(10));
      }
      // With room again it goes on, and nothing half-written stays.
      save_checkpoint(run.path(), next, 1);
      expect_same_state(load_checkpoint(newest_valid(run.path(), nullptr).value()), next);
      EXPECT_EQ(entries(run.checkpoints()).size(), 1u);
    }
    EXPECT_GE(at, 23u) << "a folder, six files of open, write and flush, three flushes, a rename";
  }
}

INSTANTIATE_TEST_SUITE_P(Disks, SaveOnABadDisk,
                         testing::Values(Failing{"Full", ENOSPC, 0}, Failing{"FullOnce", ENOSPC, 1},
                                         Failing{"Broken", EIO, 0}, Failing{"BrokenOnce", EIO, 1}),
                         [](const auto& item) { return item.param.name; });

/// Runs `body` in a child process that is killed at a call. @return whether it was
bool killed_at(const faults::Plan& plan, const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    faults::arm(plan);
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(SaveCheckpoint, KilledAtAnyOfItsCallsLeavesAWholeCheckpoint) {
  const faults::WithoutFlushes quick;
  for (const std::uint64_t step : {20, 10}) {
    std::uint64_t at = 0;
    for (bool killed = true; killed;) {
      const RunFolder run;
      saved(run, 10);
      const TrainingState next = varied_state(step, /*salt=*/1);
      killed =
          killed_at({.prefix = run.path().string(), .at = ++at, .action = faults::Action::kill},
                    [&] { save_checkpoint(run.path(), next, 1); });
      const auto newest = newest_valid(run.path(), nullptr);
      ASSERT_TRUE(newest.has_value()) << "call " << at << " of step " << step;
      const TrainingState found = load_checkpoint(*newest);
      const bool is_next = same_bits(found.parameters[0].master, next.parameters[0].master);
      expect_same_state(found, is_next ? next : varied_state(10));
      EXPECT_TRUE(killed || is_next);
      save_checkpoint(run.path(), next, 1);
      EXPECT_EQ(entries(run.checkpoints()).size(), 1u) << "what the kill left is gone";
    }
    EXPECT_GE(at, 23u);
  }
}

/// A folder in which, over many saves, checkpoints are damaged and disks fail.
class LongRun {
 public:
  explicit LongRun(std::uint64_t seed) : random_(seed) {}

  void save_once(std::uint64_t step) {
    const std::int64_t keep = 1 + below(3);
    if (below(4) != 0) {
      save_checkpoint(run_.path(), varied_state(step), keep);
      expect_kept(step, keep);
      return;
    }
    const auto at = static_cast<std::uint64_t>(1 + below(25));
    const bool failed = killed_or_failed(step, keep, at);
    if (!failed) expect_kept(step, keep);
  }

  /// Any whole one but the last.
  void damage_some() {
    for (const CheckpointRef& checkpoint : list_checkpoints(run_.path())) {
      if (valid() < 2 || below(3) != 0) continue;
      const fs::path file =
          checkpoint.folder /
          kCheckpointFiles.at(static_cast<std::size_t>(below(std::ssize(kCheckpointFiles))));
      if (!fs::exists(file)) continue;
      const auto size = static_cast<std::int64_t>(fs::file_size(file));
      if (below(2) == 0) {
        fs::resize_file(file, static_cast<std::uintmax_t>(below(size - 1)));
      } else {
        flip(file, static_cast<std::size_t>(below(size - 1)), static_cast<unsigned>(below(8)));
      }
    }
  }

  [[nodiscard]] std::int64_t valid() const {
    return std::ranges::count_if(list_checkpoints(run_.path()), [](const auto& checkpoint) {
      return !fault(checkpoint).has_value();
    });
  }

 private:
  std::int64_t below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }

  bool killed_or_failed(std::uint64_t step, std::int64_t keep, std::uint64_t at) {
    const TrainingState state = varied_state(step);
    const auto save = [&] { save_checkpoint(run_.path(), state, keep); };
    faults::Plan plan{.prefix = run_.path().string(), .at = at, .error = EIO};
    if (below(2) == 0) {
      plan.action = faults::Action::kill;
      return killed_at(plan, save);
    }
    const faults::Armed disk(plan);
    return message_of<SystemError>(save) != "no error";
  }

  void expect_kept(std::uint64_t step, std::int64_t keep) {
    EXPECT_EQ(newest_valid(run_.path(), nullptr).value().step, step);
    EXPECT_LE(valid(), keep);
  }

  RunFolder run_;
  std::mt19937_64 random_;
};

// Two weeks at a save each hour, of which a quarter fail or are killed at some call.
TEST(SaveCheckpoint, NeverLeavesFewerThanOneValidCheckpointHoweverLong) {
  const faults::WithoutFlushes quick;
  LongRun run(/*seed=*/7);
  run.save_once(0);
  std::int64_t most = 0;
  for (std::uint64_t step = 1; step <= 14 * 24; ++step) {
    const std::int64_t before = run.valid();
    run.save_once(step);
    ASSERT_GE(run.valid(), before > 0 ? 1 : 0) << "save " << step;
    run.damage_some();
    ASSERT_GE(run.valid(), 1) << "the test leaves one whole";
    most = std::max(most, run.valid());
  }
  EXPECT_GE(most, 3) << "there was something to prune";
}

}  // namespace
}  // namespace tinta::training
