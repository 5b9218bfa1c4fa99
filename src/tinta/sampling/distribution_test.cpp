#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <tuple>
#include <vector>

#include "tinta/process/exact.h"
#include "tinta/sampling/sampler.h"
#include "tinta/sampling/test_support.h"

// Samplers given the exact denoiser must give the data's distribution. Seeds are fixed, so these
// tests never flicker; the error rates below are the chance that a right sampler with another seed
// would fail. A chain of 500 steps is a little narrower or wider than the data: for a Gaussian that
// is worked out below, and in Kolmogorov's distance it stays several times below the bound.

namespace tinta::sampling {
namespace {

const process::VpSchedule& schedule() {
  static const process::VpSchedule value(process::LinearBeta{});
  return value;
}

/// One thread while it lives: thousands of operations on a few thousand numbers each lose far more
/// by waiting for a second thread, on a busy machine, than they win by it.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = at::get_num_threads();
};

at::Tensor sample(const process::Denoiser& denoiser, config::SamplingConfig config, int steps,
                  at::IntArrayRef sizes, NoiseSource noise = {}) {
  const OneThread one_thread;
  config.clip_x0 = false;
  const Chain chain{schedule(), denoiser, noise ? noise : philox_noise(sizes, 2024, 0)};
  const at::Tensor start = philox_noise(sizes, 2024, 0, Stream::sample_start)(0).to(at::kDouble);
  return sampler(config.sampler)(chain, config, time_steps(1000, steps), start);
}

struct Component {
  double weight, mean, sigma;
};
const std::vector<Component> kLine = {{0.3, -0.6, 0.1}, {0.5, 0.1, 0.2}, {0.2, 0.8, 0.05}};

process::GaussianMixtureDenoiser line_denoiser() {
  std::vector<double> weights, means, sigmas;
  for (const Component& c : kLine) {
    weights.push_back(c.weight), means.push_back(c.mean), sigmas.push_back(c.sigma);
  }
  return {doubles(weights), doubles(means).unsqueeze(1), doubles(sigmas)};
}

double cumulative(double x) {
  double sum = 0;
  for (const Component& c : kLine) {
    sum += c.weight * std::erfc((c.mean - x) / (c.sigma * std::numbers::sqrt2)) / 2;
  }
  return sum;
}

/// Kolmogorov's distance between drawn numbers and the mixture on the line.
double kolmogorov_distance(const at::Tensor& drawn) {
  const at::Tensor sorted = std::get<0>(drawn.flatten().sort());
  const auto n = static_cast<double>(sorted.numel());
  double distance = 0;
  for (std::int64_t i = 0; i < sorted.numel(); ++i) {
    const double f = cumulative(sorted.const_data_ptr<double>()[i]);
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, f - rank / n, (rank + 1) / n - f});
  }
  return distance;
}

constexpr std::int64_t kDraws = 4000;

// Dvoretzky-Kiefer-Wolfowitz with Massart's constant: P(D > d) <= 2 exp(-2 n d^2) = 1e-6.
const double kCriticalDistance = std::sqrt(std::log(2e6) / (2.0 * kDraws));

class EverySampler : public testing::TestWithParam<config::SamplingConfig> {};

std::string name_of(const testing::TestParamInfo<config::SamplingConfig>& info) {
  const config::SamplingConfig& config = info.param;
  if (config.sampler == "ddpm") return "ddpm_" + config.variance;
  if (config.sampler == "heun") return config.sampler;
  return config.eta == 0 ? "ddim_deterministic" : "ddim_ancestral";
}

INSTANTIATE_TEST_SUITE_P(
    Distribution, EverySampler,
    testing::Values(config::SamplingConfig{.sampler = "ddpm", .variance = "posterior"},
                    config::SamplingConfig{.sampler = "ddpm", .variance = "beta"},
                    config::SamplingConfig{.sampler = "ddim", .eta = 0},
                    config::SamplingConfig{.sampler = "ddim", .eta = 1},
                    config::SamplingConfig{.sampler = "heun"}),
    name_of);

TEST_P(EverySampler, GivesTheMixtureOnTheLine) {
  const at::Tensor x = sample(line_denoiser(), GetParam(), 500, {kDraws, 1});
  EXPECT_LT(kolmogorov_distance(x), kCriticalDistance);
}

// The bound is worth something only if it sees a sampler whose noise is too small or too large.
TEST(Distribution, TheBoundSeesNoiseOfTheWrongSize) {
  for (const double scale : {0.5, 1.5}) {
    const NoiseSource right = philox_noise({kDraws, 1}, 2024, 0);
    const at::Tensor x =
        sample(line_denoiser(), {.sampler = "ddpm"}, 250, {kDraws, 1},
               [&](std::uint32_t step) -> at::Tensor { return right(step) * scale; });
    EXPECT_GT(kolmogorov_distance(x), kCriticalDistance) << scale;
  }
}

