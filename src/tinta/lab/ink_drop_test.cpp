#include "tinta/lab/ink_drop.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tinta/lab/ink_shape.h"
#include "tinta/lab/lab_testing.h"
#include "tinta/lab/verdicts.h"

namespace tinta::lab {
namespace {

// Errors of the row's own checks are 6e-7 a check; the seeds here are fixed.
constexpr InkDrop kSmall{.particles = 20'000, .steps = 50, .frames = 0};

Result run(const InkDrop& drop) {
  Context context{.seed = 3, .effort = Effort::quick};
  return ink_drop(context, drop);
}

TEST(InkDrop, DropKeepsItsMarginFromEveryWall) {
  const at::Tensor points = ink_drop_points(20'000, 1);
  const at::Tensor low = std::get<0>(points.min(0)), high = std::get<0>(points.max(0));
  EXPECT_GE(low.min().item<double>(), kInkMargin);
  EXPECT_LE(high[0].item<double>(), 1 - kInkMargin);
  EXPECT_LE(high[1].item<double>(), kGlassHeight - kInkMargin);
}

TEST(InkDrop, FirstPointsDoNotDependOnHowManyThereAre) {
  EXPECT_TRUE(at::equal(ink_drop_points(100, 5), ink_drop_points(5000, 5).slice(0, 0, 100)));
}

TEST(InkDrop, LawsHoldAndWallsLoseNoParticle) {
  const Result result = run(kSmall);
  EXPECT_EQ(failing(result), std::vector<std::string>{});
  EXPECT_EQ(result.checks.back().value, 20'000);
}

TEST(InkDrop, SlopeIsRecomputedFromTheArrays) {
  const Result result = run(kSmall);
  const at::Tensor t = result.arrays.at("free_time");
  const at::Tensor y = result.arrays.at("free_displacement").mean(0);
  const at::Tensor centred = t - t.mean();
  const double slope = ((centred * y).sum() / (centred * centred).sum()).item<double>();
  EXPECT_NEAR(result.checks.front().value, slope / 4, 1e-12);
}

TEST(InkDrop, TenPercentMoreNoiseBreaksDisplacementAndDecay) {
  InkDrop drop = kSmall;
  drop.noise_factor = 1.1;
  const Result result = run(drop);
  EXPECT_FALSE(result.checks[0].pass());
  EXPECT_FALSE(result.checks[2].pass());
}

TEST(InkDrop, WithoutWallsParticlesAreLostAndNothingIsUniform) {
  InkDrop drop = kSmall;
  drop.walls = physics::Walls::Kind::none;
  const Result result = run(drop);
  EXPECT_FALSE(result.checks[3].pass());
  EXPECT_FALSE(result.checks[4].pass());
}

TEST(InkDrop, InkThatHasNotSpreadIsNotUniform) {
  InkDrop drop = kSmall;
  drop.end = 0.05;
  EXPECT_FALSE(run(drop).checks[3].pass());
}

TEST(InkDrop, StopsWhenAsked) {
  Context context{.effort = Effort::quick, .stop = [] { return true; }};
  EXPECT_TRUE(ink_drop(context, kSmall).checks.empty());
}

}  // namespace
}  // namespace tinta::lab
