#include "tinta/lab/optimise.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/lab/rows.h"

namespace tinta::lab {
namespace {

// The net learns just as well; the mean that is made of it is the printed one, eq. 2.23.
at::Tensor mean_as_printed(const process::VpSchedule& schedule, int t, const at::Tensor& x_t,
                           const at::Tensor& eps) {
  return (x_t - eps * (schedule.beta(t) / std::sqrt(1 - schedule.alpha(t)))) /
         std::sqrt(schedule.alpha(t));
}

Context brief() { return {.effort = Effort::quick, .steps = 40}; }

// The goal of 1% needs the whole quick training, which the integration test runs.
TEST(Optimise, TheDistanceFallsAndAllButTheGoalHoldsAfterFortySteps) {
  const Result result = optimise(brief());
  ASSERT_EQ(result.checks.size(), 9U);
  for (std::size_t i = 0; i < 9; i += 3) {
    EXPECT_LT(result.checks[i].value, 0.7) << result.checks[i].what;
    EXPECT_TRUE(result.checks[i + 1].pass()) << result.checks[i + 1].what;
    EXPECT_TRUE(result.checks[i + 2].pass()) << result.checks[i + 2].what;
  }
}

TEST(Optimise, ItsChecksFollowFromItsArrays) {
  const Result result = optimise(brief());
  const auto& a = result.arrays;
  const at::Tensor left = a.at("learned_10") - a.at("truth_10");
  EXPECT_NEAR(
      std::sqrt(left.square().sum(1).mean().item<double>()) / a.at("start_10").item<double>(),
      result.checks[0].value, 1e-12);
}

TEST(Optimise, WithTheMeanAsPrintedTheGoalIsOutOfReach) {
  const Result result = optimise_by(brief(), mean_as_printed);
  // A perfect net would leave |sqrt((1 - alpha_bar_t) / beta_t) - 1| of the start: 0.5 to 0.8.
  for (std::size_t i = 0; i < 9; i += 3) {
    EXPECT_FALSE(result.checks[i].pass());
    EXPECT_GT(result.checks[i].value, 0.4) << result.checks[i].what;
  }
}

}  // namespace
}  // namespace tinta::lab
