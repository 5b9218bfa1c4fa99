#include "tinta/evaluation/wiener.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>

#include "tinta/core/error.h"
#include "tinta/evaluation/quality.h"
#include "tinta/io/idx.h"
#include "tinta/io/pixels.h"
#include "tinta/kernels/random.h"
#include "tinta/process/forward.h"

namespace tinta::evaluation {
namespace {

constexpr std::int64_t kSide = 4;
constexpr std::int64_t kPixels = kSide * kSide;

at::Tensor normals(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  return kernels::normal({rows, columns}, {.seed = seed}).to(at::kDouble);
}

// Correlated Gaussian pictures, small enough that the clamp never acts.
struct GaussianPictures {
  at::Tensor mixing = 0.02 * normals(kPixels, kPixels, 1);
  at::Tensor mean = 0.1 * normals(1, kPixels, 2);

  [[nodiscard]] at::Tensor draw(std::int64_t count, std::uint64_t seed) const {
    return (mean + normals(count, kPixels, seed).matmul(mixing.t())).view({count, 1, kSide, kSide});
  }
};

at::Tensor with_noise(const at::Tensor& x0, double sigma, std::uint64_t seed) {
  return x0 + sigma * normals(x0.size(0), x0[0].numel(), seed).view(x0.sizes());
}

double mean_square(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).square().mean().item<double>();
}

// Bayes without an eigendecomposition: E[x0 | y] = mu + C (C + sigma^2 I)^-1 (y - mu).
TEST(PcaWiener, IsThePosteriorMeanOfAGaussianPriorAtGainOne) {
  const at::Tensor train = GaussianPictures().draw(300, 3);
  const at::Tensor flat = train.flatten(1);
  const at::Tensor mean = flat.mean(0, /*keepdim=*/true);
  const at::Tensor covariance = (flat - mean).t().matmul(flat - mean) / 300;
  const PcaWiener filter(train);
  for (const double sigma : {0.01, 0.1, 1.0}) {
    const at::Tensor y = with_noise(train.narrow(0, 0, 20), sigma, 4);
    const at::Tensor total = covariance + sigma * sigma * at::eye(kPixels, at::kDouble);
    const at::Tensor expected =
        mean + at::linalg_solve(total, (y.flatten(1) - mean).t()).t().matmul(covariance);
    EXPECT_TRUE(at::allclose(filter.denoise(y, sigma, 1).flatten(1), expected, 0, 1e-9)) << sigma;
  }
}

// The mean squared error of the best linear filter is the mean of l sigma^2 / (l + sigma^2) over
// the covariance's eigenvalues l. 20000 pictures of 16 numbers: the relative standard deviation of
// the sum of squares is below sqrt(2 / 20000) = 1% even if one component had all the error, and
// that of a covariance from 20000 pictures adds less; 5% is over 4 standard deviations.
TEST(PcaWiener, ReachesTheTheoreticalErrorOnGaussianData) {
  const GaussianPictures pictures;
  const PcaWiener filter(pictures.draw(20000, 3));
  const at::Tensor held_out = pictures.draw(20000, 5);
  const at::Tensor spectrum = at::linalg_eigvalsh(pictures.mixing.matmul(pictures.mixing.t()));
  for (const double sigma : {0.02, 0.08, 0.3}) {
    const double variance = sigma * sigma;
    const double theory = (spectrum * variance / (spectrum + variance)).mean().item<double>();
    const at::Tensor restored = filter.denoise(with_noise(held_out, sigma, 6), sigma, 1);
    EXPECT_NEAR(mean_square(restored, held_out) / theory, 1, 0.05) << sigma;
  }
}

TEST(PcaWiener, TunedGainIsNearOneOnGaussianData) {
  const PcaWiener filter(GaussianPictures().draw(5000, 3));
  for (const double sigma : {0.05, 0.2}) {
    const double gain = filter.tuned_gain(sigma);
    EXPECT_GE(gain, 0.7) << sigma;
    EXPECT_LE(gain, 1.5) << sigma;
  }
}

TEST(PcaWiener, IsTheIdentityAsNoiseVanishes) {
  const GaussianPictures pictures;
  const at::Tensor held_out = pictures.draw(10, 5);
  const PcaWiener filter(pictures.draw(300, 3));
  EXPECT_TRUE(at::allclose(filter.denoise(held_out, 1e-6, 1), held_out, 0, 1e-6));
}

TEST(PcaWiener, IsTheMeanAsNoiseDrownsTheData) {
  const at::Tensor train = GaussianPictures().draw(300, 3);
  const at::Tensor y = with_noise(train.narrow(0, 0, 5), 1, 4);
  const at::Tensor restored = PcaWiener(train).denoise(y, 1e4, 1);
  EXPECT_TRUE(at::allclose(restored, train.mean(0, true).expand_as(y), 0, 1e-6));
}

// Two-valued pixels are as far from Gaussian as data get: at little noise the clamp alone is hard
// to beat, and the gain must fall for the filter not to do harm.
TEST(PcaWiener, IsNeverWorseThanTheClippedInputOnAverage) {
  const at::Tensor train = normals(4000, kPixels, 7).sign().view({4000, 1, kSide, kSide});
  const at::Tensor held_out = normals(4000, kPixels, 8).sign().view({4000, 1, kSide, kSide});
  const PcaWiener filter(train);
  for (const double sigma : {0.01, 0.1, 0.3, 1.0, 3.0}) {
    const at::Tensor y = with_noise(held_out, sigma, 9);
    // 2%: where the gain is 0 the two are equal, else the filter's lead on the tuning pictures is
    // not less on others by more than the sampling error of 4000 x 16 squares (0.6%).
    EXPECT_LE(mean_square(filter.denoise(y, sigma), held_out),
              1.02 * mean_square(y.clamp(-1, 1), held_out))
        << sigma;
  }
}

TEST(PcaWiener, KeepsShapeAndTypeAndTheRangeOfPixels) {
  const PcaWiener filter(GaussianPictures().draw(50, 3).to(at::kFloat));
  const at::Tensor y = (5 * normals(3, kPixels, 4)).to(at::kFloat).view({3, 1, kSide, kSide});
  const at::Tensor restored = filter.denoise(y, 0.1);
  EXPECT_EQ(restored.sizes(), y.sizes());
  EXPECT_EQ(restored.scalar_type(), at::kFloat);
  EXPECT_LE(restored.abs().max().item<double>(), 1);
}

TEST(PcaWiener, RefusesWhatItCannotUse) {
  const at::Tensor train = GaussianPictures().draw(50, 3);
  const PcaWiener filter(train);
  EXPECT_THROW(PcaWiener(train.narrow(0, 0, 1)), ArgumentError);
  EXPECT_THROW(PcaWiener(train.flatten(1)), ArgumentError);
  EXPECT_THROW(PcaWiener(train.to(at::kByte)), ArgumentError);
  EXPECT_THROW(PcaWiener(at::zeros({2, 3, 64, 64})), ArgumentError);
  EXPECT_THROW((void)filter.tuned_gain(0), ArgumentError);
  EXPECT_THROW((void)filter.denoise(train, std::numeric_limits<double>::infinity()), ArgumentError);
  EXPECT_THROW((void)filter.denoise(train, 0.1, -1), ArgumentError);
  EXPECT_THROW((void)filter.denoise(at::zeros({2, 1, 5, 5}), 0.1), ArgumentError);
}

// The decibels of the noisy MNIST test set at t = 100 and 200 of the linear schedule are 18.2 and
// 11.9; the filter's own are those of the same filter written in NumPy (23.0 and 19.1 dB with all
// 60000 training pictures). Over 1000 pictures the standard error is below 0.05 dB.
TEST(PcaWiener, OnMnistGainsWhatTheSameFilterGainsElsewhere) {
  const char* set = std::getenv("TINTA_TEST_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(set != nullptr ? set : TINTA_TEST_DATA_DEFAULT) / "mnist";
  if (!std::filesystem::exists(folder)) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "no MNIST in " << folder;
    GTEST_SKIP() << "no MNIST in " << folder << "; set TINTA_TEST_DATA";
  }
  const auto pictures = [&](const char* prefix, std::int64_t count) {
    return io::from_bytes(io::read_idx_split(folder, prefix).images.narrow(0, 0, count));
  };
  const PcaWiener filter(pictures("train", 10000));
  const at::Tensor x0 = pictures("t10k", 1000);
  const process::VpSchedule schedule(process::LinearBeta{});
  struct Expected {
    int t;
    double noisy, restored;
  };
  for (const auto& [t, noisy, restored] : {Expected{100, 18.2, 23.0}, Expected{200, 11.9, 19.1}}) {
    const process::NoiseLevel level = schedule.level(t);
    const at::Tensor noise = kernels::normal(x0.sizes(), {.step = static_cast<std::uint32_t>(t)});
    const at::Tensor y = process::add_noise(level, x0, noise) / level.a;
    EXPECT_NEAR(psnr(y.clamp(-1, 1), x0).mean().item<double>(), noisy, 0.15) << t;
    EXPECT_NEAR(psnr(filter.denoise(y, level.s / level.a), x0).mean().item<double>(), restored, 0.4)
        << t;
  }
}

}  // namespace
}  // namespace tinta::evaluation
