#include <ATen/ATen.h>
#include <faults/file_faults.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tinta/core/error.h"
#include "tinta/data/loader.h"
#include "tinta/io/npz.h"
#include "tinta/training/loss.h"
#include "tinta/training/non_finite_testing.h"
#include "tinta/training/power_ema.h"
#include "tinta/training/test_support.h"
#include "tinta/training/trainer.h"

// Steps whose loss or gradient is not finite: skipped, counted, and, where they come in a row, gone
// back before.

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Steps = std::vector<std::uint64_t>;

struct Seen {
  at::Tensor master, m, ema;

  static Seen of(const TrainingState& state) {
    const ParameterState& p = state.parameters[0];
    return {p.master.clone(), p.m.clone(), p.ema.clone()};
  }
  friend bool operator==(const Seen& a, const Seen& b) {
    return same_bits(a.master, b.master) && same_bits(a.m, b.m) && same_bits(a.ema, b.ema);
  }
};

/// What the first parameter was after each step, 0 the start.
std::vector<Seen> watched(BadRun& run, std::uint64_t steps) {
  std::vector<Seen> seen = {Seen::of(run.state)};
  run.hooks.after_step = [&] { seen.push_back(Seen::of(run.state)); };
  run.train(steps);
  run.hooks.after_step = {};
  return seen;
}

TEST(NonFinite, ABadStepChangesNothingAndIsNamedAndCounted) {
  BadRun run([](std::uint64_t sample) { return sample == 22; });  // of step 6
  const std::vector<Seen> seen = watched(run, 10);
  ASSERT_EQ(seen.size(), 11u);
  for (std::size_t step = 1; step <= 10; ++step) {
    EXPECT_EQ(seen[step] == seen[step - 1], step == 6) << step;
  }
  EXPECT_THAT(run.warnings,
              ElementsAre(::testing::AllOf(HasSubstr("step 6, batch of samples 20 to 23: skipped"),
                                           HasSubstr("loss nan"), HasSubstr("1 in a row"))));
  EXPECT_EQ(run.state.step, 10u);
  EXPECT_EQ(run.state.images, 40u);
  EXPECT_EQ(run.state.updates(), 9u);
  EXPECT_EQ(run.state.skips, (Skips{.total = 1, .last_bad = 6}));
  EXPECT_FALSE(run.network.scale.grad().defined());
  EXPECT_FALSE(fs::exists(run.folder.path() / "post-mortem"));
}

// sqrt |scale - its own value| is 0, and its derivative is 0 * infinity.
TEST(NonFinite, AGradientThatIsNotFiniteIsSkippedWhereTheLossIsFine) {
  BadRun run(nullptr);
  run.network.spoil = [](const at::Tensor& out, const Line& line) {
    if (line.last.training->first_sample != 20) return out;
    return out + (line.scale - line.scale.detach()).abs().sqrt();
  };
  const std::vector<Seen> seen = watched(run, 8);
  EXPECT_TRUE(seen[6] == seen[5]);
  EXPECT_FALSE(seen[7] == seen[6]);
  ASSERT_EQ(run.warnings.size(), 1u);
  EXPECT_THAT(run.warnings[0], HasSubstr("gradient norm nan"));
  EXPECT_THAT(run.warnings[0], ::testing::Not(HasSubstr("loss nan")));
}

// The optimiser must not count it: AdamW's corrections and the average's decay follow from the
// number of updates. A run of the same batches but for the bad one has the same weights.
TEST(NonFinite, TheOptimiserDoesNotCountABadStep) {
  BadRun bad(samples_of_steps(1, 1));
  bad.train(2);
  EXPECT_EQ(bad.state.updates(), 1u);
  TinyRun fresh;
  fresh.config = bad.config;
  fresh.state.step = 1;
  fresh.state.skips.total = 1;
  TrainingStep step({.network = fresh.network,
                     .schedule = fresh.schedule,
                     .dataset = fresh.dataset,
                     .config = fresh.config},
                    fresh.state);
  step.run(0);
  EXPECT_TRUE(same_bits(bad.state.parameters[0].master, fresh.state.parameters[0].master));
  // AdamW's first update is the learning rate in size, whatever the gradient.
  const double moved =
      std::abs(bad.state.parameters[0].master.item<float>() - Line().scale.item<float>());
  EXPECT_NEAR(moved, bad.config.learning_rate, 1e-6);
}

