#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "tinta/process/schedule.h"

namespace tinta::process {

/// What a network's output means, with x_t = a x_0 + s eps:
///   eps: the noise (Ho et al. 2020);  x0: the clean picture;
///   v = a eps - s x_0 (Salimans and Ho 2022, arXiv:2202.00512, appendix D; a^2 + s^2 = 1).
enum class Prediction { eps, x0, v };

/// @throws ArgumentError, nearest suggested
Prediction prediction_from(const std::string& name);
std::string to_string(Prediction prediction);

/// Turns an output of one meaning into another, at one level for the whole batch.
/// Away from the extremes of noise every conversion is exact up to rounding; eps from x0 divides by
/// s, and x0 from eps divides by a.
/// @throws ArgumentError when a conversion would divide by zero (a = 0 or s = 0)
at::Tensor convert(const at::Tensor& output, Prediction from, Prediction to, const at::Tensor& x_t,
                   const NoiseLevel& level);

/// The training target of a prediction kind. @param a, s [B,1,1,1] float32
at::Tensor target(Prediction kind, const at::Tensor& x0, const at::Tensor& noise,
                  const at::Tensor& a, const at::Tensor& s);

}  // namespace tinta::process
