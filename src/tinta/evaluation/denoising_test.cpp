#include "tinta/evaluation/denoising.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/evaluation/quality.h"
#include "tinta/kernels/random.h"
#include "tinta/process/exact.h"

namespace tinta::evaluation {
namespace {

constexpr std::int64_t kSide = 12;
constexpr std::int64_t kPixels = kSide * kSide;

const process::VpSchedule& schedule() {
  static const process::VpSchedule instance(process::LinearBeta{.steps = 100, .end = 0.1});
  return instance;
}

at::Tensor normals(std::int64_t count, std::uint64_t seed) {
  return kernels::normal({count, 1, kSide, kSide}, {.seed = seed});
}

// Pictures of K templates under a little Gaussian noise, and their exact denoiser: the mean E[x_0 |
// x_t] that a perfect network would give.
struct Mixture {
  Mixture(at::Tensor the_templates, double the_sigma)
      : templates(std::move(the_templates)),
        sigma(the_sigma),
        denoiser(at::full({templates.size(0)}, 1.0 / static_cast<double>(templates.size(0)),
                          at::kDouble),
                 templates.flatten(1).to(at::kDouble),
                 at::full({templates.size(0)}, sigma, at::kDouble)) {}

  [[nodiscard]] at::Tensor draw(std::int64_t count, std::uint64_t seed) const {
    const at::Tensor which = at::arange(count, at::kLong).remainder(templates.size(0));
    return templates.index_select(0, which) + sigma * normals(count, seed);
  }