TEST(NonFinite, MetricsCountSkippedStepsAndLeaveThemOutOfTheMean) {
  BadRun one(samples_of_steps(6, 7));
  one.config.log_every = 1;
  one.train(8);
  BadRun means(samples_of_steps(6, 7));
  means.train(8);
  const auto each = metrics_of(one.folder.path());
  const auto line = metrics_of(means.folder.path()).back();
  const auto loss = [&](std::size_t step) { return each.at(step - 1).at("loss"); };
  EXPECT_TRUE(loss(6).is_null());
  EXPECT_DOUBLE_EQ(line.at("loss").get<double>(),
                   (loss(5).get<double>() + loss(8).get<double>()) / 2);
  EXPECT_EQ(line.at("skipped_steps").get<int>(), 2);
  EXPECT_EQ(each.at(5).at("skipped_steps").get<int>(), 1);
  EXPECT_EQ(each.at(4).at("skipped_steps").get<int>(), 0);
}

TEST(NonFinite, NoCheckpointIsSavedBetweenBadStepsButForTheLast) {
  BadRun run(samples_of_steps(10, 11));
  run.train(14);
  EXPECT_EQ(saved_steps(run.folder.path()), (Steps{5, 14}));
  BadRun stopped(samples_of_steps(10, 11));
  stopped.config.keep_checkpoints = 1;
  stopped.hooks.stop = [&] { return stopped.state.step == 10; };
  EXPECT_EQ(stopped.train(14), Ending::stopped);
  EXPECT_EQ(saved_steps(stopped.folder.path()), (Steps{5, 10})) << "5 may have to be gone back to";
}

/// Steps 12 to 14 are bad, of which one too many for max_skipped.
BadRun::IsBad too_many() { return samples_of_steps(12, 14); }

TEST(NonFinite, TooManyInARowRollTheRunBackAndTheirSamplesArePassedOver) {
  BadRun run(too_many());
  EXPECT_EQ(run.train(20), Ending::finished);
  EXPECT_EQ(run.state.step, 20u);
  EXPECT_EQ(run.state.skips.total, 4u) << "steps 11 to 14";
  EXPECT_EQ(run.state.skips.rollbacks, 1u);
  EXPECT_EQ(logged_steps(run.folder.path()), (Steps{1, 4, 8, 12, 16, 20}));
  EXPECT_EQ(saved_steps(run.folder.path()), (Steps{5, 10, 15, 20}));
  ASSERT_EQ(run.warnings.size(), 3u);
  EXPECT_THAT(run.warnings[2],
              HasSubstr("step 14, batch of samples 52 to 55: 3 steps in a row were "
                        "not finite; the run goes back to step 10 and passes over "
                        "steps 11 to 14"));
  EXPECT_THAT(run.warnings[2], HasSubstr("step-00000014.npz"));

  // The same by hand: all is well, and after step 10 the next four are left out.
  BadRun by_hand([](std::uint64_t) { return false; });
  by_hand.train(10);
  by_hand.state.skips = {.last_bad = 14, .rollbacks = 1, .passed_over = {{11, 14}}};
  by_hand.train(20);
  expect_same_state(run.state, by_hand.state);
}

