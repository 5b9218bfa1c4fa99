#include "tinta/training/rollback.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/training/checkpoint_testing.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Ranges = std::vector<StepRange>;
using Steps = std::vector<std::uint64_t>;

/// A state whose steps first to last were bad, after so many rollbacks.
TrainingState spoilt(std::uint64_t first, std::uint64_t last, std::uint64_t rollbacks = 0,
                     Ranges passed_over = {}) {
  TrainingState state = varied_state(last);
  state.skips = {.total = last - first + 1,
                 .in_row = last - first + 1,
                 .first_bad = first,
                 .last_bad = last,
                 .rollbacks = rollbacks,
                 .passed_over = std::move(passed_over)};
  return state;
}

void save(const RunFolder& run, TrainingState state, std::uint64_t step) {
  state.step = step;
  save_checkpoint(run.path(), state, 0);
}

TEST(PlanRollback, GoesToTheNewestGoodCheckpointAndPassesOverTheBadStepsAndTheOneBefore) {
  const RunFolder run;
  for (const std::uint64_t step : Steps{10, 20, 30}) saved(run, step);
  const Rollback rollback = plan_rollback(run.path(), spoilt(36, 41), nullptr).value();
  EXPECT_EQ(rollback.to, 30u);
  EXPECT_EQ(rollback.skips.passed_over, (Ranges{{35, 41}}));
  EXPECT_EQ(rollback.skips.rollbacks, 1u);
  EXPECT_EQ(rollback.skips.last_bad, 41u);
  EXPECT_EQ(rollback.skips.in_row, 0u);
  EXPECT_EQ(rollback.skips.total, 0u) << "what was skipped after step 30 is to come again";
  EXPECT_EQ(rollback.seconds, 10.5) << "the clock is not turned back";
}

TEST(PlanRollback, NeverGoesToACheckpointThatWasSavedBetweenBadSteps) {
  const RunFolder run;
  saved(run, 10);
  save(run, spoilt(18, 20), 20);  // a stop came there
  EXPECT_EQ(plan_rollback(run.path(), spoilt(18, 23), nullptr).value().to, 10u);
}

TEST(PlanRollback, NeverGoesToADamagedCheckpoint) {
  const RunFolder run;
  saved(run, 10);
  flip(saved(run, 20).folder / "model.safetensors", 150, 1);
  EXPECT_EQ(plan_rollback(run.path(), spoilt(22, 27), nullptr).value().to, 10u);
}

// The second time the newest checkpoint is the one gone back to before.
TEST(PlanRollback, GoesOneCheckpointFurtherBackAndPassesOverTwiceAsManyStepsEachTime) {
  const RunFolder run;
  for (const std::uint64_t step : Steps{10, 20, 30}) saved(run, step);
  const Rollback second = plan_rollback(run.path(), spoilt(42, 47, 1, {{35, 41}}), nullptr).value();
  EXPECT_EQ(second.to, 20u);
  EXPECT_EQ(second.skips.passed_over, (Ranges{{33, 47}}));
  EXPECT_EQ(second.skips.rollbacks, 2u);
  const Rollback third = plan_rollback(run.path(), spoilt(48, 53, 2, {{33, 47}}), nullptr).value();
  EXPECT_EQ(third.skips.passed_over, (Ranges{{29, 53}}));
}

TEST(PlanRollback, NeverGoesFarBackToTheBestCheckpoint) {
  const RunFolder run;
  for (const std::uint64_t step : Steps{10, 480, 490}) saved(run, step);
  write_file(run.path() / "best.json", R"({"step":10,"loss":0.5,"standard_error":0.1})",
             Existing::refuse);
  EXPECT_EQ(plan_rollback(run.path(), spoilt(496, 501, 1), nullptr).value().to, 480u);
  fs::remove_all(run.path() / "checkpoints" / "step-00000490");
  EXPECT_EQ(plan_rollback(run.path(), spoilt(496, 501, 2), nullptr).value().to, 480u);
  fs::remove_all(run.path() / "checkpoints" / "step-00000480");
  EXPECT_EQ(plan_rollback(run.path(), spoilt(496, 501, 2), nullptr).value().to, 10u)
      << "there is no other";
}

