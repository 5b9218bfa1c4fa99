#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "tinta/core/sink.h"
#include "tinta/lab/row.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"
#include "tinta/sampling/sampler.h"

namespace tinta::lab {

/// Factor on eps in the reverse step: beta_t / sqrt(1 - alpha_bar_t).
double on_eps_corrected(const process::VpSchedule& schedule, int t);
/// As thesis eqs. 2.22 and 2.23 and algorithm 2.3.3 print it: beta_t / sqrt(1 - alpha_t).
double on_eps_as_printed(const process::VpSchedule& schedule, int t);

enum class LastNoise { none, as_printed };

/// Thesis eq. 2.22, x_{t-1} = (x_t - c_t eps(x_t, t)) / sqrt(alpha_t) + sqrt(beta_t) z, with what
/// is to be shown about it left open.
struct ReverseRule {
  double (*on_eps)(const process::VpSchedule& schedule, int t) = on_eps_corrected;  ///< c_t
  LastNoise last = LastNoise::none;  ///< whether z is added at t = 1 as well (algorithm 2.3.3)
};

/// A chain from x_T to x_0 (thesis algorithm 2.3.3).
struct ReverseChain {
  const process::Denoiser& denoiser;
  const process::VpSchedule& schedule;
  ReverseRule rule;
  sampling::NoiseSource noise;
  std::function<void(int t, const at::Tensor& x_t)> seen{};  ///< called at t = T, T - 1, ..., 0
  StopRequested stop{};
};

/// @param x [B,...] double, x_T @return x_0
at::Tensor run_reverse(const ReverseChain& chain, at::Tensor x);

/// The row with another rule in the place of the corrected one: what its checks must catch.
Result reverse_langevin_by(const Context& context, const ReverseRule& rule);

}  // namespace tinta::lab