TEST(NonFinite, TheBadBatchIsSavedForAPostMortem) {
  BadRun run(
      [](std::uint64_t sample) { return sample / 4 >= 11 && sample / 4 <= 13 && sample % 4; });
  run.train(15);
  const fs::path folder = run.folder.path() / "post-mortem";
  ASSERT_EQ(entries(folder), (std::vector<std::string>{"step-00000014.json", "step-00000014.npz"}));
  const auto arrays = io::decode_npz(read_bytes(folder / "step-00000014.npz"), "npz");
  ASSERT_EQ(arrays.size(), 4u);
  const data::Batch batch = data::Loader(run.dataset, 4, run.config.seed).batch(13);
  EXPECT_TRUE(same_bits(arrays.at("pictures"), batch.x0));
  EXPECT_TRUE(at::equal(arrays.at("samples"), at::arange(52, 56, at::kLong)));
  const Draws draws = draw(batch, run.schedule.steps(), 0, 0, run.config.seed);
  EXPECT_TRUE(at::equal(arrays.at("t"), draws.t));
  EXPECT_TRUE(at::equal(arrays.at("loss").isnan(), at::tensor({0, 1, 1, 1}).to(at::kBool)));
  const auto numbers = nlohmann::json::parse(read_text(folder / "step-00000014.json"));
  EXPECT_EQ(numbers.at("step"), 14);
  EXPECT_EQ(numbers.at("first_sample"), 52);
  EXPECT_EQ(numbers.at("last_sample"), 55);
  EXPECT_EQ(numbers.at("losses_not_finite"), 3);
  EXPECT_EQ(numbers.at("skipped_in_a_row"), 3);
  EXPECT_TRUE(numbers.at("loss").is_null());
}

TEST(PictureLosses, HaveTheLossOfTheBatchAsTheirMean) {
  TinyRun run(3);
  const data::Batch batch = data::Loader(run.dataset, 4, 0).batch(2);
  const Draws draws = draw(batch, run.schedule.steps(), 3, 0.2, 0);
  const at::Tensor losses = picture_losses(
      run.network, run.schedule, batch, draws,
      process::TrainingPass{.seed = 0, .first_sample = batch.first_sample, .samples = {}});
  EXPECT_EQ(losses.sizes(), at::IntArrayRef({4}));
  EXPECT_FALSE(losses.requires_grad());
  EXPECT_NEAR(losses.mean().item<double>(),
              simple_loss(run.network, run.schedule, batch, draws, 0).item<double>(), 1e-6);
}

TEST(NonFinite, ARunThatDoesNotGetPastThePlaceEndsAndItsLastGoodCheckpointStands) {
  BadRun run(samples_of_steps(12, 1000));
  const std::string message = message_of<NonFiniteError>([&] { run.train(100); });
  EXPECT_THAT(message, HasSubstr("[train] step "));
  EXPECT_THAT(message, HasSubstr("after 2 rollbacks (training.max_rollbacks = 2)"));
  EXPECT_THAT(message, HasSubstr("post-mortem"));
  const CheckpointRef newest = newest_valid(run.folder.path(), nullptr).value();
  EXPECT_EQ(newest.step, 5u) << "the second time one further back than 10";
  EXPECT_EQ(load_skips(newest).rollbacks, 2u);
  for (const ParameterState& p : load_checkpoint(newest).parameters) {
    EXPECT_TRUE(p.master.isfinite().all().item<bool>());
  }
}

TEST(NonFinite, WithoutRollbacksOrSkipsTheFirstBadStepEndsTheRun) {
  BadRun run(samples_of_steps(7, 7));
  run.config.max_skipped = 0;
  run.config.max_rollbacks = 0;
  EXPECT_THAT(message_of<NonFiniteError>([&] { run.train(20); }),
              HasSubstr("step 7, batch of samples 24 to 27"));
  EXPECT_EQ(saved_steps(run.folder.path()), Steps{5});
}

TEST(NonFinite, BeforeTheFirstCheckpointTheRunGoesBackToItsStart) {
  BadRun nowhere(samples_of_steps(2, 4));
  EXPECT_THROW(nowhere.train(10), NonFiniteError) << "nobody says what it began with";
  BadRun run(samples_of_steps(2, 4));
  run.begin_anew();
  EXPECT_EQ(run.train(10), Ending::finished);
  EXPECT_EQ(run.state.skips.total, 4u);
  EXPECT_EQ(saved_steps(run.folder.path()), (Steps{0, 5, 10}));
}

