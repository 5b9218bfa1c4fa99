#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "tinta/core/philox.h"
#include "tinta/process/exact.h"

namespace tinta::lab {

/// A density in the plane that everything is known of: a mixture of isotropic Gaussians,
/// q(x_0) = sum_k w_k N(mu_k, sigma_k^2 I), so that q(x_t), its score and its denoiser are closed
/// forms at every noise level. Curved densities are many narrow Gaussians along a curve; that
/// mixture is the density, not an approximation of one. Mean 0 and variance near 1 in total.
struct PlaneDensity {
  std::string name;
  at::Tensor weights;       ///< [K] double
  at::Tensor means;         ///< [K,2] double
  at::Tensor sigmas;        ///< [K] double
  std::int64_t maxima = 0;  ///< that the density has, also after noise of s up to 0.1
  double half_side = 2;     ///< the square |x|, |y| <= half_side holds all but 1e-6 of it

  /// Exact at any noise level.
  [[nodiscard]] process::GaussianMixtureDenoiser denoiser() const;
  /// @return [2,2] double; the mean is zero
  [[nodiscard]] at::Tensor covariance() const;
  /// Samples first.sample .. + count - 1 of a key's stream. @return [count,2] float32
  [[nodiscard]] at::Tensor sample(std::int64_t count, const RandomKey& first) const;
  /// The same as pictures of two channels and one pixel, [count,2,1,1].
  [[nodiscard]] at::Tensor sample_points(std::int64_t count, const RandomKey& first) const;
};

/// One of config::lab_density_names(). "" is `fallback`.
/// @throws ArgumentError, nearest name suggested
PlaneDensity plane_density(const std::string& name, const std::string& fallback = "three-wells");

}  // namespace tinta::lab
