#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/sampling/sampler.h"
#include "tinta/sampling/test_support.h"

// Gaussian data make every sampler linear in x_T and in its noise, so that what it does to the
// distribution is known without drawing one.

namespace tinta::sampling {
namespace {

const process::VpSchedule& schedule() {
  static const process::VpSchedule value(process::LinearBeta{.steps = 200, .end = 0.1});
  return value;
}

double step_of(SampleFunction run, const config::SamplingConfig& config, double sigma, int t, int s,
               double x, double z) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0, sigma);
  const Chain chain{schedule(), denoiser, constant_noise(doubles({z}))};
  return run(chain, config, {t, s}, doubles({x})).item<double>();
}

/// Variance after a step, of data N(0, sigma^2) that have their true variance before it.
double variance_after(SampleFunction run, const config::SamplingConfig& config, double sigma, int t,
                      int s) {
  const process::NoiseLevel level = schedule().level(t);
  const double before = level.a * level.a * sigma * sigma + level.s * level.s;
  const double on_x = step_of(run, config, sigma, t, s, 1, 0);
  const double on_z = step_of(run, config, sigma, t, s, 0, 1);
  return on_x * on_x * before + on_z * on_z;
}

// Ho et al. 2020, section 3.2: beta_t is right for x_0 ~ N(0, I), beta-tilde_t for one point.
TEST(Ddpm, BetaVarianceIsExactForUnitGaussianData) {
  const config::SamplingConfig config{.variance = "beta", .clip_x0 = false};
  for (int t = 2; t <= schedule().steps(); ++t) {
    EXPECT_NEAR(variance_after(ddpm, config, 1, t, t - 1), 1, 1e-12);
  }
  EXPECT_NEAR(variance_after(ddpm, config, 1, 200, 50), 1, 1e-12) << "of a jump, too";
}

TEST(Ddpm, PosteriorVarianceIsExactForOnePoint) {
  const config::SamplingConfig config{.variance = "posterior", .clip_x0 = false};
  for (int t = 2; t <= schedule().steps(); ++t) {
    EXPECT_NEAR(variance_after(ddpm, config, 0, t, t - 1), 1 - schedule().alpha_bar(t - 1), 1e-12);
  }
  EXPECT_NEAR(variance_after(ddpm, config, 0, 200, 50), 1 - schedule().alpha_bar(50), 1e-12);
}

// Thesis eq. 2.22 corrected, as written: (x_t - beta_t / sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_t)
// + sqrt(beta_t) z.
TEST(Ddpm, OneStepIsTheLangevinStepOfTheThesis) {
  const config::SamplingConfig config{.variance = "beta", .clip_x0 = false};
  const FunctionDenoiser denoiser = gaussian_denoiser(0, 0.4);
  for (const int t : {2, 20, 150, 200}) {
    const double x = 0.7, z = -1.3;
    const double beta = schedule().beta(t), alpha_bar = schedule().alpha_bar(t);
    const double eps = denoiser.eps(doubles({x}), schedule().level(t)).item<double>();
    const double expected =
        (x - beta / std::sqrt(1 - alpha_bar) * eps) / std::sqrt(1 - beta) + std::sqrt(beta) * z;
    EXPECT_NEAR(step_of(ddpm, config, 0.4, t, t - 1, x, z), expected, 1e-12);
  }
}

TEST(Ddim, EtaOneIsDdpmWithThePosteriorVariance) {
  const FunctionDenoiser denoiser = gaussian_denoiser(0.3, 0.7);
  const at::Tensor x = doubles({-2.5, 0.1, 1.9});
  for (const bool clip : {false, true}) {
    const Chain chain{schedule(), denoiser, constant_noise(doubles({0.4, -1, 2}))};
    const at::Tensor ancestral =
        ddpm(chain, {.variance = "posterior", .clip_x0 = clip}, {200, 120, 119, 3, 0}, x);
    const at::Tensor eta_one = ddim(chain, {.eta = 1, .clip_x0 = clip}, {200, 120, 119, 3, 0}, x);
    EXPECT_LT(largest_difference(ancestral, eta_one), 1e-12);
  }
}

// Song et al. 2021, theorem 1: any eta has the right marginals when x_0 is known.
TEST(Ddim, EveryEtaIsExactForOnePoint) {
  for (const double eta : {0.0, 0.3, 1.0}) {
    const config::SamplingConfig config{.eta = eta, .clip_x0 = false};
    EXPECT_NEAR(variance_after(ddim, config, 0, 200, 50), 1 - schedule().alpha_bar(50), 1e-12);
  }
}

/// How far DDIM of so many steps is from the probability flow of N(mean, sigma^2) data, which maps
/// x_T to mean + sigma (x_T - a_T mean) / sqrt(a_T^2 sigma^2 + s_T^2).
double flow_error(int steps) {
  const process::VpSchedule fine(process::LinearBeta{});
  const double mean = 0.3, sigma = 0.4;
  const FunctionDenoiser denoiser = gaussian_denoiser(mean, sigma);
  const Chain chain{fine, denoiser, no_noise};
  const process::NoiseLevel top = fine.level(1000);
  const at::Tensor x = doubles({-1.5, 0.2, 2.2});
  const double deviation = std::sqrt(top.a * top.a * sigma * sigma + top.s * top.s);
  const at::Tensor exact = mean + (x - top.a * mean) * (sigma / deviation);
  return largest_difference(ddim(chain, {.eta = 0, .clip_x0 = false}, time_steps(1000, steps), x),
                            exact);
}

// A first-order method: twice the steps, half the error.
TEST(Ddim, ApproachesTheProbabilityFlowAtFirstOrder) {
  EXPECT_LT(flow_error(1000), 5e-3);
  EXPECT_NEAR(flow_error(50) / flow_error(100), 2, 0.2);
  EXPECT_NEAR(flow_error(100) / flow_error(200), 2, 0.2);
}

}  // namespace
}  // namespace tinta::sampling
