#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "tinta/process/exact.h"
#include "tinta/process/schedule.h"

// The terms of the variational bound as integrals over x_0, eps and x_{t-1}, for data of a mixture
// of Gaussians on the line. No closed form of the posterior or of a divergence enters.

namespace tinta::lab {

struct LineMixture {
  std::vector<double> weights{0.35, 0.65};
  std::vector<double> means{-1.0, 0.8};
  std::vector<double> sigmas{0.25, 0.4};

  [[nodiscard]] double density(double x) const;
  /// -E log q(x_0), nats
  [[nodiscard]] double entropy() const;
  [[nodiscard]] process::GaussianMixtureDenoiser denoiser() const;
  /// @return [count] double, by (seed, Stream::lab, sample + i)
  [[nodiscard]] at::Tensor draw(std::uint64_t seed, std::uint64_t sample, std::int64_t count) const;
};

/// Places (x_0, eps) and what each counts in a mean over the data and the noise. [B] double each
struct Nodes {
  at::Tensor x0, eps, weight;
};
Nodes nodes_of(const LineMixture& mixture);

/// Means over nodes at one step, with p(x_{t-1} | x_t) = N(mu, variance) and mu by lab eq. 7.
struct StepIntegrals {
  double kl = 0;               ///< L_{t-1}, variance = beta_t
  double gradients = 0;        ///< of |grad log q - grad log p|^2 over q, variance = beta_t
  double equal_kl = 0;         ///< KL with variance = that of q itself
  double equal_gradients = 0;  ///< the mean square of the gradients' difference there
};

/// @param t   in 2..T
/// @param eps [B] double, the predicted noise at each node
StepIntegrals integrate_step(const process::VpSchedule& schedule, int t, const Nodes& nodes,
                             const at::Tensor& eps);

/// L_T and L_0 likewise.
double integrate_prior(const process::VpSchedule& schedule, const LineMixture& mixture);
double integrate_reconstruction(const process::VpSchedule& schedule, const Nodes& nodes,
                                const at::Tensor& eps);

}  // namespace tinta::lab
