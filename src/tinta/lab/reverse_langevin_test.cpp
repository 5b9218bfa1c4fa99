#include "tinta/lab/reverse_langevin.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/error.h"
#include "tinta/lab/densities.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/two_sample.h"

namespace tinta::lab {
namespace {

Context quick() { return {.effort = Effort::quick, .steps = 100}; }

TEST(ReverseLangevin, Passes) {
  const Result result = reverse_langevin(quick());
  ASSERT_EQ(result.checks.size(), 4U);
  for (const Check& check : result.checks) EXPECT_TRUE(check.pass()) << check.what << check.value;
}

TEST(ReverseLangevin, ItsChecksFollowFromItsArrays) {
  const Result result = reverse_langevin(quick());
  const auto& a = result.arrays;
  EXPECT_DOUBLE_EQ(
      projected_ks(a.at("samples"), a.at("data"), a.at("directions")).max().item<double>(),
      result.checks[0].value);
  EXPECT_NEAR((a.at("point_with_last_noise") - a.at("point")).square().mean().item<double>(),
              result.checks[2].value * 1e-3, 1e-12);
}

TEST(ReverseLangevin, FailsWithAlphaInPlaceOfAlphaBar) {
  const Result result = reverse_langevin_by(quick(), {.on_eps = on_eps_as_printed});
  EXPECT_FALSE(result.checks[0].pass());
  EXPECT_GT(result.checks[0].value, 1.3 * result.checks[0].tolerance);
}

TEST(ReverseLangevin, FailsWithNoiseAtTheLastStep) {
  const Result result = reverse_langevin_by(quick(), {.last = LastNoise::as_printed});
  EXPECT_TRUE(result.checks[2].pass());
  EXPECT_FALSE(result.checks[3].pass());
}

TEST(ReverseLangevin, RefusesAProcessWhoseBetasWouldReachOne) {
  Context context = quick();
  context.steps = 20;
  EXPECT_THROW(reverse_langevin(context), ArgumentError);
}

TEST(ReverseLangevin, TheTwoCoefficientsAgreeAtTheFirstStepAlone) {
  const process::VpSchedule schedule(process::LinearBeta{.steps = 50});
  EXPECT_NEAR(on_eps_corrected(schedule, 1), on_eps_as_printed(schedule, 1), 1e-15);
  for (int t = 2; t <= 50; ++t) {
    EXPECT_LT(on_eps_corrected(schedule, t), on_eps_as_printed(schedule, t));
  }
}

TEST(TwoSample, DistanceIsTheLargestGapBetweenTheStaircases) {
  const at::Tensor a = at::tensor({0.0, 1.0, 2.0, 3.0}, at::kDouble);
  const at::Tensor b = at::tensor({1.5, 2.5, 3.5, 4.5}, at::kDouble);
  const auto plane = [](const at::Tensor& x) { return at::stack({x, at::zeros_like(x)}, 1); };
  EXPECT_DOUBLE_EQ(projected_ks(plane(a), plane(b), spread_directions(1)).item<double>(), 0.5);
  EXPECT_DOUBLE_EQ(projected_ks(plane(b), plane(a), spread_directions(1)).item<double>(), 0.5);
  EXPECT_DOUBLE_EQ(projected_ks(plane(a), plane(a), spread_directions(1)).item<double>(), 0);
}

}  // namespace
}  // namespace tinta::lab
