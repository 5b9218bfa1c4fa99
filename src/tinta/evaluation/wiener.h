#pragma once

#include <ATen/core/Tensor.h>

namespace tinta::evaluation {

/// The classical baseline: the Wiener filter in the basis of the data's own principal components,
/// the best linear denoiser there is for these data (Gaussian prior with the training set's mean and
/// covariance). With y = x_0 + (s / a) eps: x_hat = mu + U diag(l / (l + s^2 / a^2)) U^T (y - mu),
/// clamped to [-1, 1]. "Tuned": a gain on the noise variance is chosen on training pictures.
class PcaWiener {
 public:
  /// @param train [N,C,H,W] float32 in [-1, 1], N >= 2
  explicit PcaWiener(const at::Tensor& train);

  /// @param y     [B,C,H,W] float32: x_t / a, not clipped
  /// @param sigma s / a, positive
  [[nodiscard]] at::Tensor denoise(const at::Tensor& y, double sigma) const;

 private:
  at::Tensor mean_;     // [D]
  at::Tensor basis_;    // [D,D], columns
  at::Tensor spectrum_; // [D], variances
  at::Tensor tuning_;   // [M,C,H,W] held-in pictures on which the gain is chosen
};

}  // namespace tinta::evaluation
