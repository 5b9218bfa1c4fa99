#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/process/schedule.h"

// The variational bound -log p(x_0) <= L_T + sum_{t=2..T} L_{t-1} + L_0, term by term (thesis
// eq. 2.9; Ho et al. 2020, eq. 5). Everything in nats and in double; a value is the mean of its
// term over (x_0, x_t), which the caller draws or integrates.

namespace tinta::process {

/// The variance sigma_t^2 of the reverse step p(x_{t-1} | x_t).
enum class ReverseVariance {
  beta,       ///< beta_t (thesis eq. 2.12, lab eq. 2)
  posterior,  ///< beta-tilde_t; beta-tilde_2 at t = 1, where it vanishes (beta_1 when T = 1)
};

/// KL(N(m_q, v_q I) || N(m_p, v_p I)) = |m_q - m_p|^2 / (2 v_p)
///                                      + D/2 (v_q / v_p - 1 - log(v_q / v_p)).
/// @param squared_distance |m_q - m_p|^2
/// @param variance_q       not negative; at 0 the divergence is infinite
/// @throws ArgumentError on a negative argument or variance_p = 0
double gaussian_kl(double squared_distance, double dimensions, double variance_q,
                   double variance_p);

/// The terms of the bound for p(x_{t-1} | x_t) = N(mu(x_t, t), sigma_t^2 I), with mu from a
/// prediction of the noise (lab eq. 7, thesis eq. 2.18).
/// Tensors are [B,...] floating, all of one size; results [B] double.
class VariationalBound {
 public:
  /// @param schedule kept by reference
  VariationalBound(const VpSchedule& schedule, ReverseVariance variance)
      : schedule_(&schedule), variance_(variance) {}

  /// sigma_t^2, t in 1..T
  [[nodiscard]] double variance(int t) const;

  /// What one unit of |eps - eps_theta|^2 adds to L_{t-1}, beta_t^2 / (2 sigma_t^2 alpha_t
  /// (1 - alpha_bar_t)), t in 1..T: with sigma_t^2 = beta_t, the factor of thesis eq. 2.19.
  [[nodiscard]] double weight(int t) const;

  /// The part of L_{t-1} that no prediction changes, and that thesis eq. 2.13 leaves out: the
  /// divergence of two Gaussians of one mean and variances beta-tilde_t, sigma_t^2. t in 2..T
  [[nodiscard]] double constant(int t, double dimensions) const;

  /// L_T: KL(q(x_T | x_0) || N(0, I))
  [[nodiscard]] at::Tensor prior(const at::Tensor& x0) const;

  /// L_{t-1}: KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)), t in 2..T
  /// @param eps the predicted noise of x_t
  /// @throws ArgumentError when sizes disagree or t is out of range
  [[nodiscard]] at::Tensor transition(int t, const at::Tensor& x0, const at::Tensor& x_t,
                                      const at::Tensor& eps) const;

  /// L_0: -log p(x_0 | x_1), the density of a continuous x_0 (bytes need the mass of an interval
  /// instead: Ho et al. 2020, eq. 13)
  /// @param eps the predicted noise of x_1
  [[nodiscard]] at::Tensor reconstruction(const at::Tensor& x0, const at::Tensor& x_1,
                                          const at::Tensor& eps) const;

 private:
  const VpSchedule* schedule_;
  ReverseVariance variance_;
};

}  // namespace tinta::process
