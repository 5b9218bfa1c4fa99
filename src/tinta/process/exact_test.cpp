#include "tinta/process/exact.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tinta/core/error.h"

namespace tinta::process {
namespace {

constexpr double kPi = 3.14159265358979323846;

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

GaussianMixtureDenoiser mixture_1d() {
  return {doubles({0.2, 0.5, 0.3}), doubles({-1.0, 0.1, 0.9}).reshape({3, 1}),
          doubles({0.1, 0.3, 0.05})};
}

double density_1d(double x0) {
  const double w[] = {0.2, 0.5, 0.3}, mu[] = {-1.0, 0.1, 0.9}, sigma[] = {0.1, 0.3, 0.05};
  double sum = 0;
  for (int k = 0; k < 3; ++k) {
    const double z = (x0 - mu[k]) / sigma[k];
    sum += w[k] * std::exp(-z * z / 2) / (sigma[k] * std::sqrt(2 * kPi));
  }
  return sum;
}

std::vector<NoiseLevel> levels() {
  const VpSchedule schedule(LinearBeta{});
  return {schedule.level(10), schedule.level(200), schedule.level(600), schedule.level(1000),
          NoiseLevel{.a = 1, .s = 2}};
}

// E[x_0 | x_t] and q(x_t) as integrals over x_0, by the trapezoidal rule at a hundredth of the
// narrowest width.
TEST(GaussianMixtureDenoiser, IsTheIntegralOverX0) {
  const GaussianMixtureDenoiser denoiser = mixture_1d();
  for (const NoiseLevel& level : levels()) {
    for (const double xt : {-1.3, 0.0, 0.4, 1.1}) {
      const double h = std::min(0.05, level.s / level.a) / 100;
      double zeroth = 0, first = 0;
      for (double x0 = -4; x0 <= 4; x0 += h) {
        const double z = (xt - level.a * x0) / level.s;
        const double joint = density_1d(x0) * std::exp(-z * z / 2) / (level.s * std::sqrt(2 * kPi));
        zeroth += joint * h, first += joint * x0 * h;
      }
      const at::Tensor x = doubles({xt}).reshape({1, 1});
      EXPECT_NEAR(denoiser.predict(x, level).item<double>(), first / zeroth, 1e-9);
      EXPECT_NEAR(denoiser.log_density(x, level).item<double>(), std::log(zeroth), 1e-9);
    }
  }
}

TEST(GaussianMixtureDenoiser, ScoreIsTheGradientOfLogDensity) {
  const GaussianMixtureDenoiser denoiser(
      doubles({0.4, 0.6}), doubles({-0.5, 0.3, 0.8, -0.2}).reshape({2, 2}), doubles({0.2, 0.4}));
  const at::Tensor x = doubles({0.1, -0.7, 1.2, 0.4, -0.3, 0.0}).reshape({3, 2});
  const double h = 1e-5;
  for (const NoiseLevel& level : levels()) {
    const at::Tensor score = denoiser.score(x, level);
    for (int d = 0; d < 2; ++d) {
      at::Tensor step = at::zeros({1, 2}, at::kDouble);
      step[0][d] = h;
      const at::Tensor slope =
          (denoiser.log_density(x + step, level) - denoiser.log_density(x - step, level)) / (2 * h);
      EXPECT_LT((score.select(1, d) - slope).abs().max().item<double>(), 1e-6);
    }
  }
}

TEST(GaussianMixtureDenoiser, OneGaussianShrinksTowardsItsMean) {
  const GaussianMixtureDenoiser denoiser(doubles({1}), doubles({0.5}).reshape({1, 1}),
                                         doubles({0.3}));
  const NoiseLevel level{.a = 0.6, .s = 0.8};
  const double gain = 0.6 * 0.09 / (0.36 * 0.09 + 0.64);
  const at::Tensor x = doubles({-1, 0, 2}).reshape({3, 1});
  const at::Tensor expected = 0.5 + gain * (x - 0.6 * 0.5);
  EXPECT_LT((denoiser.predict(x, level) - expected).abs().max().item<double>(), 1e-14);
  EXPECT_LT((denoiser.predict(x, NoiseLevel{}) - x).abs().max().item<double>(), 1e-14)
      << "clean data is its own estimate";
}

TEST(GaussianMixtureDenoiser, EveryFormExplainsXt) {
  const GaussianMixtureDenoiser denoiser = mixture_1d();
  const at::Tensor x = doubles({-0.4, 0.6}).reshape({2, 1});
  const NoiseLevel level = VpSchedule(LinearBeta{}).level(300);
  const at::Tensor x0 = denoiser.x0(x, level), eps = denoiser.eps(x, level);
  EXPECT_LT((level.a * x0 + level.s * eps - x).abs().max().item<double>(), 1e-13);
  EXPECT_LT((level.a * eps - level.s * x0 - denoiser.v(x, level)).abs().max().item<double>(),
            1e-13);
  EXPECT_LT((denoiser.score(x, level) * -level.s - eps).abs().max().item<double>(), 1e-13);
}

TEST(GaussianMixtureDenoiser, KeepsShapeAndDtypeOfXt) {
  const GaussianMixtureDenoiser denoiser = finite_set_denoiser(at::ones({3, 1, 2, 2}));
  const at::Tensor x0 = denoiser.predict(at::zeros({5, 1, 2, 2}), NoiseLevel{.a = 0.6, .s = 0.8});
  EXPECT_EQ(x0.sizes(), at::IntArrayRef({5, 1, 2, 2}));
  EXPECT_EQ(x0.scalar_type(), at::kFloat);
}

TEST(FiniteSetDenoiser, IsASoftmaxWeightedMeanOfThePoints) {
  const at::Tensor points =
      doubles({0.2, -0.4, 0.9, -0.9, 0.5, 0.5, 0.1, 0.0, -0.6, 0.3, 0.3, -0.2}).reshape({4, 3});
  const at::Tensor x = doubles({0.3, 0.2, -0.5, -1.0, 0.7, 0.1}).reshape({2, 3});
  const GaussianMixtureDenoiser denoiser = finite_set_denoiser(points);
  for (const NoiseLevel& level : levels()) {
    const at::Tensor x0 = denoiser.predict(x, level);
    for (int b = 0; b < 2; ++b) {
      std::vector<double> exponents(4);
      for (int n = 0; n < 4; ++n) {
        exponents[static_cast<std::size_t>(n)] =
            -(x[b] - level.a * points[n]).square().sum().item<double>() / (2 * level.s * level.s);
      }
      const double top = *std::max_element(exponents.begin(), exponents.end());
      at::Tensor expected = at::zeros({3}, at::kDouble);
      double total = 0;
      for (int n = 0; n < 4; ++n) {
        const double weight = std::exp(exponents[static_cast<std::size_t>(n)] - top);
        expected += weight * points[n], total += weight;
      }
      EXPECT_LT((x0[b] - expected / total).abs().max().item<double>(), 1e-12);
    }
  }
}

TEST(FiniteSetDenoiser, FindsThePointBehindALittleNoise) {
  const at::Tensor points = at::eye(784, at::kDouble).narrow(0, 0, 20) * 0.1;
  const NoiseLevel level = VpSchedule(LinearBeta{}).level(1);
  const at::Tensor x0 = finite_set_denoiser(points).predict(points * level.a, level);
  EXPECT_LT((x0 - points).abs().max().item<double>(), 1e-12);
}

TEST(GaussianMixtureDenoiser, RefusesWhatIsNotAMixture) {
  const at::Tensor w = doubles({0.5, 0.5}), mu = at::zeros({2, 1}, at::kDouble),
                   s = doubles({1, 1});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(GaussianMixtureDenoiser(doubles({0.5, 0.4}), mu, s), ArgumentError);
  EXPECT_THROW(GaussianMixtureDenoiser(doubles({1, 0}), mu, s), ArgumentError);
  EXPECT_THROW(GaussianMixtureDenoiser(w, mu, doubles({1, -1})), ArgumentError);
  EXPECT_THROW(GaussianMixtureDenoiser(w, mu, doubles({1, nan})), ArgumentError);
  EXPECT_THROW(GaussianMixtureDenoiser(w, at::zeros({2}), s), ArgumentError);
  EXPECT_THROW(GaussianMixtureDenoiser(doubles({1}), mu, s), ArgumentError);
  EXPECT_THROW(GaussianMixtureDenoiser(w, mu * nan, s), ArgumentError);
  EXPECT_THROW(finite_set_denoiser(at::zeros({0, 2})), ArgumentError);
  const GaussianMixtureDenoiser denoiser(w, mu, s);
  EXPECT_THROW((void)denoiser.predict(at::zeros({3, 2}), NoiseLevel{}), ArgumentError);
  EXPECT_THROW((void)denoiser.score(at::zeros({3, 1}), NoiseLevel{}), ArgumentError);
  EXPECT_THROW(
      (void)finite_set_denoiser(at::zeros({2, 1})).predict(at::zeros({3, 1}), NoiseLevel{}),
      ArgumentError)
      << "a point at no noise has no density";
}

}  // namespace
}  // namespace tinta::process
