#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/lab/row.h"
#include "tinta/process/schedule.h"

namespace tinta::lab {

/// mu(x_t, eps) = (x_t - beta_t / sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_t): thesis eq. 2.18.
/// @param x_t, eps [N,D] double @return like x_t
at::Tensor mean_from_eps(const process::VpSchedule& schedule, int t, const at::Tensor& x_t,
                         const at::Tensor& eps);

using MeanFromEps = at::Tensor (*)(const process::VpSchedule& schedule, int t,
                                   const at::Tensor& x_t, const at::Tensor& eps);

/// The row with another form of the learned mean: what its checks must catch.
Result optimise_by(const Context& context, MeanFromEps mean);

}  // namespace tinta::lab
