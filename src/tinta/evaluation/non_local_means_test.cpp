#include "tinta/evaluation/non_local_means.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/error.h"
#include "tinta/evaluation/quality.h"
#include "tinta/kernels/random.h"

namespace tinta::evaluation {
namespace {

at::Tensor noise(at::IntArrayRef sizes, std::uint64_t seed) {
  return kernels::normal(sizes, {.seed = seed}).to(at::kDouble);
}

// The formula, pixel by pixel.
double by_hand(const at::Tensor& y, std::int64_t row, std::int64_t column, double sigma,
               const NonLocalMeansConfig& config) {
  const auto at = y.accessor<double, 4>();
  const auto inside = [&](std::int64_t r, std::int64_t c) {
    return r >= 0 && c >= 0 && r < y.size(2) && c < y.size(3);
  };
  double sum = 0, weights = 0;
  for (std::int64_t i = row - config.search; i <= row + config.search; ++i) {
    for (std::int64_t j = column - config.search; j <= column + config.search; ++j) {
      if (!inside(i, j)) continue;
      double squared = 0, count = 0;
      for (std::int64_t u = -config.patch; u <= config.patch; ++u) {
        for (std::int64_t v = -config.patch; v <= config.patch; ++v) {
          if (!inside(row + u, column + v) || !inside(i + u, j + v)) continue;
          squared += std::pow(at[0][0][row + u][column + v] - at[0][0][i + u][j + v], 2);
          count += 1;
        }
      }
      const double h = config.strength * sigma;
      const double w = std::exp(-std::max(squared / count - 2 * sigma * sigma, 0.0) / (h * h));
      sum += w * at[0][0][i][j], weights += w;
    }
  }
  return std::clamp(sum / weights, -1.0, 1.0);
}

TEST(NonLocalMeans, IsTheFormulaAtEveryPixel) {
  const at::Tensor y = noise({1, 1, 7, 9}, 1) * 0.4;
  const NonLocalMeansConfig config{.patch = 1, .search = 3, .strength = 0.7};
  const at::Tensor x = non_local_means(y, 0.2, config);
  for (std::int64_t row = 0; row < 7; ++row) {
    for (std::int64_t column = 0; column < 9; ++column) {
      ASSERT_NEAR(x[0][0][row][column].item<double>(), by_hand(y, row, column, 0.2, config), 1e-12);
    }
  }
}

// Stripes repeat, so that every pixel has many like it; a blur would smear them.
TEST(NonLocalMeans, RestoresWhatRepeats) {
  const at::Tensor row = (at::arange(24) / 3 % 2 >= 1).to(at::kDouble) * 1.6 - 0.8;
  const at::Tensor x0 = row.expand({2, 1, 24, 24}).contiguous();
  const at::Tensor y = x0 + noise(x0.sizes(), 2) * 0.3;
  const at::Tensor x = non_local_means(y, 0.3, tuned_non_local_means(x0, 0.3));
  EXPECT_GT((psnr(x, x0) - psnr(y.clamp(-1, 1), x0)).min().item<double>(), 5);
}

TEST(NonLocalMeans, RefusesWhatItCannotFilter) {
  EXPECT_THROW(non_local_means(at::zeros({1, 1, 4, 4}), 0, {}), ArgumentError);
  EXPECT_THROW(non_local_means(at::zeros({4, 4}), 1, {}), ArgumentError);
  EXPECT_THROW(non_local_means(at::zeros({1, 1, 4, 4}), 1, {.strength = 0}), ArgumentError);
}

}  // namespace
}  // namespace tinta::evaluation
