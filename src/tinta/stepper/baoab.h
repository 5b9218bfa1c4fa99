#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "tinta/stepper/first_order.h"

namespace tinta::stepper {

/// Positions and velocities, of one shape.
struct PhaseState {
  at::Tensor x;
  at::Tensor v;
};

/// What a step of m dv = F dt - gamma m v dt + sqrt(2 m gamma kT) dW is made of.
struct SecondOrderStep {
  double time_step = 0;
  double mass = 1;
  double friction = 1;     ///< gamma
  double temperature = 0;  ///< k_B T
  double noise_factor = 1;
};

/// Called after each drift, for walls; may change the state. Empty: nothing.
using AfterDrift = std::function<void(PhaseState& state)>;

/// BAOAB: half a kick (B), half a drift (A), the exact friction and noise (O), A, B. Order 2 in
/// stationary averages, and exact ones for the position where F is linear; without friction it is
/// the velocity Verlet method. Source: Leimkuhler and Matthews 2013, "Rational construction of
/// stochastic numerical methods for molecular sampling".
/// @param noise like x, standard normal
PhaseState baoab(const Force& force, const PhaseState& state, const SecondOrderStep& step,
                 const at::Tensor& noise, const AfterDrift& after_drift = {});

}  // namespace tinta::stepper
