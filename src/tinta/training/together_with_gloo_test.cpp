#include "tinta/training/together.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/dist/ranks_testing.h"
#include "tinta/training/non_finite_testing.h"
#include "tinta/training/validation.h"

namespace tinta::training {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Ending train_on(TinyRun& run, dist::Group& group, std::uint64_t steps) {
  return train({.network = run.network,
                .schedule = run.schedule,
                .dataset = run.dataset,
                .config = run.config,
                .run = run.folder.path(),
                .group = group},
               budget_of_steps(steps), run.state, run.hooks);
}

/// Everything about a run that could depend on how samples are shared: labels, class dropout,
/// mirroring, clipping, parts.
std::unique_ptr<TinyRun> shared_run(std::int64_t accumulate) {
  auto run = std::make_unique<TinyRun>(3);
  run->config.batch = 6;
  run->config.accumulate = accumulate;
  run->config.class_dropout = 0.3;
  run->config.clip_norm = 0.5;
  run->config.log_every = 1;
  run->dataset.flip = data::Flip::half;
  return run;
}

struct Ranks {
  int size;
  std::int64_t accumulate;
};
class TogetherOn : public testing::TestWithParam<Ranks> {};

// Shares of 6 pictures on 4 ranks are 1 and 2: each picture counts alike all the same.
TEST_P(TogetherOn, LossesNormsAndWeightsAreThoseOfOneProcess) {
  const auto [size, accumulate] = GetParam();
  const auto alone = shared_run(accumulate);
  alone->train(8);
  std::vector<std::unique_ptr<TinyRun>> runs;
  for (int rank = 0; rank < size; ++rank) runs.push_back(shared_run(accumulate));
  dist::on_ranks(size, [&](dist::Group& group) {
    EXPECT_EQ(train_on(*runs[static_cast<std::size_t>(group.rank())], group, 8), Ending::finished);
  });
  const auto wanted = metrics_of(alone->folder.path());
  const auto got = metrics_of(runs[0]->folder.path());
  ASSERT_EQ(got.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) {
    for (const char* key : {"loss", "gradient_norm", "weight_norm"}) {
      EXPECT_NEAR(got[i].at(key).get<double>(), wanted[i].at(key).get<double>(), 1e-5)
          << key << " of step " << i + 1;
    }
    EXPECT_EQ(got[i].at("images"), wanted[i].at("images"));
    const auto& bins = wanted[i].at("loss_by_t");
    for (std::size_t bin = 0; bin < bins.size(); ++bin) {
      ASSERT_EQ(got[i].at("loss_by_t")[bin].is_null(), bins[bin].is_null());
      if (bins[bin].is_null()) continue;
      EXPECT_NEAR(got[i].at("loss_by_t")[bin].get<double>(), bins[bin].get<double>(), 1e-5);
    }
  }
  for (const auto& run : runs) {
    for (std::size_t i = 0; i < 2; ++i) {
      const ParameterState& a = alone->state.parameters[i];
      const ParameterState& b = run->state.parameters[i];
      EXPECT_TRUE(at::allclose(a.master, b.master, 1e-5, 1e-6));
      EXPECT_TRUE(at::allclose(a.ema, b.ema, 1e-5, 1e-6));
      EXPECT_TRUE(same_parameter(runs[0]->state.parameters[i], b)) << "bits of rank 0";
    }
  }
  for (std::size_t rank = 1; rank < runs.size(); ++rank) {
    EXPECT_THAT(entries(runs[rank]->folder.path()), ElementsAre()) << "it writes nothing";
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, TogetherOn,
                         testing::Values(Ranks{2, 1}, Ranks{3, 1}, Ranks{4, 1}, Ranks{2, 3},
                                         Ranks{4, 2}));

TEST(Together, ABatchHasAPictureForEachRank) {
  dist::on_ranks(3, [](dist::Group& group) {
    TinyRun run;
    run.config.batch = 2;
    run.config.accumulate = 1;
    EXPECT_THAT(message_of<ArgumentError>([&] { train_on(run, group, 1); }),
                HasSubstr("[training.batch] expected a picture for each of 3 processes, got 2"));
  });
}

// The bad sample is on one rank; the step is bad on all, and so is what follows from it.
TEST(Together, ABadSampleOfOneRankRollsAllBackAsItDoesOneProcess) {
  const auto bad = samples_of_steps(7, 12);
  BadRun alone(bad);
  alone.train(20);
  std::vector<std::unique_ptr<BadRun>> runs;
  for (int rank = 0; rank < 2; ++rank) runs.push_back(std::make_unique<BadRun>(bad));
  dist::on_ranks(2, [&](dist::Group& group) {
    EXPECT_EQ(train_on(*runs[static_cast<std::size_t>(group.rank())], group, 20), Ending::finished);
  });
  EXPECT_EQ(logged_steps(runs[0]->folder.path()), logged_steps(alone.folder.path()));
  EXPECT_FALSE(runs[0]->warnings.empty());
  EXPECT_EQ(runs[0]->state.skips, alone.state.skips);
  EXPECT_GT(runs[0]->state.skips.total, 0u);
  EXPECT_EQ(runs[1]->state.skips, alone.state.skips);
  EXPECT_TRUE(same_parameter(runs[0]->state.parameters[0], runs[1]->state.parameters[0]));
  EXPECT_TRUE(
      at::allclose(runs[0]->state.parameters[0].master, alone.state.parameters[0].master, 1e-4));
}

TEST(Together, AStopOfAnyRankStopsAllAtOneStep) {
  for (const int asked : {0, 1, 2}) {
    std::vector<std::uint64_t> steps(3);
    std::vector<std::unique_ptr<TinyRun>> runs;
    for (int rank = 0; rank < 3; ++rank) runs.push_back(std::make_unique<TinyRun>());
    dist::on_ranks(3, [&](dist::Group& group) {
      TinyRun& run = *runs[static_cast<std::size_t>(group.rank())];
      if (group.rank() == asked) run.hooks.stop = [&run] { return run.state.step >= 5; };
      EXPECT_EQ(train_on(run, group, 1000), Ending::stopped);
      steps[static_cast<std::size_t>(group.rank())] = run.state.step;
    });
    EXPECT_GE(steps[0], 5u);
    EXPECT_LE(steps[0], 7u) << "asked on rank " << asked;
    EXPECT_THAT(steps, testing::Each(steps[0]));
    EXPECT_THAT(saved_steps(runs[0]->folder.path()), ElementsAre(steps[0]));
  }
}

TEST(Together, AValidationHasTheBitsOfOneProcess) {
  const data::Dataset pictures = tiny_pictures(30);
  const process::VpSchedule schedule{process::LinearBeta{.steps = 20, .start = 0.01, .end = 0.3}};
  const config::TrainingConfig config{.batch = 4, .seed = 3};
  const auto measured = [&](dist::Group& group, const StopRequested& stop = {}) {
    Line network;
    const auto averages = TrainingState::fresh(network.named_parameters()).averages();
    return validate({network, schedule, pictures, config, group}, 40, averages, {}, stop);
  };
  const Validation alone = measured(dist::Group::alone()).value();
  dist::on_ranks(3, [&](dist::Group& group) {
    const Validation found = measured(group).value();
    EXPECT_EQ(found.loss.mean, alone.loss.mean);
    EXPECT_EQ(found.loss.standard_error, alone.loss.standard_error);
    ASSERT_EQ(found.bins.size(), alone.bins.size());
    for (std::size_t bin = 0; bin < found.bins.size(); ++bin) {
      EXPECT_EQ(found.bins[bin].loss.mean, alone.bins[bin].loss.mean);
      EXPECT_EQ(found.bins[bin].count, 30);
    }
    const bool stops = group.rank() == 2;
    EXPECT_FALSE(measured(group, [stops] { return stops; })) << "one that was stopped stops all";
  });
}

TEST(Together, AHandedOutStateIsRankZerosToTheBit) {
  dist::on_ranks(3, [](dist::Group& group) {
    TinyRun run;
    run.config.ema_relative_widths = {0.1};
    run.state = TrainingState::fresh(run.network.named_parameters(), {0.1});
    TrainingState wanted = TrainingState::fresh(run.network.named_parameters(), {0.1});
    wanted.step = 12;
    wanted.images = 48;
    wanted.loss_sum = std::numeric_limits<double>::quiet_NaN();
    wanted.loss_count = 2;
    wanted.level_losses.sums[3] = 0.1;
    wanted.level_losses.counts[3] = 5;
    wanted.seconds = 1.5;
    wanted.skips = {.total = 4,
                    .in_row = 1,
                    .first_bad = 11,
                    .last_bad = 12,
                    .rollbacks = 1,
                    .passed_over = {{.first = 3, .last = 5}}};
    for (ParameterState& p : wanted.parameters) {
      p.m.fill_(0.25);
      p.v.fill_(1e-9);
      p.tracked[0].fill_(7);
    }
    if (group.leads()) run.state = wanted;
    hand_out(group, run.state);
    EXPECT_TRUE(std::isnan(run.state.loss_sum));
    run.state.loss_sum = wanted.loss_sum = 0;
    expect_same_state(run.state, wanted);
    EXPECT_EQ(run.state.seconds, 1.5);

    if (group.rank() == 1) run.state.parameters[1].master.add_(1e-6);
    EXPECT_THAT(message_of<SystemError>([&] { require_same_weights(group, run.state); }),
                HasSubstr("expected the same weights at step 12 on every rank, got"));
  });
}

}  // namespace
}  // namespace tinta::training
