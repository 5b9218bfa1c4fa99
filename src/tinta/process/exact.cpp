#include "tinta/process/exact.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::process {
namespace {

void require(bool holds, const std::string& expected_got) {
  if (!holds) throw ArgumentError("[GaussianMixtureDenoiser] expected " + expected_got);
}

/// [B,...] -> [B,D] double
at::Tensor rows(const at::Tensor& x, std::int64_t dimensions) {
  require(x.dim() >= 1 && x.numel() == x.size(0) * dimensions,
          c10::str("x_t of sizes [B,...] with ", dimensions, " numbers per row, got ", x.sizes()));
  return x.reshape({x.size(0), dimensions}).to(at::kDouble);
}

}  // namespace

GaussianMixtureDenoiser::GaussianMixtureDenoiser(at::Tensor weights, at::Tensor means,
                                                 at::Tensor sigmas)
    : weights_(std::move(weights)), means_(std::move(means)), sigmas_(std::move(sigmas)) {
  require(means_.dim() == 2 && means_.size(0) > 0 && means_.size(1) > 0,
          c10::str("means of sizes [K,D], got ", means_.sizes()));
  const auto components = means_.sizes().slice(0, 1);
  require(weights_.sizes() == components && sigmas_.sizes() == components,
          c10::str("weights and sigmas of sizes ", components, ", got ", weights_.sizes(), " and ",
                   sigmas_.sizes()));
  weights_ = weights_.to(at::kDouble);
  means_ = means_.to(at::kDouble);
  sigmas_ = sigmas_.to(at::kDouble);
  require((weights_ > 0).all().item<bool>(), "positive weights, got one that is not");
  const double sum = weights_.sum().item<double>();
  require(std::abs(sum - 1) < 1e-9, "weights that sum to 1, got " + shortest(sum));
  require((sigmas_ >= 0).all().item<bool>(), "sigmas that are not negative, got one that is");
  require(means_.isfinite().all().item<bool>() && sigmas_.isfinite().all().item<bool>(),
          "finite means and sigmas, got one that is not");
}

at::Tensor GaussianMixtureDenoiser::log_joint(const at::Tensor& x_t,
                                              const NoiseLevel& level) const {
  const auto dimensions = static_cast<double>(means_.size(1));
  const at::Tensor variance = sigmas_.square() * (level.a * level.a) + level.s * level.s;
  require((variance > 0).all().item<bool>(),
          "s > 0 where a component has sigma 0, got s = " + shortest(level.s));
  // Mode 2 sums squared differences; the products of the faster mode would cancel at small s.
  const at::Tensor distance = at::cdist(x_t, means_ * level.a, 2, 2);
  return weights_.log() - distance.square() / (variance * 2) -
         (variance * (2 * std::numbers::pi)).log() * (dimensions / 2);
}

at::Tensor GaussianMixtureDenoiser::predict(const at::Tensor& x_t, const NoiseLevel& level) const {
  const at::Tensor x = rows(x_t, means_.size(1));
  const at::Tensor responsibility = log_joint(x, level).softmax(1);  // [B,K]
  // Component k's posterior mean: mu_k + a sigma_k^2 / variance_k (x - a mu_k), whose factor on
  // mu_k is s^2 / variance_k.
  const at::Tensor variance = sigmas_.square() * (level.a * level.a) + level.s * level.s;
  const at::Tensor on_mean = (level.s * level.s) / variance;
  const at::Tensor on_x = sigmas_.square() * level.a / variance;
  const at::Tensor x0 = responsibility.matmul(on_mean.unsqueeze(1) * means_) +
                        responsibility.mv(on_x).unsqueeze(1) * x;
  return x0.reshape(x_t.sizes()).to(x_t.scalar_type());
}

at::Tensor GaussianMixtureDenoiser::log_density(const at::Tensor& x_t,
                                                const NoiseLevel& level) const {
  return log_joint(rows(x_t, means_.size(1)), level).logsumexp(1);
}

GaussianMixtureDenoiser finite_set_denoiser(const at::Tensor& points) {
  if (points.dim() < 1 || points.numel() == 0) {
    throw ArgumentError(
        c10::str("[finite_set_denoiser] expected points of sizes [N,...], got ", points.sizes()));
  }
  const std::int64_t count = points.size(0);
  return {at::full({count}, 1 / static_cast<double>(count), at::kDouble),
          points.reshape({count, -1}), at::zeros({count}, at::kDouble)};
}

}  // namespace tinta::process
