#include "tinta/process/edm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"
#include "tinta/core/statistics.h"
#include "tinta/process/exact.h"
#include "tinta/process/prediction.h"

namespace tinta::process {
namespace {

config::ProcessConfig edm(std::int64_t steps) { return {.schedule = "edm", .steps = steps}; }

NoiseLevel level_at(double sigma, double data = 0.5) {
  return {.a = 1, .s = sigma, .time = 0, .data = data};
}

TEST(Preconditioning, IsTableOneOfThePaper) {
  for (const double sigma : {0.002, 0.1, 0.5, 3.0, 80.0}) {
    const double data = 0.5, d2 = sigma * sigma + data * data;
    const Preconditioning c = preconditioning(level_at(sigma, data));
    EXPECT_NEAR(c.c_skip, data * data / d2, 1e-15);
    EXPECT_NEAR(c.c_out, sigma * data / std::sqrt(d2), 1e-15);
    EXPECT_NEAR(c.c_in, 1 / std::sqrt(d2), 1e-15);
    // lambda(sigma) c_out^2 = 1: no level weighs more than another.
    EXPECT_NEAR(d2 / (sigma * data * sigma * data) * c.c_out * c.c_out, 1, 1e-12);
  }
}

// Input and target of unit variance, and D = c_skip x + c_out F, for independent x_0 and eps of
// variances data^2 and 1: sums of squares of their coefficients, whatever a and s are.
TEST(Preconditioning, InputAndTargetHaveUnitVariance) {
  for (const NoiseLevel& level :
       {level_at(0.01), level_at(2.5), NoiseLevel{.a = 0.6, .s = 0.8, .time = 0, .data = 0.3}}) {
    const Preconditioning c = preconditioning(level);
    const double data2 = level.data * level.data;
    EXPECT_NEAR(c.c_in * c.c_in * (level.a * level.a * data2 + level.s * level.s), 1, 1e-14);
    EXPECT_NEAR(c.on_x0 * c.on_x0 * data2 + c.on_eps * c.on_eps, 1, 1e-14);
    // x_0 = c_skip (a x_0 + s eps) + c_out (on_x0 x_0 + on_eps eps), coefficient by coefficient.
    EXPECT_NEAR(c.c_skip * level.a + c.c_out * c.on_x0, 1, 1e-14);
    EXPECT_NEAR(c.c_skip * level.s + c.c_out * c.on_eps, 0, 1e-14);
  }
}

// Section B.6 asks for the c_skip that makes c_out least, the error of the network that reaches D.
TEST(Preconditioning, CskipMakesCoutLeast) {
  const double data = 0.5;
  for (const double sigma : {0.05, 0.7, 20.0}) {
    const Preconditioning c = preconditioning(level_at(sigma, data));
    // The variance of (x_0 - c_skip x), which c_out must bring to 1.
    const auto variance = [&](double skip) {
      return (1 - skip) * (1 - skip) * data * data + skip * skip * sigma * sigma;
    };
    EXPECT_NEAR(variance(c.c_skip), c.c_out * c.c_out, 1e-14);
    EXPECT_GT(variance(c.c_skip + 1e-3), c.c_out * c.c_out);
    EXPECT_GT(variance(c.c_skip - 1e-3), c.c_out * c.c_out);
  }
}

TEST(Preconditioning, OfAVariancePreservingProcessAndUnitDataIsMinusV) {
  const NoiseLevel level{.a = 0.6, .s = 0.8};
  const at::Tensor x0 = at::tensor({0.8, -0.3}, at::kDouble);
  const at::Tensor eps = at::tensor({-1.2, 0.4}, at::kDouble);
  const Preconditioning c = preconditioning(level);
  const at::Tensor v = level.a * eps - level.s * x0;
  EXPECT_LT((c.on_x0 * x0 + c.on_eps * eps + v).abs().max().item<double>(), 1e-15);
}

// The network that knows nothing, F = 0, is the exact denoiser of N(0, data^2); of a spread tau it
// is F = x (tau^2 / (tau^2 + sigma^2) - c_skip) / c_out.
TEST(Preconditioning, GaussianPicturesHaveTheFOfTheirSpread) {
  const at::Tensor x = at::tensor({0.4, -2.0, 7.0}, at::kDouble).reshape({3, 1});
  const auto gaussian = [](double tau) {
    return GaussianMixtureDenoiser(at::ones({1}), at::zeros({1, 1}),
                                   at::full({1}, tau, at::kDouble));
  };
  for (const double sigma : {0.02, 0.5, 10.0}) {
    const NoiseLevel level = level_at(sigma);
    const auto f_of = [&](double tau) {
      return convert(gaussian(tau).predict(x, level), Prediction::x0, Prediction::edm, x, level);
    };
    EXPECT_LT(f_of(0.5).abs().max().item<double>(), 1e-12);
    const double tau = 0.2, c_skip = 0.25 / (0.25 + sigma * sigma);
    const double c_out = sigma * 0.5 / std::sqrt(0.25 + sigma * sigma);
    const double slope = (tau * tau / (tau * tau + sigma * sigma) - c_skip) / c_out;
    EXPECT_LT((f_of(tau) - x * slope).abs().max().item<double>(), 1e-11) << sigma;
  }
}

TEST(Preconditioning, RefusesWhatHasNoScale) {
  EXPECT_THROW(preconditioning(level_at(1, 0)), ArgumentError);
  EXPECT_THROW(preconditioning({.a = 0, .s = 0}), ArgumentError);
  EXPECT_THROW(preconditioning({.a = 1, .s = -1}), ArgumentError);
}

TEST(EdmSchedule, StepsAreSpreadByRho) {
  const EdmSchedule schedule(edm(18));
  EXPECT_EQ(schedule.steps(), 18);
  EXPECT_EQ(schedule.sigma(18), 80);
  EXPECT_EQ(schedule.sigma(1), 0.002);
  EXPECT_EQ(schedule.sigma(0), 0);
  // Even in sigma^(1/7): second differences vanish.
  for (int t = 2; t < 18; ++t) {
    const auto root = [&](int step) { return std::pow(schedule.sigma(step), 1.0 / 7); };
    EXPECT_NEAR(root(t + 1) - 2 * root(t) + root(t - 1), 0, 1e-13);
  }
  EXPECT_EQ(EdmSchedule(edm(1)).sigma(1), 80);
  EXPECT_THROW((void)schedule.sigma(19), ArgumentError);
  EXPECT_THROW((void)schedule.sigma(-1), ArgumentError);
}

TEST(EdmSchedule, TheNetworkIsToldAQuarterOfTheLogarithm) {
  const EdmSchedule schedule(edm(10));
  for (int t = 1; t <= 10; ++t) {
    const NoiseLevel level = schedule.level(t);
    EXPECT_EQ(level.a, 1);
    EXPECT_NEAR(std::exp(4 * level.time), level.s, 1e-12 * level.s);
    EXPECT_NEAR(schedule.alpha_bar(t), level.a * level.a / (level.a * level.a + level.s * level.s),
                1e-15);
  }
  EXPECT_TRUE(std::isfinite(schedule.level(0).time));
}

// Gaussian factors multiply, so precisions add: q(x_s | x_t, x_0) ~ q(x_t | x_s) q(x_s | x_0).
TEST(EdmSchedule, PosteriorPrecisionIsTheSumOfItsFactors) {
  const EdmSchedule schedule(edm(40));
  for (int t = 2; t <= 40; ++t) {
    for (const int s : {1, t / 2, t - 1}) {
      if (s < 1 || s >= t) continue;
      const Transition jump = schedule.transition(s, t);
      const PosteriorCoefficients q = schedule.posterior(s, t);
      const double prior = 1 / (schedule.sigma(s) * schedule.sigma(s));
      EXPECT_NEAR(q.variance * (1 / jump.variance + prior), 1, 1e-12);
      EXPECT_NEAR(q.on_xt, q.variance / jump.variance, 1e-12);
      EXPECT_NEAR(q.on_x0, q.variance * prior, 1e-12);
    }
  }
  EXPECT_EQ(schedule.posterior(0, 5).variance, 0);
  EXPECT_EQ(schedule.posterior(0, 5).on_x0, 1);
  EXPECT_THROW((void)schedule.transition(3, 3), ArgumentError);
}

// Kolmogorov's distance of 4000 draws exceeds this once in a million seeds.
TEST(EdmSchedule, TrainingDrawsLogSigmaFromItsNormal) {
  config::ProcessConfig config = edm(10);
  config.log_sigma_mean = -0.4;
  config.log_sigma_std = 0.7;
  const EdmSchedule schedule(config);
  EXPECT_EQ(schedule.training_levels(), 1 << 30);
  std::vector<double> logs;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const auto k = 1 + static_cast<int>(random_below({.seed = 3, .sample = i}, 1U << 30));
    const NoiseLevel level = schedule.training_level(k);
    EXPECT_NEAR(level.time, std::log(level.s) / 4, 1e-14);
    EXPECT_EQ(level.data, 0.5);
    logs.push_back(std::log(level.s));
  }
  std::sort(logs.begin(), logs.end());
  EXPECT_LT(ks_distance(logs, [](double x) { return normal_cdf((x + 0.4) / 0.7); }),
            ks_critical(4000, 1e-6));
  EXPECT_LT(schedule.training_level(1).s, schedule.training_level(2).s);
  EXPECT_NEAR(std::log(schedule.training_level((1 << 29)).s), -0.4, 1e-8);
  EXPECT_THROW((void)schedule.training_level(0), ArgumentError);
}

TEST(EdmSchedule, RefusesWhatItsRulesForbid) {
  const auto with = [](auto&& change) {
    config::ProcessConfig config = edm(10);
    change(config);
    return config;
  };
  EXPECT_THROW(EdmSchedule(with([](auto& c) { c.steps = 0; })), ArgumentError);
  EXPECT_THROW(EdmSchedule(with([](auto& c) { c.sigma_min = 0; })), ArgumentError);
  EXPECT_THROW(EdmSchedule(with([](auto& c) { c.sigma_max = 0.001; })), ArgumentError);
  EXPECT_THROW(EdmSchedule(with([](auto& c) { c.rho = 0; })), ArgumentError);
  EXPECT_THROW(EdmSchedule(with([](auto& c) { c.sigma_data = NAN; })), ArgumentError);
}

TEST(MakeSchedule, ASamplerOfEdmWalksAsManyStepsAsItIsToTake) {
  EXPECT_EQ(make_schedule(edm(1000))->steps(), 1000);
  const auto walked = make_sampling_schedule(edm(1000), 18);
  EXPECT_EQ(walked->steps(), 18);
  EXPECT_EQ(walked->prior_deviation(), 80);
  const auto vp = make_sampling_schedule({.steps = 1000}, 18);
  EXPECT_EQ(vp->steps(), 1000);
  EXPECT_EQ(vp->prior_deviation(), 1);
}

}  // namespace
}  // namespace tinta::process