TEST(PlanRollback, KeepsRangesElsewhereAndPassesOverNothingBeforeTheCheckpoint) {
  const RunFolder run;
  saved(run, 30);
  const Rollback rollback =
      plan_rollback(run.path(), spoilt(31, 36, 3, {{5, 9}, {60, 66}}), nullptr).value();
  EXPECT_EQ(rollback.to, 30u) << "there is no other one";
  EXPECT_EQ(rollback.skips.passed_over, (Ranges{{31, 36}, {60, 66}}));
}

TEST(PlanRollback, GoesToTheStartWhereNothingIsSavedAndNowhereWithoutAStart) {
  const RunFolder run;
  EXPECT_EQ(plan_rollback(run.path(), spoilt(2, 7), nullptr), std::nullopt);
  const Rollback rollback =
      plan_rollback(run.path(), spoilt(2, 7), [] { return varied_state(0); }).value();
  EXPECT_EQ(rollback.to, 0u);
  EXPECT_EQ(rollback.skips.passed_over, (Ranges{{1, 7}}));
}

TEST(FinishRollback, LeavesTheCheckpointGoneBackToAsTheNewestWithWhatIsRemembered) {
  const RunFolder run;
  for (const std::uint64_t step : Steps{10, 20, 30}) saved(run, step);
  const Rollback rollback{
      .to = 20,
      .skips = {.total = 3, .last_bad = 41, .rollbacks = 2, .passed_over = {{35, 41}}},
      .seconds = 99};
  write_rollback(run.path(), rollback);
  finish_rollback(run.path(), nullptr, nullptr);
  EXPECT_EQ(saved_steps(run.path()), (Steps{10, 20}));
  EXPECT_FALSE(fs::exists(run.path() / "rollback.json"));
  TrainingState expected = varied_state(20);
  expected.skips = rollback.skips;
  const TrainingState state = load_checkpoint(newest_valid(run.path(), nullptr).value());
  expect_same_state(state, expected);
  EXPECT_EQ(state.skips, rollback.skips);
  EXPECT_EQ(state.seconds, 99);
  finish_rollback(run.path(), nullptr, nullptr);  // nothing to do
  EXPECT_EQ(saved_steps(run.path()), (Steps{10, 20}));
}

TEST(FinishRollback, SavesTheStartWhereThatIsGoneBackTo) {
  const RunFolder run;
  write_rollback(run.path(), {.to = 0, .skips = {.rollbacks = 1}});
  finish_rollback(
      run.path(), [] { return varied_state(0, 5); }, nullptr);
  TrainingState expected = varied_state(0, 5);
  expected.skips.rollbacks = 1;
  expect_same_state(load_checkpoint(checkpoint_at(run.path(), 0)), expected);
}

TEST(FinishRollback, IsLeftOutWithAWarningWhereItsFileOrItsCheckpointIsDamaged) {
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& text) { warnings.push_back(text); };
  const RunFolder run;
  for (const std::uint64_t step : Steps{10, 20}) saved(run, step);
  write_rollback(run.path(), {.to = 10});
  flip(run.path() / "rollback.json", fs::file_size(run.path() / "rollback.json") - 3, 0);
  finish_rollback(run.path(), nullptr, warn);
  write_rollback(run.path(), {.to = 10});
  flip(run.checkpoints() / "step-00000010" / "ema.safetensors", 40, 2);
  finish_rollback(run.path(), nullptr, warn);
  write_rollback(run.path(), {.to = 15});
  finish_rollback(run.path(), nullptr, warn);
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_THAT(warnings[0], HasSubstr("rollback.json"));
  EXPECT_THAT(warnings[1], HasSubstr("ema.safetensors"));
  EXPECT_THAT(warnings[2], HasSubstr("expected the checkpoint of step 15"));
  EXPECT_EQ(saved_steps(run.path()), (Steps{10, 20}));
  EXPECT_FALSE(fs::exists(run.path() / "rollback.json"));
}

}  // namespace
}  // namespace tinta::training
