#pragma once

#include <ATen/core/Tensor.h>

namespace tinta::evaluation {

/// Peak signal-to-noise ratio of each picture, peak 2 (pixels in [-1, 1]): 10 log10(4 / MSE), dB.
/// @param a, b [B,C,H,W] floating
/// @return [B] double; +inf where they are equal
/// @throws ArgumentError unless both are floating, not empty and of one shape
at::Tensor psnr(const at::Tensor& a, const at::Tensor& b);

/// Structural similarity of each picture (Wang et al. 2004): Gaussian window 11x11, sigma 1.5,
/// K1 = 0.01, K2 = 0.03, data range 2, population covariance, windows that lie wholly inside the
/// picture, mean over channels and positions; as scikit-image computes it with
/// gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=2.
/// @param a, b [B,C,H,W] floating, H and W at least 11
/// @return [B] double, 1 where they are equal
/// @throws ArgumentError
at::Tensor ssim(const at::Tensor& a, const at::Tensor& b);

}  // namespace tinta::evaluation
