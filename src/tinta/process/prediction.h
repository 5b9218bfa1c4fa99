#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "tinta/process/schedule.h"

namespace tinta::process {

/// What a network's output means, with x_t = a x_0 + s eps:
///   eps: the noise (Ho et al. 2020);  x0: the clean picture;
///   v = a eps - s x_0 (Salimans and Ho 2022, arXiv:2202.00512, appendix D);
///   edm: EDM's F, of an input that is scaled (process/edm.h).
enum class Prediction { eps, x0, v, edm };

/// @param name "eps", "x0", "v" or "edm". @throws ArgumentError, nearest suggested
Prediction prediction_from(const std::string& name);
std::string to_string(Prediction prediction);

/// Turns an output of one meaning into another, at one level for the whole batch. Every conversion
/// is a combination of output and x_t with two coefficients, computed in double and rounded once;
/// exact up to rounding, for any a and s (a^2 + s^2 need not be 1). From x0 to another divides by
/// s, from eps to another divides by a, from v to another divides by a^2 + s^2, and to or from F
/// divides by a^2 data^2 + s^2 as well.
/// @param output floating, as large as x_t
/// @return like x_t
/// @throws ArgumentError when shapes disagree or a conversion would divide by zero
at::Tensor convert(const at::Tensor& output, Prediction from, Prediction to, const at::Tensor& x_t,
                   const NoiseLevel& level);

/// The training target of eps, x0 or v; that of F follows from preconditioning() (edm.h).
/// @param x0, noise [B,C,H,W] floating
/// @param a, s      [B,1,1,1], used by v alone
/// @return [B,C,H,W]
/// @throws ArgumentError on another kind
at::Tensor target(Prediction kind, const at::Tensor& x0, const at::Tensor& noise,
                  const at::Tensor& a, const at::Tensor& s);

}  // namespace tinta::process