struct Blobs {
  std::vector<double> weights = {0.2, 0.3, 0.5};
  at::Tensor means = doubles({-0.6, -0.5, 0.7, -0.2, 0.0, 0.6}).reshape({3, 2});
  double sigma = 0.08;
};

/// Variance at the end of a chain for data N(0, sigma^2), worked out step by step: a chain of few
/// steps ends a little narrower (beta-tilde_t) or wider (beta_t) than the data, by a known amount.
double variance_at_the_end(const config::SamplingConfig& config, const std::vector<int>& ts,
                           double sigma) {
  const auto alpha_bar = [](int t) { return schedule().alpha_bar(t); };
  double variance = 1;
  for (std::size_t i = 0; i + 1 < ts.size(); ++i) {
    const double at = alpha_bar(ts[i]), as = alpha_bar(ts[i + 1]), jump = at / as;
    const double gain =
        std::sqrt(at) * sigma * sigma / (at * sigma * sigma + 1 - at);  // E[x_0|x_t]
    if (ts[i + 1] == 0) return gain * gain * variance;
    if (config.sampler == "ddim" && config.eta == 0) {
      const double eps = (1 - std::sqrt(at) * gain) / std::sqrt(1 - at);
      variance *= std::pow(std::sqrt(as) * gain + std::sqrt(1 - as) * eps, 2);
    } else if (config.sampler == "heun") {  // dy / dsigma = y sigma / (sigma^2 + spread^2)
      const double here = std::sqrt((1 - at) / at), there = std::sqrt((1 - as) / as);
      const double first = here / (here * here + sigma * sigma);
      const double second = there / (there * there + sigma * sigma) * (1 + (there - here) * first);
      variance *= as / at * std::pow(1 + (there - here) / 2 * (first + second), 2);
    } else {  // precisions add
      const double precision = jump / (1 - jump) + 1 / (1 - as);
      const double mean =
          (std::sqrt(jump) / (1 - jump) + std::sqrt(as) * gain / (1 - as)) / precision;
      const bool wide = config.sampler == "ddpm" && config.variance == "beta";
      variance = mean * mean * variance + (wide ? 1 - jump : 1 / precision);
    }
  }
  return variance;
}

// Well separated blobs in the plane: how many points each has (chi-square, 2 degrees of freedom,
// above 27.63 with probability 1e-6), where it lies and how wide it is (5 standard errors: 6e-7 for
// each of 9 numbers).
TEST_P(EverySampler, GivesEachBlobItsWeightPlaceAndWidth) {
  const Blobs blobs;
  const process::GaussianMixtureDenoiser denoiser(doubles(blobs.weights), blobs.means,
                                                  at::full({3}, blobs.sigma, at::kDouble));
  const at::Tensor x = sample(denoiser, GetParam(), 500, {kDraws, 2});
  const double expected_variance =
      variance_at_the_end(GetParam(), time_steps(1000, 500), blobs.sigma);
  const at::Tensor nearest = at::cdist(x, blobs.means).argmin(1);
  double chi_square = 0;
  for (int k = 0; k < 3; ++k) {
    const at::Tensor mine = x.index({nearest == k}) - blobs.means[k];
    const auto n = static_cast<double>(mine.size(0));
    const double expected = blobs.weights[static_cast<std::size_t>(k)] * kDraws;
    chi_square += (n - expected) * (n - expected) / expected;
    const double standard_error = std::sqrt(expected_variance / n);
    EXPECT_LT(mine.mean(0).abs().max().item<double>(), 5 * standard_error);
    const double variance = mine.square().mean().item<double>();  // of 2n numbers
    EXPECT_NEAR(variance / expected_variance, 1, 5 / std::sqrt(n));
  }
  EXPECT_LT(chi_square, 27.63);
}

// Memorised points: the chain ends on one of them, each about as often as the others (chi-square,
// 3 degrees of freedom, above 30.66 with probability 1e-6).
TEST(Distribution, AFiniteSetGivesItsPointsBack) {
  const at::Tensor points = doubles({0.5, 0.5, -0.5, 0.5, 0.5, -0.5, -0.5, -0.5}).reshape({4, 2});
  const at::Tensor x =
      sample(process::finite_set_denoiser(points), {.sampler = "ddpm"}, 500, {kDraws, 2});
  const auto [distance, nearest] = at::cdist(x, points).min(1);
  EXPECT_LT(distance.max().item<double>(), 1e-6);
  const at::Tensor counts = nearest.bincount().to(at::kDouble);
  ASSERT_EQ(counts.numel(), 4);
  const double expected = kDraws / 4.0;
  EXPECT_LT(((counts - expected).square() / expected).sum().item<double>(), 30.66);
}

}  // namespace
}  // namespace tinta::sampling