// The second bad place comes soon after the first: the count of rollbacks goes on; a hundred good
// steps later it begins anew.
TEST(NonFinite, RollbacksAreForgottenAfterManyGoodSteps) {
  const faults::WithoutFlushes quick;
  BadRun run([](std::uint64_t sample) {
    for (const std::uint64_t first : {20u, 140u, 260u, 380u}) {
      if (samples_of_steps(first, first + 2)(sample)) return true;
    }
    return false;
  });
  EXPECT_EQ(run.train(400), Ending::finished)
      << "four rollbacks, of which two are allowed in a row";
  EXPECT_EQ(run.state.skips.rollbacks, 1u);
}

// Step 11, good at first, is validated; then it is passed over. What was best before stays so.
TEST(NonFinite, ARollbackTakesBackTheValidationsOfLostSteps) {
  BadRun run(too_many());
  run.config.validate_every = 1;
  Steps asked;
  run.hooks.validate = [&](std::uint64_t step, const NamedTensors&) {
    asked.push_back(step);
    return Validation{.step = step, .loss = {step == 3 ? 0.1 : 0.5, 0.01}};
  };
  EXPECT_EQ(run.train(18), Ending::finished);
  EXPECT_EQ(asked, (Steps{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 17, 18}));
  Steps told;
  for (const ValidationLine& line : read_validations(run.folder.path(), 18)) {
    told.push_back(line.step);
  }
  EXPECT_EQ(told, (Steps{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 18}));
  EXPECT_EQ(best_checkpoint(run.folder.path()), 3u);
  EXPECT_EQ(saved_steps(run.folder.path()), (Steps{1, 3, 5, 10, 15, 18}));
}

// Time passes for them on steps that change nothing: their profile is one of steps (power_ema.h).
TEST(NonFinite, TrackedAveragesGoOnOverSkippedSteps) {
  constexpr double kWidth = 0.1;
  BadRun run([](std::uint64_t sample) { return sample == 9 || too_many()(sample); });
  run.config.ema_relative_widths = {kWidth};
  run.state = TrainingState::fresh(run.network.named_parameters(), {kWidth});
  // By step, so that what a rollback goes back over is told again.
  std::map<std::uint64_t, at::Tensor> masters;
  run.hooks.after_step = [&] {
    masters[run.state.step] = run.state.parameters[0].master.to(at::kDouble).clone();
  };
  run.train(20);
  ASSERT_EQ(run.state.skips.total, 5u) << "3 and 11 to 14";
  at::Tensor average;
  for (const auto& [step, master] : masters) {
    const double decay = power_ema_decay(step, gamma_of(kWidth));
    average = average.defined() ? decay * average + (1 - decay) * master : master.clone();
  }
  EXPECT_TRUE(
      at::allclose(run.state.parameters[0].tracked[0].to(at::kDouble), average, 1e-5, 1e-7));
}

struct Killed {};

// Killed in each step in turn, in each of its parts, around two bad steps and a rollback.
TEST(NonFinite, AKillAnywhereAroundSkipsAndRollbacksGivesTheBitsOfARunLeftAlone) {
  const BadRun::IsBad is_bad = [](std::uint64_t sample) {
    return sample == 9 || samples_of_steps(8, 9)(sample) || too_many()(sample);
  };
  const faults::WithoutFlushes quick;
  BadRun alone(is_bad);
  alone.train(20);
  ASSERT_EQ(alone.state.skips.total, 7u) << "3, 8, 9 and 11 to 14";
  for (int at = 1; at <= 24; ++at) {
    for (const bool after_step : {true, false}) {
      BadRun killed(is_bad);
      int count = 0;
      const auto strike = [&] {
        if (++count == at) throw Killed{};
      };
      if (after_step) {
        killed.hooks.after_step = strike;
      } else {
        killed.hooks.sinks.progress = [&](const Progress&) { strike(); };
      }
      try {
        killed.train(20);
      } catch (const Killed&) {
      }
      killed.hooks = {};
      killed.begin_anew();
      killed.train(20);
      expect_same_state(killed.state, alone.state);
      EXPECT_EQ(timeless_metrics(killed.folder.path()), timeless_metrics(alone.folder.path()));
      EXPECT_EQ(saved_steps(killed.folder.path()), saved_steps(alone.folder.path()));
    }
  }
}

}  // namespace
}  // namespace tinta::training
