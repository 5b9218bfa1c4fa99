#include "tinta/process/variational.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/statistics.h"

namespace tinta::process {
namespace {

double log_normal(double x, double mean, double variance) {
  return -(x - mean) * (x - mean) / (2 * variance) - std::log(2 * std::numbers::pi * variance) / 2;
}

/// KL in one dimension as the integral that it is.
double kl_by_quadrature(double mean_q, double variance_q, double mean_p, double variance_p) {
  const double reach = 12 * std::sqrt(variance_q);
  return trapezoid(
      [&](double x) {
        const double log_q = log_normal(x, mean_q, variance_q);
        return std::exp(log_q) * (log_q - log_normal(x, mean_p, variance_p));
      },
      mean_q - reach, mean_q + reach, 96);
}

at::Tensor rows(std::vector<double> values) {
  return at::tensor(values, at::kDouble).reshape({-1, 1});
}

TEST(GaussianKl, IsItsIntegral) {
  EXPECT_NEAR(gaussian_kl(0.3 * 0.3, 1, 0.5, 0.8), kl_by_quadrature(0.1, 0.5, 0.4, 0.8), 1e-13);
  EXPECT_NEAR(gaussian_kl(0, 1, 1.7, 0.2), kl_by_quadrature(1, 1.7, 1, 0.2), 1e-13);
  EXPECT_EQ(gaussian_kl(0, 5, 2, 2), 0);
  EXPECT_DOUBLE_EQ(gaussian_kl(1, 7, 0.5, 0.8),
                   gaussian_kl(1, 0, 0.5, 0.8) + 7 * gaussian_kl(0, 1, 0.5, 0.8));
  EXPECT_THROW((void)gaussian_kl(-1, 1, 1, 1), ArgumentError);
  EXPECT_THROW((void)gaussian_kl(1, 1, 1, 0), ArgumentError);
}

class Bound : public testing::TestWithParam<ReverseVariance> {
 protected:
  [[nodiscard]] VariationalBound bound() const { return {schedule_, GetParam()}; }
  VpSchedule schedule_{LinearBeta{.steps = 50}};
};

TEST_P(Bound, TermsAreTheirIntegrals) {
  const double x0 = 0.8, x_t = -0.3, eps = 0.6;
  for (const int t : {2, 7, 50}) {
    const PosteriorCoefficients q = schedule_.posterior(t);
    const double mean =
        (x_t - schedule_.beta(t) / schedule_.level(t).s * eps) / std::sqrt(schedule_.alpha(t));
    EXPECT_NEAR(
        bound().transition(t, rows({x0}), rows({x_t}), rows({eps})).item<double>() /
            kl_by_quadrature(q.on_x0 * x0 + q.on_xt * x_t, q.variance, mean, bound().variance(t)),
        1, 1e-10)
        << t;
  }
  const NoiseLevel last = schedule_.level(50);
  EXPECT_NEAR(bound().prior(rows({x0})).item<double>(),
              kl_by_quadrature(last.a * x0, last.s * last.s, 0, 1), 1e-13);
  const double mean = (x_t - schedule_.level(1).s * eps) / std::sqrt(schedule_.alpha(1));
  EXPECT_NEAR(bound().reconstruction(rows({x0}), rows({x_t}), rows({eps})).item<double>(),
              -log_normal(x0, mean, bound().variance(1)), 1e-9);
}

// Thesis eq. 2.19, with the constant that 2.13 drops.
TEST_P(Bound, TransitionIsTheWeightedErrorOfTheNoise) {
  const at::Tensor x0 = rows({0.8, -0.4}), eps = rows({1.2, -0.7}), guess = rows({0.9, 0.1});
  for (const int t : {2, 7, 50}) {
    const NoiseLevel level = schedule_.level(t);
    const at::Tensor expected =
        (eps - guess).square().sum(1) * bound().weight(t) + bound().constant(t, 1);
    const at::Tensor term = bound().transition(t, x0, x0 * level.a + eps * level.s, guess);
    EXPECT_TRUE(at::allclose(term, expected, 1e-9, 1e-12)) << t;
  }
}

TEST_P(Bound, AddsDimensions) {
  const at::Tensor x0 = rows({0.8, -0.4}), eps = rows({1.2, -0.7});
  const auto joint = [](const at::Tensor& x) { return x.reshape({1, 2, 1}); };
  EXPECT_NEAR(bound().transition(9, joint(x0), joint(eps), joint(eps)).item<double>(),
              bound().transition(9, x0, eps, eps).sum().item<double>(), 1e-12);
  EXPECT_NEAR(bound().prior(joint(x0)).item<double>(), bound().prior(x0).sum().item<double>(),
              1e-12);
  EXPECT_NEAR(bound().reconstruction(joint(x0), joint(x0), joint(eps)).item<double>(),
              bound().reconstruction(x0, x0, eps).sum().item<double>(), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Variances, Bound,
                         testing::Values(ReverseVariance::beta, ReverseVariance::posterior));

TEST(VariationalBound, WeightIsThatOfThesisEquation219) {
  const VpSchedule schedule(LinearBeta{.steps = 100});
  const VariationalBound bound(schedule, ReverseVariance::beta);
  for (int t = 1; t <= 100; ++t) {
    const double s = schedule.level(t).s;
    EXPECT_NEAR(bound.weight(t) * 2 * schedule.alpha(t) * s * s / schedule.beta(t), 1, 1e-14);
  }
}

TEST(VariationalBound, PosteriorVarianceHasNoConstant) {
  const VpSchedule schedule(LinearBeta{.steps = 100});
  const VariationalBound posterior(schedule, ReverseVariance::posterior);
  const VariationalBound beta(schedule, ReverseVariance::beta);
  for (int t = 2; t <= 100; ++t) {
    EXPECT_EQ(posterior.constant(t, 3), 0);
    EXPECT_GT(beta.constant(t, 3), 0);
  }
  EXPECT_EQ(posterior.variance(1), posterior.variance(2));
  const VpSchedule one(LinearBeta{.steps = 1});
  EXPECT_EQ(VariationalBound(one, ReverseVariance::posterior).variance(1), one.beta(1));
}

// For x_0 ~ N(0, 1) the reverse step is Gaussian with variance beta_t, so that the bound with the
// exact mean is the entropy of x_0. The mean over x_0 and eps is of squares: by hand.
TEST(VariationalBound, IsTightForUnitGaussianData) {
  const VpSchedule schedule(LinearBeta{.steps = 40, .start = 0.01, .end = 0.3});
  const VariationalBound bound(schedule, ReverseVariance::beta);
  // E[eps | x_t] = s x_t, so E (eps - s x_t)^2 = 1 - s^2 = a^2.
  const NoiseLevel last = schedule.level(40), first = schedule.level(1);
  double sum = last.a * last.a / 2 + gaussian_kl(0, 1, last.s * last.s, 1);
  for (int t = 2; t <= 40; ++t) {
    const double a = schedule.level(t).a;
    sum += bound.weight(t) * a * a + bound.constant(t, 1);
  }
  sum +=
      bound.weight(1) * first.a * first.a + std::log(2 * std::numbers::pi * bound.variance(1)) / 2;
  EXPECT_NEAR(sum, std::log(2 * std::numbers::pi * std::numbers::e) / 2, 1e-12);
}

TEST(VariationalBound, RefusesWhatDoesNotFit) {
  const VpSchedule schedule(LinearBeta{.steps = 10});
  const VariationalBound bound(schedule, ReverseVariance::beta);
  const at::Tensor x = rows({0, 1}), other = rows({0, 1, 2});
  EXPECT_THROW((void)bound.transition(1, x, x, x), ArgumentError);
  EXPECT_THROW((void)bound.transition(11, x, x, x), ArgumentError);
  EXPECT_THROW((void)bound.transition(2, x, other, x), ArgumentError);
  EXPECT_THROW((void)bound.transition(2, x, x, other), ArgumentError);
  EXPECT_THROW((void)bound.reconstruction(x, x, x.to(at::kLong)), ArgumentError);
  EXPECT_THROW((void)bound.prior(at::zeros({}, at::kDouble)), ArgumentError);
  EXPECT_THROW((void)bound.weight(0), ArgumentError);
  EXPECT_THROW((void)bound.constant(1, 1), ArgumentError);
}

}  // namespace
}  // namespace tinta::process
