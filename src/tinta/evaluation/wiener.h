#pragma once

#include <ATen/core/Tensor.h>

namespace tinta::evaluation {

/// The classical baseline: the Wiener filter in the basis of the data's own principal components,
/// the best linear denoiser there is for these data (Gaussian prior with the training set's mean
/// and covariance). With y = x_0 + sigma eps and covariance U diag(l) U^T:
///   x_hat = mu + U diag(l / (l + gain sigma^2)) U^T (y - mu), clamped to [-1, 1].
/// Real data are not Gaussian and the clamp is not linear, so the filter is tuned: the gain on the
/// noise variance is the one that restores noised training pictures best.
/// Source: Wiener 1949; Bishop 2006, "Pattern recognition and machine learning", eqs. 2.116-2.117.
class PcaWiener {
 public:
  /// Takes the mean and the population covariance of the training pictures, in double.
  /// @param train [N,C,H,W] floating in [-1, 1] on the CPU, N >= 2, C * H * W at most 4096 (the
  ///              decomposition costs the cube of it)
  /// @throws ArgumentError
  explicit PcaWiener(const at::Tensor& train);

  /// The gain, among 0 and 1/8 ... 8 in steps of 2^(1/2), with the least squared error over up to
  /// 512 training pictures spread over the set, under fixed noise: deterministic.
  /// Gain 0 is the clamp alone, so the tuned filter is at least as good as that on those pictures.
  /// @param sigma s / a, positive and finite
  /// @throws ArgumentError
  [[nodiscard]] double tuned_gain(double sigma) const;

  /// @param y     [B,C,H,W] floating: x_t / a, not clipped
  /// @param sigma s / a, positive and finite
  /// @param gain  not negative; 1 is the posterior mean of the Gaussian prior, but for the clamp
  /// @return like y, in [-1, 1]; computed in double
  /// @throws ArgumentError
  [[nodiscard]] at::Tensor denoise(const at::Tensor& y, double sigma, double gain) const;

  /// The same at the tuned gain. For several batches at one sigma, find the gain once.
  [[nodiscard]] at::Tensor denoise(const at::Tensor& y, double sigma) const;

 private:
  [[nodiscard]] at::Tensor restore(const at::Tensor& coefficients, double noise_variance) const;

  at::Tensor mean_;      // [D]
  at::Tensor basis_;     // [D,D], columns
  at::Tensor spectrum_;  // [D], variances, positive
  at::Tensor tuning_;    // [M,D] held-in pictures on which the gain is chosen
  at::Tensor noise_;     // [M,D] standard normal, for the tuning
};

}  // namespace tinta::evaluation
