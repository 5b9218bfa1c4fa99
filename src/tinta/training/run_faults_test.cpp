#include <faults/file_faults.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tinta/core/error.h"
#include "tinta/training/metrics.h"
#include "tinta/training/non_finite_testing.h"
#include "tinta/training/test_support.h"

// A whole run on a disk that fails at each of its calls in turn: metrics, saves, post-mortem,
// rollback. Each time it ends with one error, and goes on later as if nothing had been.

namespace tinta::training {
namespace {

/// A rollback at step 14, and a skipped step; two checkpoints are kept.
struct EventfulRun : BadRun {
  EventfulRun()
      : BadRun(
            [](std::uint64_t sample) { return sample == 9 || samples_of_steps(12, 14)(sample); }) {
    config.keep_checkpoints = 2;
  }
};

constexpr std::uint64_t kEnd = 16;

using ::testing::IsSupersetOf;

TEST(Run, WhateverCallFailsItEndsWithOneErrorAndGoesOnWithTheBitsOfARunLeftAlone) {
  const faults::WithoutFlushes quick;
  EventfulRun alone;
  alone.train(kEnd);
  ASSERT_EQ(alone.state.skips.rollbacks, 1u);
  const auto metrics = timeless_metrics(alone.folder.path());
  std::uint64_t at = 0;
  for (bool failed = true; failed;) {
    EventfulRun run;
    std::string message;
    {
      const faults::Armed disk({.prefix = run.folder.path().string(),
                                .at = ++at,
                                .count = at % 2,  // once, or from then on
                                .error = at % 3 == 0 ? ENOSPC : EIO});
      message = message_of<SystemError>([&] { run.train(kEnd); });
      failed = faults::failures() > 0;
    }
    ASSERT_EQ(message != "no error", failed) << "call " << at;
    if (failed) {
      EXPECT_THAT(message, ::testing::HasSubstr(run.folder.path().string()));
    }
    run.begin_anew();
    run.train(kEnd);
    expect_same_state(run.state, alone.state);
    EXPECT_EQ(timeless_metrics(run.folder.path()), metrics) << "call " << at;
    // A failure after the last save may leave an older one, which the next save would remove.
    EXPECT_THAT(saved_steps(run.folder.path()), IsSupersetOf(saved_steps(alone.folder.path())));
    EXPECT_EQ(entries(run.folder.path()), entries(alone.folder.path())) << "call " << at;
  }
  EXPECT_GE(at, 140u);
}

TEST(CutMetrics, ThatCannotBeWrittenLeavesWhatWasThere) {
  EventfulRun run;
  run.train(kEnd);
  const std::string before = read_text(run.folder.path() / "metrics.jsonl");
  for (std::uint64_t at = 1; at <= 4; ++at) {  // open, write, flush, rename
    const faults::Armed disk({.prefix = run.folder.path().string(), .at = at, .error = ENOSPC});
    EXPECT_THROW(cut_metrics(run.folder.path(), 8), SystemError) << at;
    EXPECT_EQ(read_text(run.folder.path() / "metrics.jsonl"), before) << at;
  }
}

}  // namespace
}  // namespace tinta::training
