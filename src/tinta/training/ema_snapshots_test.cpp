#include "tinta/training/ema_snapshots.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/training/checkpoint_testing.h"
#include "tinta/training/optimizer.h"
#include "tinta/training/power_ema.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int kSteps = 400;
constexpr int kEvery = 25;

/// A run whose weights take a known way, with averages of widths 0.05 and 0.1 tracked as training
/// does it, and snapshots on the way.
struct KnownRun {
  KnownRun() {
    Optimizer optimizer(network, state);
    for (int step = 1; step <= kSteps; ++step) {
      for (ParameterState& p : state.parameters) p.master.copy_(weights(step, p.master.size(0)));
      optimizer.count();
      if (step % kEvery == 0) save_snapshot(folder.path(), state);
    }
  }

  /// They fall as training's do, and shake: [size] float64.
  static at::Tensor weights(int step, std::int64_t size) {
    const at::Tensor i = at::arange(size, at::kDouble) + 1;
    return at::exp(-step / 60.0 / i) + 0.3 * at::sin(step / 7.0 * i) + 0.1 * i;
  }

  /// The average by its definition: every weight that there was, times its part of the profile.
  static at::Tensor by_hand(double width, int steps, std::int64_t size) {
    const double power = gamma_of(width) + 1;
    at::Tensor sum = at::zeros({size}, at::kDouble);
    for (int s = 1; s <= steps; ++s) {
      const double share =
          std::pow(double(s) / steps, power) - std::pow(double(s - 1) / steps, power);
      sum += share * weights(s, size);
    }
    return sum;
  }

  RunFolder folder;
  Line network{process::Prediction::eps, 9};
  TrainingState state = TrainingState::fresh(network.named_parameters(), {0.05, 0.1});
};

double distance(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kDouble) - b).norm() / b.norm()).item<double>();
}

RebuiltAverage rebuilt(const KnownRun& run, double width, std::uint64_t step = kSteps) {
  return rebuild_average(run.folder.path(), step, width, nullptr);
}

TEST(TrackedAverages, AreTheAveragesOfTheirDefinition) {
  const KnownRun run;
  for (std::size_t which = 0; which < 2; ++which) {
    const auto tracked = run.state.tracked(which);
    const double width = run.state.relative_widths[which];
    EXPECT_LT(distance(tracked[1].second, KnownRun::by_hand(width, kSteps, 10)), 1e-5) << width;
  }
}

TEST(RebuiltAverage, OfATrackedWidthIsTheTrackedOne) {
  const KnownRun run;
  for (std::size_t which = 0; which < 2; ++which) {
    const RebuiltAverage found = rebuilt(run, run.state.relative_widths[which]);
    ASSERT_EQ(found.weights.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(found.weights[i].first, run.state.parameters[i].name);
      EXPECT_LT(
          distance(found.weights[i].second, run.state.parameters[i].tracked[which].to(at::kDouble)),
          1e-3);
    }
    EXPECT_LT(found.residual, 1e-6);
  }
}

TEST(RebuiltAverage, OfAWidthBetweenIsNearerToTheTruthThanThoseThatWereTracked) {
  const KnownRun run;
  const at::Tensor truth = KnownRun::by_hand(0.075, kSteps, 10);
  const RebuiltAverage found = rebuilt(run, 0.075);
  EXPECT_EQ(found.weights[1].second.scalar_type(), at::kFloat);
  const double error = distance(found.weights[1].second, truth);
  EXPECT_LT(error, 2e-3);
  for (std::size_t which = 0; which < 2; ++which) {
    EXPECT_GT(distance(run.state.tracked(which)[1].second, truth), 5 * error);
  }
}

TEST(RebuiltAverage, OfAnEarlierStepTakesNoLaterSnapshot) {
  const KnownRun run;
  const RebuiltAverage found = rebuilt(run, 0.1, 200);
  EXPECT_LT(distance(found.weights[1].second, KnownRun::by_hand(0.1, 200, 10)), 1e-3);
  EXPECT_LE(found.snapshots, 8u);
}

TEST(RebuiltAverage, PassesOverADamagedSnapshotAndSaysSo) {
  const KnownRun run;
  const fs::path damaged = run.folder.path() / "ema" / "step-00000375.safetensors";
  flip(damaged, fs::file_size(damaged) - 3, 4);
  std::vector<std::string> warnings;
  const RebuiltAverage found = rebuild_average(
      run.folder.path(), kSteps, 0.075, [&](const std::string& text) { warnings.push_back(text); });
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("step-00000375.safetensors] expected SHA-256"));
  EXPECT_LT(distance(found.weights[1].second, KnownRun::by_hand(0.075, kSteps, 10)), 1e-2);
}

TEST(RebuiltAverage, NeedsASnapshot) {
  const KnownRun run;
  EXPECT_THAT(message_of<ArgumentError>([&] { rebuilt(run, 0.1, kEvery - 1); }),
              HasSubstr("expected snapshots of averages up to step 24"));
  cut_snapshots(run.folder.path(), 0);
  EXPECT_THROW(rebuilt(run, 0.1), ArgumentError);
}

TEST(Snapshots, AreSmallAndEqualForEqualStates) {
  const RunFolder one;
  const RunFolder two;
  const TrainingState state = varied_state(40, 0, {0.05, 0.1});
  save_snapshot(one.path(), state);
  save_snapshot(two.path(), state);
  const char* name = "step-00000040.safetensors";
  EXPECT_EQ(entries(one.path() / "ema"), std::vector<std::string>{name});
  EXPECT_EQ(read_bytes(one.path() / "ema" / name), read_bytes(two.path() / "ema" / name));
}

TEST(Snapshots, KeepNumbersThatFloat16CannotHold) {
  const RunFolder run;
  TrainingState state = varied_state(40, 0, {0.05, 0.1});
  for (at::Tensor& tracked : state.parameters[1].tracked) tracked.fill_(1e6);
  save_snapshot(run.path(), state);
  const RebuiltAverage found = rebuild_average(run.path(), 40, 0.05, nullptr);
  EXPECT_NEAR(found.weights[1].second[0].item<float>(), 1e6, 1);
}

TEST(Snapshots, AreNotThereWhereNothingIsTracked) {
  const RunFolder run;
  save_snapshot(run.path(), varied_state(40));
  EXPECT_FALSE(fs::exists(run.path() / "ema"));
}

TEST(Snapshots, OfStepsThatWereTakenBackAreRemoved) {
  const KnownRun run;
  cut_snapshots(run.folder.path(), 60);
  EXPECT_EQ(entries(run.folder.path() / "ema"),
            (std::vector<std::string>{"step-00000025.safetensors", "step-00000050.safetensors"}));
}

}  // namespace
}  // namespace tinta::training
