#include "tinta/evaluation/quality.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>
#include <cmath>
#include <sstream>
#include <string>

#include "tinta/core/error.h"

namespace tinta::evaluation {
namespace {

constexpr double kPeak = 2;  // pixels span [-1, 1]
constexpr std::int64_t kRadius = 5;
constexpr std::int64_t kWindow = 2 * kRadius + 1;
constexpr double kSigma = 1.5;
constexpr double kC1 = (0.01 * kPeak) * (0.01 * kPeak);
constexpr double kC2 = (0.03 * kPeak) * (0.03 * kPeak);

void require_pair(const char* where, const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() == 4 && a.sizes() == b.sizes() && a.numel() > 0 && a.is_floating_point() &&
      b.is_floating_point()) {
    return;
  }
  std::ostringstream message;
  message << "[" << where << "] expected two floating [B,C,H,W] of one shape, got " << a.sizes()
          << " " << a.scalar_type() << " and " << b.sizes() << " " << b.scalar_type();
  throw ArgumentError(message.str());
}

// [n - 10, n] banded: row i weighs positions i .. i + 10 by the window, so that a product with it
// is the one-dimensional filter at every place where the window fits.
at::Tensor window_matrix(std::int64_t n) {
  std::array<double, kWindow> weights{};
  double sum = 0;
  for (std::int64_t k = 0; k < kWindow; ++k) {
    const auto offset = static_cast<double>(k - kRadius);
    weights[static_cast<std::size_t>(k)] = std::exp(-offset * offset / (2 * kSigma * kSigma));
    sum += weights[static_cast<std::size_t>(k)];
  }
  at::Tensor matrix = at::zeros({n - kWindow + 1, n}, at::kDouble);
  auto entries = matrix.accessor<double, 2>();
  for (std::int64_t i = 0; i < matrix.size(0); ++i) {
    for (std::int64_t k = 0; k < kWindow; ++k)
      entries[i][i + k] = weights[static_cast<std::size_t>(k)] / sum;
  }
  return matrix;
}

}  // namespace

at::Tensor psnr(const at::Tensor& a, const at::Tensor& b) {
  require_pair("psnr", a, b);
  const at::NoGradGuard no_grad;
  const at::Tensor mse = (a.to(at::kDouble) - b.to(at::kDouble)).square().mean({1, 2, 3});
  return 10 * (kPeak * kPeak / mse).log10();
}

at::Tensor ssim(const at::Tensor& a, const at::Tensor& b) {
  require_pair("ssim", a, b);
  if (a.size(2) < kWindow || a.size(3) < kWindow) {
    throw ArgumentError("[ssim] expected height and width of at least 11, got " +
                        std::to_string(a.size(2)) + " x " + std::to_string(a.size(3)));
  }
  const at::NoGradGuard no_grad;
  const at::Tensor rows = window_matrix(a.size(2)).to(a.device());
  const at::Tensor columns = window_matrix(a.size(3)).t().to(a.device());
  const auto local_mean = [&](const at::Tensor& map) { return rows.matmul(map).matmul(columns); };

  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  const at::Tensor mean_x = local_mean(x), mean_y = local_mean(y);
  const at::Tensor variance_x = local_mean(x * x) - mean_x * mean_x;
  const at::Tensor variance_y = local_mean(y * y) - mean_y * mean_y;
  const at::Tensor covariance = local_mean(x * y) - mean_x * mean_y;
  // Wang et al. 2004, eq. 13.
  const at::Tensor map =
      (2 * mean_x * mean_y + kC1) * (2 * covariance + kC2) /
      ((mean_x * mean_x + mean_y * mean_y + kC1) * (variance_x + variance_y + kC2));
  return map.mean({1, 2, 3});
}

}  // namespace tinta::evaluation
