#include "tinta/training/trainer.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/optimizer.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Steps = std::vector<std::uint64_t>;

TEST(Trainer, LogsTheFirstStepTheLastAndEachLogEvery) {
  for (const auto& [log_every, wanted] : {std::pair<std::int64_t, Steps>{4, {1, 4, 8, 10}},
                                          {5, {1, 5, 10}},
                                          {1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
                                          {100, {1, 10}}}) {
    TinyRun run;
    run.config.log_every = log_every;
    EXPECT_EQ(run.train(10), Ending::finished);
    EXPECT_EQ(logged_steps(run.folder.path()), wanted) << log_every;
  }
}

// One run logs each step; another of the same bits logs means of three.
TEST(Trainer, ALoggedLossIsTheMeanSinceTheLineBefore) {
  TinyRun each;
  each.config.log_every = 1;
  each.train(7);
  TinyRun means;
  means.config.log_every = 3;
  means.train(7);
  const auto single = metrics_of(each.folder.path());
  const auto loss = [&](std::size_t step) { return single.at(step - 1).at("loss").get<double>(); };
  std::vector<double> logged;
  for (const auto& line : metrics_of(means.folder.path())) {
    logged.push_back(line.at("loss").get<double>());
  }
  ASSERT_EQ(logged.size(), 4u);  // 1, 3, 6, 7
  EXPECT_DOUBLE_EQ(logged[0], loss(1));
  EXPECT_DOUBLE_EQ(logged[1], (loss(2) + loss(3)) / 2);
  EXPECT_DOUBLE_EQ(logged[2], (loss(4) + loss(5) + loss(6)) / 3);
  EXPECT_DOUBLE_EQ(logged[3], loss(7));
  EXPECT_NE(loss(1), loss(2));
}

// What a line says of noise levels adds up to its loss, each picture being as large as another.
TEST(Trainer, LossesByNoiseLevelAreTheMeanLossInParts) {
  TinyRun run;
  run.config.log_every = 3;
  std::vector<LevelLosses> since;
  run.hooks.sinks.progress = [&](const Progress&) { since.push_back(run.state.level_losses); };
  run.train(8);
  const auto lines = metrics_of(run.folder.path());
  ASSERT_EQ(lines.size(), 4u);  // 1, 3, 6, 8
  for (const std::size_t logged :
       {std::size_t{0}, std::size_t{2}, std::size_t{5}, std::size_t{7}}) {
    EXPECT_EQ(since.at(logged), LevelLosses{}) << "begins anew after step " << logged + 1;
  }
  // Steps 4 and 5, then the line of step 6: what was kept before it, and one batch more.
  const LevelLosses& kept = since.at(4);
  EXPECT_EQ(std::reduce(kept.counts.begin(), kept.counts.end()), 8u);
  TinyRun each;
  each.config.log_every = 1;
  each.train(8);
  double sum = 0;
  for (const std::size_t step : {std::size_t{4}, std::size_t{5}}) {
    sum += 4 * metrics_of(each.folder.path()).at(step - 1).at("loss").get<double>();
  }
  EXPECT_NEAR(std::reduce(kept.sums.begin(), kept.sums.end()), sum, 1e-6 * sum);
}

TEST(Trainer, ALineTellsTheNormOfTheWeightsAndTheAgeOfTheirAverage) {
  TinyRun run;
  run.config.ema_decay = 0.3;
  run.train(5);
  // Of squares in single precision.
  const auto line = metrics_of(run.folder.path()).back();
  double squares = 0;
  for (const auto& [name, weight] : run.network.named_parameters()) {
    squares += weight.detach().to(at::kDouble).square().sum().item<double>();
  }
  EXPECT_NEAR(line.at("weight_norm").get<double>(), std::sqrt(squares), 1e-7);
  EXPECT_EQ(line.at("ema_age").get<double>(), ema_age_at(5, 0.3));
}

TEST(Trainer, ALineTellsPicturesLearningRateAndSpeed) {
  TinyRun run;
  run.config.log_every = 1;
  run.config.warmup_steps = 3;
  run.config.decay = "cosine";
  run.train(8);
  double seconds = 0;
  for (const auto& line : metrics_of(run.folder.path())) {
    const auto step = line.at("step").get<std::uint64_t>();
    EXPECT_EQ(line.at("images").get<std::uint64_t>(), 4 * step);
    EXPECT_DOUBLE_EQ(line.at("learning_rate").get<double>(),
                     learning_rate_at(run.config, step, static_cast<double>(step - 1) / 8));
    EXPECT_GT(line.at("gradient_norm").get<double>(), 0);
    EXPECT_GT(line.at("images_per_second").get<double>(), 0);
    EXPECT_GT(line.at("seconds").get<double>(), seconds);
    seconds = line.at("seconds").get<double>();
  }
  EXPECT_EQ(run.state.images, 32u);
  EXPECT_EQ(run.state.step, 8u);
}

TEST(Trainer, SavesEachCheckpointEveryAndAtTheEnd) {
  for (const auto& [every, keep, wanted] :
       {std::tuple<std::int64_t, std::int64_t, Steps>{3, 0, {3, 6, 8}},
        {4, 0, {4, 8}},
        {3, 2, {6, 8}},
        {0, 0, {8}}}) {
    TinyRun run;
    run.config.checkpoint_every = every;
    run.config.keep_checkpoints = keep;
    run.train(8);
    EXPECT_EQ(saved_steps(run.folder.path()), wanted) << every;
    expect_same_state(load_checkpoint(checkpoint_at(run.folder.path(), 8)), run.state);
  }
}

TEST(Trainer, PreviewsEachSampleEveryAndAtTheEndWithTheAverages) {
  for (const auto& [every, wanted] :
       {std::pair<std::int64_t, Steps>{4, {4, 8, 10}}, {5, {5, 10}}, {100, {10}}, {0, {}}}) {
    TinyRun run;
    run.config.sample_every = every;
    Steps previews;
    run.hooks.preview = [&](std::uint64_t step, const NamedTensors& averages) {
      previews.push_back(step);
      ASSERT_EQ(averages.size(), 2u);
      EXPECT_EQ(averages[0].first, "scale");
      EXPECT_TRUE(same_bits(averages[0].second, run.state.parameters[0].ema));
      EXPECT_FALSE(same_bits(averages[0].second, run.state.parameters[0].master));
    };
    run.train(10);
    EXPECT_EQ(previews, wanted) << every;
  }
}

// So that a run killed in between draws them again.
TEST(Trainer, AStepsPreviewComesBeforeItsCheckpoint) {
  TinyRun run;
  run.config.sample_every = 2;
  run.config.checkpoint_every = 2;
  std::vector<Steps> seen;
  run.hooks.preview = [&](std::uint64_t, const NamedTensors&) {
    seen.push_back(saved_steps(run.folder.path()));
  };
  run.train(5);
  EXPECT_EQ(seen, (std::vector<Steps>{{}, {2}, {2, 4}}));
}

TEST(Trainer, ReportsItsProgressAtEachStep) {
  TinyRun run;
  std::vector<Progress> reports;
  run.hooks.sinks.progress = [&](const Progress& progress) { reports.push_back(progress); };
  run.train(5);
  ASSERT_EQ(reports.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(reports[i].done, static_cast<long long>(i) + 1);
    EXPECT_EQ(reports[i].total, 5);
    EXPECT_GE(reports[i].seconds_left, 0);
    EXPECT_THAT(reports[i].detail, HasSubstr(" img/s"));
  }
  EXPECT_EQ(reports[4].seconds_left, 0);
  const double loss = metrics_of(run.folder.path()).back().at("loss").get<double>();
  EXPECT_THAT(reports[4].detail, HasSubstr("loss " + fixed(loss, 4)));
}

TEST(Budget, IsSpentByWhicheverShareIsLargest) {
  TrainingState state;
  state.step = 30;
  state.images = 400;
  state.seconds = 6;
  Budget budget;
  budget.steps = 100;
  EXPECT_DOUBLE_EQ(budget.spent(state), 0.3);
  budget.images = 1000;
  EXPECT_DOUBLE_EQ(budget.spent(state), 0.4);
  budget.seconds = 10;
  EXPECT_DOUBLE_EQ(budget.spent(state), 0.6);
  budget.steps = 20;
  EXPECT_DOUBLE_EQ(budget.spent(state), 1.5);
}

TEST(Trainer, ABudgetOfImagesEndsWithTheStepThatReachesIt) {
  TinyRun run;
  Budget budget;
  budget.images = 10;
  EXPECT_EQ(run.train(budget), Ending::finished);
  EXPECT_EQ(run.state.step, 3u);
  EXPECT_EQ(run.state.images, 12u);
  EXPECT_EQ(saved_steps(run.folder.path()), Steps{3});
}

// The test moves the run's clock by far more than a step takes.
TEST(Trainer, ABudgetOfTimeEndsWithTheStepThatReachesIt) {
  TinyRun run;
  Budget budget;
  budget.seconds = 4.5e6;
  run.hooks.stop = [&] {
    run.state.seconds += 1e6;
    return false;
  };
  EXPECT_EQ(run.train(budget), Ending::finished);
  EXPECT_EQ(run.state.step, 5u);
  EXPECT_EQ(logged_steps(run.folder.path()), (Steps{1, 5}));
  EXPECT_GE(budget.spent(load_checkpoint(checkpoint_at(run.folder.path(), 5))), 1);
}

// A long preview uses up the time: the run may not end on a step that was neither logged nor saved,
// nor with a checkpoint that says there is time left.
TEST(Trainer, TimeSpentOutsideStepsDoesNotEndARunUnsaved) {
  TinyRun run;
  run.config.sample_every = 3;
  run.config.checkpoint_every = 3;
  Budget budget;
  budget.seconds = 1e6;
  run.hooks.preview = [&](std::uint64_t, const NamedTensors&) { run.state.seconds += 2e6; };
  EXPECT_EQ(run.train(budget), Ending::finished);
  EXPECT_EQ(logged_steps(run.folder.path()).back(), run.state.step);
  ASSERT_EQ(saved_steps(run.folder.path()).back(), run.state.step);
  EXPECT_GE(budget.spent(load_checkpoint(newest_valid(run.folder.path(), nullptr).value())), 1);
}

TEST(Trainer, AFinishedRunIsLeftAsItIs) {
  TinyRun run;
  run.train(3);
  const std::string metrics = read_text(run.folder.path() / "metrics.jsonl");
  const TrainingState before = load_checkpoint(checkpoint_at(run.folder.path(), 3));
  EXPECT_EQ(run.train(3), Ending::finished);
  EXPECT_EQ(run.train(2), Ending::finished);
  expect_same_state(run.state, before);
  EXPECT_EQ(read_text(run.folder.path() / "metrics.jsonl"), metrics);
  EXPECT_EQ(saved_steps(run.folder.path()), Steps{3});
}

TEST(Trainer, WithoutABudgetItRefusesToBegin) {
  TinyRun run;
  EXPECT_THAT(message_of<ArgumentError>([&] { run.train(Budget{}); }),
              HasSubstr("expected a budget of steps, images or seconds"));
}

TEST(Trainer, AStopIsLoggedAndSavedButNotPreviewed) {
  TinyRun run;
  run.config.sample_every = 5;
  bool previewed = false;
  run.hooks.preview = [&](std::uint64_t, const NamedTensors&) { previewed = true; };
  run.hooks.stop = [&] { return run.state.step == 3; };
  EXPECT_EQ(run.train(10), Ending::stopped);
  EXPECT_EQ(run.state.step, 3u);
  EXPECT_EQ(logged_steps(run.folder.path()), (Steps{1, 3}));
  EXPECT_EQ(saved_steps(run.folder.path()), Steps{3});
  EXPECT_FALSE(previewed);
  expect_same_state(load_checkpoint(checkpoint_at(run.folder.path(), 3)), run.state);
}

// As a network of many blocks asks between them (model/unet.h).
void ask_within_steps(TinyRun& run) {
  run.network.spoil = [](const at::Tensor& out, const Line& line) {
    if (line.last.training->at_each_block) line.last.training->at_each_block();
    return out;
  };
}

TEST(Trainer, AStopWithinAStepGivesItUpAndSavesTheOneBefore) {
  TinyRun run;
  ask_within_steps(run);
  bool asked = false;
  run.hooks.before_step = [&] { asked = run.state.step == 3; };
  run.hooks.stop = [&] { return asked; };
  EXPECT_EQ(run.train(10), Ending::stopped);
  EXPECT_EQ(run.state.step, 3u);
  EXPECT_EQ(run.state.images, 12u);
  EXPECT_EQ(logged_steps(run.folder.path()), (Steps{1, 3}));
  EXPECT_EQ(saved_steps(run.folder.path()), Steps{3});
  for (const auto& [name, weight] : run.network.named_parameters()) {
    EXPECT_FALSE(weight.grad().defined()) << name;
  }
  expect_same_state(load_checkpoint(checkpoint_at(run.folder.path(), 3)), run.state);
}

TEST(Trainer, AStopWithinTheFirstStepWaitsForIt) {
  TinyRun run;
  ask_within_steps(run);
  run.hooks.stop = [] { return true; };
  EXPECT_EQ(run.train(10), Ending::stopped);
  EXPECT_EQ(saved_steps(run.folder.path()), Steps{1});
}

TEST(Trainer, AStopWithinTheFirstStepAfterACheckpointSavesNothingAgain) {
  TinyRun run;
  run.train(3);
  const std::string metrics = read_text(run.folder.path() / "metrics.jsonl");
  const auto saved = fs::last_write_time(checkpoint_at(run.folder.path(), 3).folder);
  ask_within_steps(run);
  run.hooks.stop = [] { return true; };
  EXPECT_EQ(run.train(10), Ending::stopped);
  EXPECT_EQ(run.state.step, 3u);
  EXPECT_EQ(read_text(run.folder.path() / "metrics.jsonl"), metrics);
  EXPECT_EQ(fs::last_write_time(checkpoint_at(run.folder.path(), 3).folder), saved);
}

TEST(Trainer, AStopAskedForDuringAPreviewEndsWithThatStep) {
  TinyRun run;
  run.config.sample_every = 4;
  bool asked = false;
  run.hooks.preview = [&](std::uint64_t, const NamedTensors&) { asked = true; };
  run.hooks.stop = [&] { return asked; };
  EXPECT_EQ(run.train(10), Ending::stopped);
  EXPECT_EQ(run.state.step, 4u);
  EXPECT_EQ(saved_steps(run.folder.path()), Steps{4});
}

TEST(Trainer, AStopAtTheLastStepIsAFinish) {
  TinyRun run;
  run.hooks.stop = [&] { return run.state.step == 3; };
  EXPECT_EQ(run.train(3), Ending::finished);
}

TEST(Trainer, AFolderThatIsNotThereIsAnErrorBeforeTheFirstStep) {
  TinyRun run;
  fs::remove_all(run.folder.path());
  EXPECT_THROW(run.train(3), SystemError);
  EXPECT_EQ(run.state.step, 0u);
}

TEST(Trainer, RefusesAStateWithoutTheAveragesThatItIsToTrack) {
  TinyRun run;
  run.config.ema_relative_widths = {0.1};
  EXPECT_THAT(message_of<ArgumentError>([&] { run.train(3); }),
              HasSubstr("training.ema_relative_widths"));
  EXPECT_EQ(run.state.step, 0u);
}

TEST(Trainer, ACheckpointThatCannotBeWrittenIsAnError) {
  TinyRun run;
  write_file(run.folder.checkpoints(), "in the way", Existing::refuse);
  EXPECT_THROW(run.train(3), SystemError);
}

}  // namespace
}  // namespace tinta::training
