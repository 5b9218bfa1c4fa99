#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/process/denoiser.h"

namespace tinta::process {

/// The exact denoiser of a mixture of isotropic Gaussians, q(x_0) = sum_k w_k N(mu_k, sigma_k^2 I):
/// given component k, x_t ~ N(a mu_k, (a^2 sigma_k^2 + s^2) I), and E[x_0 | x_t] is the mean of the
/// components' posterior means under their responsibilities. Everything in double, on the CPU;
/// predict() rounds once, to the dtype of x_t.
class GaussianMixtureDenoiser : public Denoiser {
 public:
  /// @param weights [K], positive, summing to 1 within 1e-9
  /// @param means   [K,D]
  /// @param sigmas  [K], not negative; 0 is a point
  /// @throws ArgumentError when sizes disagree or a value is out of its range
  GaussianMixtureDenoiser(at::Tensor weights, at::Tensor means, at::Tensor sigmas);

  [[nodiscard]] Prediction prediction() const override { return Prediction::x0; }
  /// @param x_t [B,...] floating with D numbers per row
  /// @throws ArgumentError on another size, or at s = 0 when a component is a point
  [[nodiscard]] at::Tensor predict(const at::Tensor& x_t, const NoiseLevel& level) const override;
  /// log q(x_t), [B] double
  [[nodiscard]] at::Tensor log_density(const at::Tensor& x_t, const NoiseLevel& level) const;

 private:
  [[nodiscard]] at::Tensor log_joint(const at::Tensor& x_t, const NoiseLevel& level) const;

  at::Tensor weights_, means_, sigmas_;
};

/// The exact denoiser of a finite set of equally likely points (a data set memorised perfectly): a
/// softmax-weighted mean of the points.
/// @param points [N,...] floating, on the CPU
/// @throws ArgumentError when there are none
GaussianMixtureDenoiser finite_set_denoiser(const at::Tensor& points);

}  // namespace tinta::process
