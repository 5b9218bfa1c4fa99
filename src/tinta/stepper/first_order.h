#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace tinta::stepper {

/// -grad U or any other vector field. @param x [N,...] floating @return like x
using Force = std::function<at::Tensor(const at::Tensor& x)>;

/// A step of dx = F(x) dt + sqrt(2 D) dW, in numbers: drift = dt, amplitude = sqrt(2 D dt). With a
/// mobility 1 / (m gamma) before F: drift = dt / (m gamma).
struct FirstOrderStep {
  double drift = 0;
  double amplitude = 0;
};

/// x + drift F(x) + amplitude noise: weak order 1. On U = k x^2 / 2 with D = kT and m gamma = 1 its
/// stationary variance is kT / k / (1 - k dt / 2).
/// @param noise like x, standard normal
at::Tensor euler_maruyama(const Force& force, const at::Tensor& x, const FirstOrderStep& step,
                          const at::Tensor& noise);

/// Heun's method: x + drift (F(x) + F(y)) / 2 + amplitude noise, where y is the Euler-Maruyama
/// step. Order 2 without noise, weak order 2 with noise. On the quadratic well with a = k dt its
/// stationary variance is kT / k (1 - a / 2) / (1 - a / 2 + a^2 / 4).
at::Tensor heun(const Force& force, const at::Tensor& x, const FirstOrderStep& step,
                const at::Tensor& noise);

/// x + drift F(x) + amplitude (noise + next_noise) / 2, where the next step's noise is this one's
/// next_noise: stationary averages to O(dt^2) for one force per step, and exact ones where F is
/// linear. Source: Leimkuhler and Matthews 2013, "Rational construction of stochastic numerical
/// methods for molecular sampling", eq. 11.
at::Tensor leimkuhler_matthews(const Force& force, const at::Tensor& x, const FirstOrderStep& step,
                               const at::Tensor& noise, const at::Tensor& next_noise);

}  // namespace tinta::stepper
