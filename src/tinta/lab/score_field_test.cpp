#include "tinta/lab/score_field.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tinta/lab/rows.h"
#include "tinta/physics/score_field.h"

namespace tinta::lab {
namespace {

// Off by the factor that stands between eps and the score.
at::Tensor score_without_its_scale(const process::Denoiser& denoiser,
                                   const process::NoiseLevel& level, const at::Tensor& points) {
  return physics::score_at(denoiser, level, points) * level.s;
}

TEST(ScoreField, PassesAndItsChecksFollowFromItsArrays) {
  const Result result = score_field({.effort = Effort::quick, .steps = 600});
  ASSERT_EQ(result.checks.size(), 4U);
  for (const Check& check : result.checks) {
    EXPECT_TRUE(check.pass()) << check.what << ": " << check.value << ", " << check.tolerance;
  }
  const auto& a = result.arrays;
  const at::Tensor weight = a.at("log_density").softmax(0);
  const auto square = [&](const at::Tensor& x) {
    return (weight * x.square().sum(1)).sum().item<double>();
  };
  const double error = square(a.at("score_learned") - a.at("score")) / square(a.at("score"));
  EXPECT_NEAR(error, result.checks[3].value * result.checks[3].value, 1e-12);
}

TEST(ScoreField, FailsWithAScoreOfAnotherScale) {
  const Result result =
      score_field_by({.effort = Effort::quick, .steps = 1}, score_without_its_scale);
  EXPECT_FALSE(result.checks[0].pass());
}

}  // namespace
}  // namespace tinta::lab
