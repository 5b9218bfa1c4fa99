#include "tinta/process/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <vector>

#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"

namespace tinta::process {
namespace {

struct Moments {
  double mean = 0;
  double variance = 0;
};

double log_normal(double x, double mean, double variance) {
  return -(x - mean) * (x - mean) / (2 * variance);
}

// Bayes' rule as it stands, with no algebra: q(x_t | x_{t-1}) q(x_{t-1} | x_0) on a grid of
// x_{t-1}. The trapezoidal rule converges faster than any power on a Gaussian: at a tenth of the
// narrower factor's deviation only rounding is left.
Moments posterior_by_quadrature(const VpSchedule& schedule, int t, double x0, double xt) {
  const double alpha = schedule.alpha(t), beta = schedule.beta(t);
  const double prior_mean = std::sqrt(schedule.alpha_bar(t - 1)) * x0;
  const double prior_variance = 1 - schedule.alpha_bar(t - 1);
  const double likely = xt / std::sqrt(alpha);
  const double narrow = std::sqrt(std::min(prior_variance, beta / alpha));
  const double low = std::min(prior_mean, likely) - 12 * narrow;
  const double high = std::max(prior_mean, likely) + 12 * narrow;
  const double h = narrow / 10;
  const auto log_product = [&](double x) {
    return log_normal(xt, std::sqrt(alpha) * x, beta) + log_normal(x, prior_mean, prior_variance);
  };
  double top = -std::numeric_limits<double>::infinity();
  for (double x = low; x <= high; x += h) top = std::max(top, log_product(x));
  double zeroth = 0, first = 0, second = 0;
  for (int i = 0; low + i * h <= high; ++i) {
    const double x = low + i * h, density = std::exp(log_product(x) - top);
    zeroth += density, first += density * x;
  }
  const double mean = first / zeroth;
  for (int i = 0; low + i * h <= high; ++i) {
    const double x = low + i * h;
    second += std::exp(log_product(x) - top) * (x - mean) * (x - mean);
  }
  return {mean, second / zeroth};
}

TEST(VpSchedule, LinearBetaStartsAtStartAndEndsAtEnd) {
  const VpSchedule schedule(LinearBeta{.steps = 1000, .start = 1e-4, .end = 0.02});
  EXPECT_EQ(schedule.steps(), 1000);
  EXPECT_EQ(schedule.beta(1), 1e-4);
  EXPECT_DOUBLE_EQ(schedule.beta(1000), 0.02);
  EXPECT_NEAR(schedule.beta(500) - schedule.beta(499), (0.02 - 1e-4) / 999, 1e-17);
  EXPECT_EQ(VpSchedule(LinearBeta{.steps = 1, .start = 0.3, .end = 0.5}).beta(1), 0.3);
}

// Nichol and Dhariwal's eq. 17, up to the last steps, where beta reaches its limit. What diffusers
// calls squaredcos_cap_v2 is the same: betas of 1 - f(t) / f(t-1), at most 0.999.
TEST(VpSchedule, CosineFollowsASquaredCosine) {
  const VpSchedule schedule(CosineBeta{.steps = 1000});
  const auto f = [](int t) {
    const double cosine = std::cos((t / 1000.0 + 0.008) / 1.008 * std::numbers::pi / 2);
    return cosine * cosine;
  };
  for (int t = 1; t <= 999; ++t) {
    EXPECT_NEAR(schedule.alpha_bar(t) / (f(t) / f(0)), 1, 1e-9) << t;
    EXPECT_NEAR(schedule.beta(t), 1 - f(t) / f(t - 1), 1e-12) << t;
  }
  EXPECT_EQ(schedule.beta(1000), 0.999);
  EXPECT_LT(schedule.alpha_bar(1000), 1e-8);
}

// The example of the paper's fig. 5: half of the variance is noise near the middle.
TEST(VpSchedule, CosineKeepsMoreSignalThanLinear) {
  const VpSchedule cosine(CosineBeta{}), linear(LinearBeta{});
  EXPECT_NEAR(cosine.alpha_bar(500), 0.49, 0.01);
  EXPECT_LT(linear.alpha_bar(500), 0.1);
  EXPECT_EQ(VpSchedule(CosineBeta{.steps = 1}).beta(1), 0.999);
}

// The product of thesis eq. 2.6 against a sum of logarithms in extended precision.
TEST(VpSchedule, RecursionsAgreeWithTheClosedForm) {
  const VpSchedule schedule(LinearBeta{});
  long double log_alpha_bar = 0;
  for (int t = 1; t <= schedule.steps(); ++t) {
    log_alpha_bar += std::log1p(-static_cast<long double>(schedule.beta(t)));
    const auto alpha_bar = static_cast<double>(std::exp(log_alpha_bar));
    const auto complement = static_cast<double>(-std::expm1(log_alpha_bar));
    EXPECT_NEAR(schedule.alpha_bar(t) / alpha_bar, 1, 2e-13) << t;
    EXPECT_NEAR(schedule.level(t).a / std::sqrt(alpha_bar), 1, 1e-13) << t;
    EXPECT_NEAR(schedule.level(t).s / std::sqrt(complement), 1, 1e-14) << t;
    EXPECT_NEAR(schedule.snr(t) * complement / alpha_bar, 1, 2e-13) << t;
  }
}

TEST(VpSchedule, CleanDataHasNoNoise) {
  const NoiseLevel clean = VpSchedule(LinearBeta{}).level(0);
  EXPECT_EQ(clean.a, 1);
  EXPECT_EQ(clean.s, 0);
  EXPECT_EQ(clean.time, 0);
  EXPECT_TRUE(std::isinf(clean.snr()));
}

TEST(VpSchedule, SignalToNoiseRatioFalls) {
  const VpSchedule schedule(LinearBeta{});
  for (int t = 2; t <= schedule.steps(); ++t) {
    EXPECT_LT(schedule.snr(t), schedule.snr(t - 1));
    EXPECT_NEAR(schedule.level(t).snr() / schedule.snr(t), 1, 1e-14);
  }
}

// Bayes without the closed form: Gaussian factors multiply, so precisions add and means weigh by
// precision.
TEST(VpSchedule, PosteriorPrecisionIsTheSumOfItsFactors) {
  const VpSchedule schedule(LinearBeta{.steps = 100});
  for (int t = 2; t <= schedule.steps(); ++t) {
    const double alpha = schedule.alpha_bar(t) / schedule.alpha_bar(t - 1);
    const double from_xt = alpha / (1 - alpha);
    const double from_x0 = 1 / (1 - schedule.alpha_bar(t - 1));
    const PosteriorCoefficients q = schedule.posterior(t);
    EXPECT_NEAR(q.variance * (from_xt + from_x0), 1, 1e-11);
    EXPECT_NEAR(q.on_xt, q.variance * from_xt / std::sqrt(alpha), 1e-11);
    EXPECT_NEAR(q.on_x0, q.variance * from_x0 * std::sqrt(schedule.alpha_bar(t - 1)), 1e-11);
  }
}

TEST(VpSchedule, PosteriorIsBayesRuleOnAGrid) {
  const VpSchedule schedule(LinearBeta{.steps = 200});
  for (const int t : {2, 3, 10, 50, 100, 200}) {
    for (const double x0 : {-1.0, 0.3}) {
      for (const double xt : {-0.7, 1.4}) {
        const Moments expected = posterior_by_quadrature(schedule, t, x0, xt);
        const PosteriorCoefficients q = schedule.posterior(t);
        EXPECT_NEAR(q.on_x0 * x0 + q.on_xt * xt, expected.mean, 1e-10) << t;
        EXPECT_NEAR(q.variance, expected.variance, 1e-10) << t;
      }
    }
  }
}

// Lab eq. 4 against lab eq. 6 (thesis eq. 2.18), with x_0 eliminated by lab eq. 5.
TEST(VpSchedule, PosteriorMeanFromX0IsPosteriorMeanFromEps) {
  const VpSchedule schedule(LinearBeta{.steps = 200});
  for (int t = 1; t <= schedule.steps(); ++t) {
    for (const double eps : {-1.3, 0.4}) {
      const double x0 = 0.8;
      const NoiseLevel level = schedule.level(t);
      const double xt = level.a * x0 + level.s * eps;
      const PosteriorCoefficients q = schedule.posterior(t);
      const double from_eps =
          (xt - schedule.beta(t) / level.s * eps) / std::sqrt(schedule.alpha(t));
      const EpsMeanCoefficients mean = schedule.eps_mean(t);
      EXPECT_NEAR(mean.on_xt * xt + mean.on_eps * eps, from_eps, 1e-14) << t;
      EXPECT_NEAR(q.on_x0 * x0 + q.on_xt * xt, from_eps, 1e-12) << t;
    }
  }
}

// Thesis eq. 2.11 prints sqrt(alpha_bar_t) in both factors, where Bayes gives sqrt(alpha_bar_{t-1})
// on x_0 and sqrt(alpha_t) on x_t. A noiseless path shows it: x_0 = 1, x_t = sqrt(alpha_bar_t) must
// have passed, on average, through sqrt(alpha_bar_{t-1}).
TEST(VpSchedule, ThesisEquation211AsPrintedIsNotThePosterior) {
  const VpSchedule schedule(LinearBeta{.steps = 200});
  const int t = 100;
  const double alpha_bar = schedule.alpha_bar(t), before = schedule.alpha_bar(t - 1);
  const double printed_on_x0 = std::sqrt(alpha_bar) * schedule.beta(t) / (1 - alpha_bar);
  const double printed_on_xt = std::sqrt(alpha_bar) * (1 - before) / (1 - alpha_bar);
  const double xt = std::sqrt(alpha_bar);
  const PosteriorCoefficients q = schedule.posterior(t);
  EXPECT_NEAR(q.on_x0 + q.on_xt * xt, std::sqrt(before), 1e-12);
  EXPECT_GT(std::abs(printed_on_x0 + printed_on_xt * xt - std::sqrt(before)), 0.1);
  const Moments bayes = posterior_by_quadrature(schedule, t, 1, xt);
  EXPECT_GT(std::abs(printed_on_x0 + printed_on_xt * xt - bayes.mean), 0.1);
}

// Going from t to s in one jump is going by way of any u between.
TEST(VpSchedule, PosteriorsOfJumpsCompose) {
  const VpSchedule schedule(LinearBeta{.steps = 1000});
  for (const auto& [s, u, t] : std::vector<std::array<int, 3>>{
           {0, 1, 2}, {0, 400, 1000}, {1, 2, 3}, {100, 101, 900}, {500, 998, 1000}}) {
    const PosteriorCoefficients whole = schedule.posterior(s, t);
    const PosteriorCoefficients first = schedule.posterior(u, t), second = schedule.posterior(s, u);
    EXPECT_NEAR(whole.on_x0, second.on_x0 + second.on_xt * first.on_x0, 1e-12);
    EXPECT_NEAR(whole.on_xt, second.on_xt * first.on_xt, 1e-12);
    EXPECT_NEAR(whole.variance, second.variance + second.on_xt * second.on_xt * first.variance,
                1e-12);
  }
}

TEST(VpSchedule, PosteriorAtTheLastStepIsX0) {
  const VpSchedule schedule(LinearBeta{});
  for (const int t : {1, 7, 1000}) {
    const PosteriorCoefficients q = schedule.posterior(0, t);
    EXPECT_EQ(q.on_x0, 1);
    EXPECT_EQ(q.on_xt, 0);
    EXPECT_EQ(q.variance, 0);
  }
  EXPECT_EQ(schedule.posterior(5).variance, schedule.posterior(4, 5).variance);
}

TEST(VpSchedule, VarianceOfAJumpIsOneMinusTheRatioOfAlphaBars) {
  const VpSchedule schedule(LinearBeta{});
  for (const auto& [s, t] : std::vector<std::array<int, 2>>{{0, 1}, {0, 1000}, {10, 500}}) {
    EXPECT_NEAR(schedule.beta(s, t), 1 - schedule.alpha_bar(t) / schedule.alpha_bar(s), 1e-13);
  }
  EXPECT_EQ(schedule.beta(41, 42), schedule.beta(42));
}

TEST(VpSchedule, PosteriorStaysFiniteWhereAlphaBarUnderflows) {
  const VpSchedule schedule(std::vector<double>(1000, 0.9));
  ASSERT_EQ(schedule.alpha_bar(1000), 0);
  const PosteriorCoefficients q = schedule.posterior(1000);
  EXPECT_EQ(q.on_x0, 0);
  EXPECT_NEAR(q.on_xt, std::sqrt(0.1), 1e-15);
  EXPECT_NEAR(q.variance, 0.9, 1e-15);
}

// Golden: tests/golden/make_process_golden.py, diffusers 0.42.1, float32 cumulative product.
TEST(VpSchedule, AlphaBarIsThatOfDiffusers) {
  const auto golden =
      nlohmann::json::parse(read_text(TINTA_SOURCE_DIR "/tests/golden/process.json"));
  const VpSchedule schedule(LinearBeta{});
  for (const auto& entry : golden.at("alphas_cumprod")) {
    const double theirs = entry.at("alpha_bar");
    EXPECT_NEAR(schedule.alpha_bar(entry.at("t")) / theirs, 1, 2e-5) << entry;
  }
}

TEST(VpSchedule, ConfigGivesTheSameSchedule) {
  const VpSchedule schedule(
      config::ProcessConfig{.steps = 300, .beta_start = 2e-4, .beta_end = 0.03});
  const VpSchedule direct(LinearBeta{.steps = 300, .start = 2e-4, .end = 0.03});
  EXPECT_EQ(schedule.steps(), 300);
  EXPECT_EQ(schedule.alpha_bar(300), direct.alpha_bar(300));
  const VpSchedule cosine(config::ProcessConfig{.schedule = "cosine", .steps = 300});
  EXPECT_EQ(cosine.alpha_bar(200), VpSchedule(CosineBeta{.steps = 300}).alpha_bar(200));
}

// The front validates names without torch, so it keeps a list of its own.
TEST(MakeSchedule, KnowsEveryNameThatAConfigMayHold) {
  for (const std::string& name : config::schedule_names()) {
    EXPECT_EQ(make_schedule(config::ProcessConfig{.schedule = name})->steps(), 1000) << name;
  }
  EXPECT_THROW(VpSchedule(config::ProcessConfig{.schedule = "edm"}), ArgumentError);
}

TEST(VpSchedule, RefusesWhatIsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(VpSchedule(LinearBeta{.steps = 0}), ArgumentError);
  EXPECT_THROW(VpSchedule(LinearBeta{.start = 0}), ArgumentError);
  EXPECT_THROW(VpSchedule(LinearBeta{.start = 0.1, .end = 0.01}), ArgumentError);
  EXPECT_THROW(VpSchedule(LinearBeta{.end = 1}), ArgumentError);
  EXPECT_THROW(VpSchedule(LinearBeta{.start = nan}), ArgumentError);
  EXPECT_THROW(VpSchedule(CosineBeta{.steps = 0}), ArgumentError);
  EXPECT_THROW(VpSchedule(CosineBeta{.offset = -1}), ArgumentError);
  EXPECT_THROW(VpSchedule(CosineBeta{.highest = 1}), ArgumentError);
  EXPECT_THROW(VpSchedule(CosineBeta{.offset = nan}), ArgumentError);
  EXPECT_THROW(VpSchedule(std::vector<double>{}), ArgumentError);
  EXPECT_THROW(VpSchedule(std::vector<double>{0.1, 1.0}), ArgumentError);
  EXPECT_THROW(VpSchedule(config::ProcessConfig{.schedule = "linaer"}), ArgumentError);
  EXPECT_THROW(VpSchedule(config::ProcessConfig{.steps = 5'000'000'000}), ArgumentError);
  const VpSchedule schedule(LinearBeta{.steps = 10});
  EXPECT_THROW((void)schedule.beta(0), ArgumentError);
  EXPECT_THROW((void)schedule.beta(11), ArgumentError);
  EXPECT_THROW((void)schedule.alpha_bar(-1), ArgumentError);
  EXPECT_THROW((void)schedule.snr(0), ArgumentError);
  EXPECT_THROW((void)schedule.level(11), ArgumentError);
  EXPECT_THROW((void)schedule.posterior(0), ArgumentError);
  EXPECT_THROW((void)schedule.eps_mean(0), ArgumentError);
  EXPECT_THROW((void)schedule.posterior(5, 5), ArgumentError);
  EXPECT_THROW((void)schedule.posterior(-1, 5), ArgumentError);
}

TEST(VpSchedule, MessageSaysWhatWasExpectedAndWhatCame) {
  try {
    const VpSchedule schedule(config::ProcessConfig{.schedule = "linaer"});
    FAIL() << "an unknown schedule was accepted";
  } catch (const ArgumentError& error) {
    EXPECT_STREQ(error.what(),
                 "[VpSchedule] expected a known schedule, got \"linaer\": did you mean "
                 "\"linear\"?");
  }
}

}  // namespace
}  // namespace tinta::process
