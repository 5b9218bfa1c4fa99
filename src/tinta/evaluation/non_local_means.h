#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tinta::evaluation {

/// How alike patches must be, and where they are looked for.
struct NonLocalMeansConfig {
  std::int64_t patch = 2;    ///< radius of a patch: sides of 2 patch + 1
  std::int64_t search = 10;  ///< radius of the square in which patches are compared
  double strength = 0.6;     ///< h / sigma: how fast the weight falls with the distance
};

/// Non-local means: each pixel becomes a mean over pixels whose surroundings look like its own,
///   x_hat_i = sum_j w_ij y_j / sum_j w_ij,  w_ij = exp(-max(d_ij^2 - 2 sigma^2, 0) / h^2),
/// with d_ij^2 the mean squared difference of the patches about i and j; clamped to [-1, 1]. Needs
/// no training pictures. Patches are cut off at the edge. Source: Buades, Coll and Morel 2005, "A
/// non-local algorithm for image denoising", eqs. 3-5; the form of w is of their 2011 note, IPOL 1,
/// 208-212.
/// @param y     [B,C,H,W] floating: x_t / a, not clipped
/// @param sigma s / a, positive and finite
/// @return like y, in [-1, 1]
/// @throws ArgumentError
at::Tensor non_local_means(const at::Tensor& y, double sigma, const NonLocalMeansConfig& config);

/// The patch radius, among 1 to 3, and the strength, among 0.2 to 1.2 in steps of 0.2, with the
/// least squared error over the given pictures under fixed noise: deterministic.
/// @param train [N,C,H,W] floating in [-1, 1]: a few dozen are enough
/// @throws ArgumentError
NonLocalMeansConfig tuned_non_local_means(const at::Tensor& train, double sigma);

}  // namespace tinta::evaluation