  at::Tensor templates;
  double sigma;
  process::GaussianMixtureDenoiser denoiser;
};

// One template: Gaussian data, so far inside [-1, 1] that no clip ever acts.
Mixture gaussian() { return {0.2 * normals(1, 1).clamp(-2, 2), 0.1}; }
// Twenty templates: as multimodal as digits.
Mixture multimodal() { return {0.8 * normals(20, 1).sign(), 0.05}; }

double mean_square(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).square().mean().item<double>();
}

// Given x_t, a Gaussian pixel of variance v keeps the variance v s^2 / (a^2 v + s^2).
// 400 pictures of 144 numbers: a mean square has the relative standard deviation sqrt(2 / 57600) =
// 0.6%, and 3% is 5 of them.
TEST(Denoise, OneShotErrorIsThePosteriorVarianceOnGaussianData) {
  const Mixture data = gaussian();
  const auto report =
      denoise({.denoiser = data.denoiser, .schedule = schedule(), .images = data.draw(400, 2)},
              {.t = {5, 20, 60}, .chain_images = 0, .keep = 400});
  ASSERT_TRUE(report);
  for (const DenoiseRow& row : report->rows) {
    const process::NoiseLevel level = schedule().level(row.t);
    const double v = data.sigma * data.sigma, noise = level.s * level.s;
    EXPECT_NEAR(mean_square(row.restored.pictures, report->x0) /
                    (v * noise / (level.a * level.a * v + noise)),
                1, 0.03)
        << row.t;
  }
}

// On Gaussian data every step of the chain is linear in u = x_t - a mu: with K = a v / (a^2 v +
// s^2) it takes u to (on_x0 K + on_xt) u + sqrt(variance) z. Running the factor P and the variance
// V of these steps down to t = 0 gives the error ((P a - 1)^2 v + P^2 s^2 + V) of the whole chain.
// Tolerance as above.
TEST(Denoise, ChainErrorIsThatOfTheLinearRecursionOnGaussianData) {
  const Mixture data = gaussian();
  const auto report =
      denoise({.denoiser = data.denoiser, .schedule = schedule(), .images = data.draw(400, 2)},
              {.t = {5, 30}, .chain_images = 400, .keep = 400});
  ASSERT_TRUE(report);
  const double v = data.sigma * data.sigma;
  for (const DenoiseRow& row : report->rows) {
    double factor = 1, variance = 0;
    for (int t = row.t; t >= 1; --t) {
      const process::NoiseLevel level = schedule().level(t);
      const process::PosteriorCoefficients q = schedule().posterior(t);
      const double step =
          q.on_x0 * level.a * v / (level.a * level.a * v + level.s * level.s) + q.on_xt;
      factor *= step;
      variance = step * step * variance + q.variance;
    }
    const process::NoiseLevel start = schedule().level(row.t);
    const double bias = factor * start.a - 1;
    const double theory = bias * bias * v + factor * factor * start.s * start.s + variance;
    EXPECT_NEAR(mean_square(row.chain->pictures, report->x0) / theory, 1, 0.03) << row.t;
  }
}

TEST(Denoise, OrdersNoisyClassicalAndRestoredOnMultimodalData) {
  const Mixture data = multimodal();
  const PcaWiener classical(data.draw(1000, 3));
  const auto report = denoise({.denoiser = data.denoiser,
                               .schedule = schedule(),
                               .images = data.draw(200, 2),
                               .classical = &classical},
                              {.t = {20, 60}, .chain_images = 40});
  ASSERT_TRUE(report);
  for (const DenoiseRow& row : report->rows) {
    EXPECT_LT(row.noisy.psnr.mean + 1, row.classical->psnr.mean) << row.t;
    EXPECT_LT(row.classical->psnr.mean, row.restored.psnr.mean) << row.t;
    EXPECT_LT(row.noisy.ssim.mean, row.classical->ssim.mean) << row.t;
    EXPECT_LT(row.classical->ssim.mean, row.restored.ssim.mean) << row.t;
    // A draw from the posterior has about twice the error of the posterior's mean: 3 dB.
    EXPECT_LT(row.chain->psnr.mean, row.restored.psnr.mean) << row.t;
    EXPECT_GT(row.chain->psnr.mean, row.restored.psnr.mean - 5) << row.t;
  }
}

TEST(Denoise, MeansFollowFromTheKeptPictures) {
  const Mixture data = multimodal();
  const auto report =
      denoise({.denoiser = data.denoiser, .schedule = schedule(), .images = data.draw(30, 2)},
              {.t = {40}, .chain_images = 20, .batch = 7, .keep = 30});
  ASSERT_TRUE(report);
  const DenoiseRow& row = report->rows[0];
  const at::Tensor values = psnr(report->x0, row.restored.pictures);
  EXPECT_NEAR(row.restored.psnr.mean, values.mean().item<double>(), 1e-9);
  EXPECT_NEAR(row.restored.psnr.standard_error,
              std::sqrt(values.var(/*unbiased=*/true).item<double>() / 30), 1e-9);
  EXPECT_NEAR(row.restored.ssim.mean, ssim(report->x0, row.restored.pictures).mean().item<double>(),
              1e-9);
  EXPECT_NEAR(row.chain->psnr.mean,
              psnr(report->x0.narrow(0, 0, 20), row.chain->pictures).mean().item<double>(), 1e-9);
  const double a = schedule().level(40).a;
  EXPECT_TRUE(at::allclose(row.noisy.pictures, (row.x_t / a).clamp(-1, 1)));
}

TEST(Denoise, DoesNotDependOnBatchOtherLevelsOrNumberOfPictures) {
  const Mixture data = multimodal();
  const DenoiseTask all{
      .denoiser = data.denoiser, .schedule = schedule(), .images = data.draw(20, 2)};
  DenoiseTask some = all;
  some.images = all.images.narrow(0, 0, 11);
  const auto left = denoise(all, {.t = {10, 30}, .chain_images = 20, .batch = 20, .keep = 5});
  const auto right = denoise(some, {.t = {30}, .chain_images = 6, .batch = 3, .keep = 5});
  ASSERT_TRUE(left && right);
  const DenoiseRow &a = left->rows[1], &b = right->rows[0];
  EXPECT_TRUE(at::equal(a.x_t, b.x_t));
  // Sums of the closed form may be taken in another order.
  EXPECT_TRUE(at::allclose(a.restored.pictures, b.restored.pictures, 0, 1e-5));
  EXPECT_TRUE(at::allclose(a.chain->pictures, b.chain->pictures, 0, 1e-5));
}

TEST(Denoise, NoiseDependsOnTheSeed) {
  const Mixture data = multimodal();
  const DenoiseTask task{
      .denoiser = data.denoiser, .schedule = schedule(), .images = data.draw(2, 2)};
  const auto left = denoise(task, {.t = {10}, .seed = 1});
  const auto right = denoise(task, {.t = {10}, .seed = 2});
  EXPECT_GT(mean_square(left->rows[0].x_t, right->rows[0].x_t), 1e-3);
}

TEST(Denoise, CountsItsWorkToTheEnd) {
  const Mixture data = multimodal();
  std::vector<Progress> seen;
  const auto report =
      denoise({.denoiser = data.denoiser,
               .schedule = schedule(),
               .images = data.draw(10, 2),
               .sinks = {.progress = [&](const Progress& p) { seen.push_back(p); }, .log = {}}},
              {.t = {3, 5}, .chain_images = 4, .batch = 6});
  ASSERT_TRUE(report);
  ASSERT_EQ(seen.size(), 2 + 3 + 2 + 5);
  for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_GT(seen[i].done, seen[i - 1].done);
  EXPECT_EQ(seen.back().total, 2 * 10 + (3 + 5) * 4);
  EXPECT_EQ(seen.back().done, seen.back().total);
  EXPECT_EQ(seen.back().seconds_left, 0);
}

TEST(Denoise, ReturnsNothingWhenStoppedAnywhere) {
  const Mixture data = multimodal();
  // Asked twice for the batches and eight times for the steps of the chains: 1 + 3 + 1 + 5.
  for (int patience = 0; patience < 10; ++patience) {
    int asked = 0;
    const auto report = denoise({.denoiser = data.denoiser,
                                 .schedule = schedule(),
                                 .images = data.draw(4, 2),
                                 .stop = [&] { return asked++ == patience; }},
                                {.t = {3, 5}, .chain_images = 4});
    EXPECT_FALSE(report) << patience;
    EXPECT_EQ(asked, patience + 1);
  }
}

TEST(Denoise, NamesEveryProblemAtOnce) {
  const DenoiseConfig config{.t = {0, 50, 101}, .chain_images = -1, .batch = 0, .keep = -1};
  EXPECT_EQ(problems(config, schedule()).size(), 5);
  EXPECT_EQ(problems({.t = {}}, schedule()).size(), 1);
  EXPECT_TRUE(problems({.t = {1, 100}}, schedule()).empty());
  const Mixture data = multimodal();
  DenoiseTask task{.denoiser = data.denoiser, .schedule = schedule(), .images = data.draw(2, 2)};
  EXPECT_THROW((void)denoise(task, config), ArgumentError);
  task.images = at::zeros({2, 1, 12, 12}, at::kByte);
  EXPECT_THROW((void)denoise(task, {.t = {1}}), ArgumentError);
  task.images = at::Tensor();
  EXPECT_THROW((void)denoise(task, {.t = {1}}), ArgumentError);
}

}  // namespace
}  // namespace tinta::evaluation
