#include "tinta/lab/reverse_forms.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/write.h"
#include "tinta/process/variational.h"

namespace tinta::lab {
namespace {

Context quick(std::int64_t steps, std::vector<std::string> overrides = {}) {
  return {.effort = Effort::quick, .steps = steps, .overrides = std::move(overrides)};
}

const Check& check(const Result& result, const std::string& words) {
  for (const Check& one : result.checks) {
    if (one.what.find(words) != std::string::npos) return one;
  }
  throw std::runtime_error("no check of " + words);
}

TEST(PosteriorRow, HoldsForEitherScheduleAndAnyLength) {
  for (const Context& context : {quick(100), quick(2), quick(50, {"process.schedule=cosine"})}) {
    const Result result = posterior(context);
    EXPECT_EQ(status_of(result), Status::pass) << to_text("posterior", result);
  }
  EXPECT_THROW((void)posterior(quick(1)), ArgumentError);
}

TEST(PosteriorRow, ArraysGiveItsErrors) {
  const Result result = posterior(quick(30));
  const auto& arrays = result.arrays;
  const at::Tensor mean = arrays.at("on_x0").reshape({-1, 1, 1}) * arrays.at("x0").reshape({3, 1}) +
                          arrays.at("on_xt").reshape({-1, 1, 1}) * arrays.at("x_t");
  EXPECT_NEAR(check(result, "mean by lab eq. 4").value,
              (mean - arrays.at("bayes_mean")).abs().max().item<double>(), 1e-16);
  EXPECT_NEAR(
      check(result, "lab eq. 3").value,
      (arrays.at("beta").reshape({-1, 1, 1}) / arrays.at("bayes_variance")).max().item<double>(),
      1e-9);
}

TEST(PosteriorRow, FailsForThesisEquation211AsPrinted) {
  const Result result = posterior(quick(100), printed_posterior);
  EXPECT_FALSE(check(result, "mean by lab eq. 4").pass());
  EXPECT_TRUE(check(result, "variance beta-tilde_t").pass());
}

TEST(PosteriorRow, FailsForTheVarianceOfLabEquation3) {
  const Result result = posterior(quick(100), [](const process::VpSchedule& schedule, int t) {
    process::PosteriorCoefficients q = schedule.posterior(t);
    q.variance = schedule.beta(t);
    return q;
  });
  EXPECT_FALSE(check(result, "variance beta-tilde_t").pass());
}

TEST(PosteriorRow, SeesACoefficientThatIsOffInTheSeventhDigit) {
  const Result result = posterior(quick(100), [](const process::VpSchedule& schedule, int t) {
    process::PosteriorCoefficients q = schedule.posterior(t);
    q.on_x0 *= 1 + 1e-7;
    return q;
  });
  EXPECT_EQ(status_of(result), Status::fail);
}

TEST(MeanForms, HoldsForEitherScheduleAndAnyLength) {
  for (const Context& context : {quick(1000), quick(2), quick(1000, {"process.schedule=cosine"})}) {
    const Result result = mean_forms(context);
    EXPECT_EQ(status_of(result), Status::pass) << to_text("mean-forms", result);
    for (const Check& one : result.checks) {
      for (const std::string& name : one.arrays) EXPECT_TRUE(result.arrays.contains(name)) << name;
    }
  }
  EXPECT_THROW((void)mean_forms(quick(1)), ArgumentError);
  EXPECT_THROW((void)mean_forms(quick(10000, {"process.beta_end=0.9"})), ArgumentError);
}

TEST(MeanForms, ArraysGiveItsErrors) {
  const Result result = mean_forms(quick(50));
  const auto column = [&](const std::string& name) { return result.arrays.at(name).unsqueeze(1); };
  const at::Tensor& x0 = result.arrays.at("x0");
  const at::Tensor& eps = result.arrays.at("eps");
  const at::Tensor x_t = column("a") * x0 + column("s") * eps;
  const at::Tensor by_eps = column("eps_on_xt") * x_t + column("eps_on_eps") * eps;
  const at::Tensor misprint = column("eps_on_xt") * x_t + column("misprint_on_eps") * eps;
  EXPECT_NEAR(check(result, "2.23").value, (misprint - by_eps).abs().max().item<double>(), 1e-12);
}

TEST(MeanForms, FailsWhenEitherFormIsBroken) {
  MeanFormulas printed = mean_formulas();
  printed.by_x0 = printed_posterior;
  EXPECT_EQ(status_of(mean_forms(quick(100), printed)), Status::fail);
  MeanFormulas misprint = mean_formulas();
  misprint.by_eps = [](const process::VpSchedule& schedule, int t) {
    const double alpha = schedule.alpha(t);
    return process::EpsMeanCoefficients{.on_xt = 1 / std::sqrt(alpha),
                                        .on_eps = -std::sqrt(1 - alpha) / std::sqrt(alpha)};
  };
  EXPECT_EQ(status_of(mean_forms(quick(100), misprint)), Status::fail);
}

TEST(LossWeights, HoldsForEitherSchedule) {
  for (const Context& context : {quick(30), quick(2), quick(30, {"process.schedule=cosine"})}) {
    const Result result = loss_weights(context);
    EXPECT_EQ(status_of(result), Status::pass) << to_text("loss-weights", result);
    for (const Check& one : result.checks) {
      for (const std::string& name : one.arrays) EXPECT_TRUE(result.arrays.contains(name)) << name;
    }
  }
  EXPECT_THROW((void)loss_weights(quick(1)), ArgumentError);
}

TEST(LossWeights, ArraysGiveItsWeights) {
  const Result result = loss_weights(quick(10));
  const auto& arrays = result.arrays;
  const at::Tensor weighted =
      arrays.at("weight") * arrays.at("exact_simple") + arrays.at("constant");
  EXPECT_TRUE(at::allclose(weighted, arrays.at("exact_kl"), 1e-8, 1e-12));
}

TEST(LossWeights, FailsWhenTheWeightIsBroken) {
  LossFormulas broken = loss_formulas();
  broken.weight = [](const process::VpSchedule& schedule, int t) {  // alpha_t left out
    const double s = schedule.level(t).s;
    return schedule.beta(t) / (2 * s * s);
  };
  const Result result = loss_weights(quick(10), broken);
  EXPECT_FALSE(check(result, "eq. 2.19").pass());
}

// Thesis eq. 2.13 as printed: without the constant.
TEST(LossWeights, FailsWhenATermLacksItsConstant) {
  LossFormulas broken = loss_formulas();
  broken.transition = [](const process::VpSchedule& schedule, int t, const at::Tensor& x0,
                         const at::Tensor& x_t, const at::Tensor& eps) {
    const process::VariationalBound bound(schedule, process::ReverseVariance::beta);
    return bound.transition(t, x0, x_t, eps) - bound.constant(t, 1);
  };
  const Result result = loss_weights(quick(10), broken);
  EXPECT_FALSE(check(result, "L_{t-1} of the program against integration").pass());
  EXPECT_FALSE(check(result, "draws").pass());
}

}  // namespace
}  // namespace tinta::lab
