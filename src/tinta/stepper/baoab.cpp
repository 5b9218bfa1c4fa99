#include "tinta/stepper/baoab.h"

#include <ATen/ATen.h>

#include <cmath>

#include "tinta/core/error.h"

namespace tinta::stepper {

PhaseState baoab(const Force& force, const PhaseState& state, const SecondOrderStep& step,
                 const at::Tensor& noise, const AfterDrift& after_drift) {
  if (state.x.sizes() != state.v.sizes() || state.x.sizes() != noise.sizes()) {
    throw ArgumentError("[baoab] expected velocities and noise of the positions' shape");
  }
  const double half = step.time_step / 2;
  const double decay = std::exp(-step.friction * step.time_step);
  // 1 - decay^2 without cancellation at small steps.
  const double spread =
      std::sqrt(-std::expm1(-2 * step.friction * step.time_step) * step.temperature / step.mass);
  PhaseState next = state;
  const auto drift = [&] {
    next.x = next.x + half * next.v;
    if (after_drift) after_drift(next);
  };
  next.v = next.v + half / step.mass * force(next.x);
  drift();
  next.v = decay * next.v + step.noise_factor * spread * noise;
  drift();
  next.v = next.v + half / step.mass * force(next.x);
  return next;
}

}  // namespace tinta::stepper
