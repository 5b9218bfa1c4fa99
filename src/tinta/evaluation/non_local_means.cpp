#include "tinta/evaluation/non_local_means.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/kernels/random.h"

namespace tinta::evaluation {
namespace {

void require_noisy(const at::Tensor& y, double sigma, const NonLocalMeansConfig& config) {
  if (y.dim() != 4 || y.numel() == 0 || !y.is_floating_point()) {
    throw ArgumentError("[non_local_means] expected floating pictures [B,C,H,W]");
  }
  if (!(sigma > 0) || !std::isfinite(sigma)) {
    throw ArgumentError("[non_local_means] expected a positive, finite sigma, got " +
                        shortest(sigma));
  }
  if (config.patch < 0 || config.search < 0 || !(config.strength > 0)) {
    throw ArgumentError(
        "[non_local_means] expected radii of at least 0 and a positive strength, got " +
        std::to_string(config.patch) + ", " + std::to_string(config.search) + " and " +
        shortest(config.strength));
  }
}

// The part of a picture that still lies inside it when moved by (down, right).
at::Tensor part(const at::Tensor& x, std::int64_t down, std::int64_t right) {
  return x.slice(2, std::max<std::int64_t>(0, down), x.size(2) + std::min<std::int64_t>(0, down))
      .slice(3, std::max<std::int64_t>(0, right), x.size(3) + std::min<std::int64_t>(0, right));
}

}  // namespace

at::Tensor non_local_means(const at::Tensor& y, double sigma, const NonLocalMeansConfig& config) {
  require_noisy(y, sigma, config);
  const at::NoGradGuard no_grad;
  const double h = config.strength * sigma;
  const std::int64_t side = 2 * config.patch + 1;
  at::Tensor sum = y.clone();
  at::Tensor weights = at::ones({y.size(0), 1, y.size(2), y.size(3)}, y.options());
  const std::int64_t down_most = std::min(config.search, y.size(2) - 1);
  const std::int64_t right_most = std::min(config.search, y.size(3) - 1);
  for (std::int64_t down = 0; down <= down_most; ++down) {
    // Of every two opposite moves one is enough: the weight serves both ways.
    for (std::int64_t right = down == 0 ? 1 : -right_most; right <= right_most; ++right) {
      const at::Tensor here = part(y, down, right), there = part(y, -down, -right);
      const at::Tensor squared = (here - there).square().mean(1, true);
      const at::Tensor distance =
          at::avg_pool2d(squared, {side, side}, {1, 1}, {config.patch, config.patch}, false, false);
      const at::Tensor w = ((distance - 2 * sigma * sigma).clamp_min(0) * (-1 / (h * h))).exp_();
      part(sum, down, right).add_(w * there);
      part(weights, down, right).add_(w);
      part(sum, -down, -right).add_(w * here);
      part(weights, -down, -right).add_(w);
    }
  }
  return (sum / weights).clamp_(-1, 1);
}

NonLocalMeansConfig tuned_non_local_means(const at::Tensor& train, double sigma) {
  constexpr std::array<double, 6> kStrengths = {0.2, 0.4, 0.6, 0.8, 1.0, 1.2};
  require_noisy(train, sigma, {});
  const at::Tensor noise =
      kernels::normal(train.sizes(), {.seed = 0, .stream = Stream::denoise_forward, .step = 0});
  const at::Tensor y = train + noise.to(train.options()) * sigma;
  NonLocalMeansConfig best;
  double least = INFINITY;
  for (std::int64_t patch = 1; patch <= 3; ++patch) {
    for (const double strength : kStrengths) {
      const NonLocalMeansConfig config{.patch = patch, .strength = strength};
      const double error =
          (non_local_means(y, sigma, config) - train).square().mean().item<double>();
      if (error < least) least = error, best = config;
    }
  }
  return best;
}

}  // namespace tinta::evaluation
