#pragma once

#include <cstdint>
#include <vector>

// Power-function averages of weights (Karras et al. 2024, "Analyzing and improving the training
// dynamics of diffusion models", arXiv:2312.02696, section 3.1). After step t the average holds
// theta(s), the weights after step s, with the share
//
//   integral over [s - 1, s] of p(tau) = (gamma + 1) tau^gamma / t^(gamma + 1),
//
// which the recursion average += (1 - beta_t) (theta(t) - average) with
// beta_t = (1 - 1/t)^(gamma + 1) gives exactly. The profile p keeps its shape as a run grows: its
// standard deviation, as a share of t, is the relative width sigma_rel.

namespace tinta::training {

/// sigma_rel of an exponent: (gamma + 1)^(1/2) (gamma + 2)^-1 (gamma + 3)^(-1/2), the standard
/// deviation of the distribution Beta(gamma + 1, 1). Falls from 0.289 at gamma = 0.
double relative_width(double gamma);

/// The exponent gamma >= 0 of a relative width: the inverse. @param width in (0, 0.28]
/// @throws ArgumentError on another
double gamma_of(double width);

/// beta_t: what the average keeps of itself at step t. @param step counted from 1, where it is 0
double power_ema_decay(std::uint64_t step, double gamma);

/// An average that was, or is to be: that of exponent gamma after `step` steps.
struct Profile {
  double step = 1;  ///< t
  double gamma = 0;
};

/// Integral over all tau of p_a p_b, each zero beyond its t.
double inner_product(const Profile& a, const Profile& b);

/// How to put one average together from others.
struct Combination {
  std::vector<double> weights;  ///< one for each of those that there are
  /// What is left of the wanted profile, as a share of it: the square root of the ratio of
  /// integrals of squares. 0: it is met everywhere.
  double residual = 0;
};

/// Post-hoc averages (ibid., section 3.2 and algorithm 3): the combination of profiles that is
/// nearest to the wanted one by least squares; the same combination of averages stands for the
/// wanted average. Unlike there, the weights are held to a sum of 1, so that the average of weights
/// that do not move is those weights: the paper's networks normalise theirs, ours do not.
/// @throws ArgumentError when there is none to combine
Combination combination(const std::vector<Profile>& there, const Profile& wanted);

}  // namespace tinta::training
