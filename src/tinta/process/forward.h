#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/process/schedule.h"

namespace tinta::process {

/// Draws x_t ~ q(x_t | x_0) in one jump (thesis eq. 2.7, lab eq. 5).
/// @param x0    [B,...] floating, pixels in [-1, 1]
/// @param t     [B] int64 in 0..T, on the CPU
/// @param noise like x0, standard normal; an argument, so that a call is deterministic
/// @return      like x0; coefficients computed in double, rounded once
/// @throws ArgumentError when shapes or dtypes disagree or a t is out of range
at::Tensor add_noise(const VpSchedule& schedule, const at::Tensor& x0, const at::Tensor& t,
                     const at::Tensor& noise);

/// One step of the chain, x_{t-1} -> x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps
/// (thesis eq. 2.1, lab eq. 1). @param t in 1..T
at::Tensor forward_step(const VpSchedule& schedule, const at::Tensor& x_previous, int t,
                        const at::Tensor& noise);

/// x_t = a x_0 + s eps at one level for the whole batch.
at::Tensor add_noise(const NoiseLevel& level, const at::Tensor& x0, const at::Tensor& noise);

}  // namespace tinta::process
