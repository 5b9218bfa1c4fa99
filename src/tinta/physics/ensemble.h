#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tinta/core/sink.h"
#include "tinta/kernels/particles.h"
#include "tinta/physics/potential.h"

namespace tinta::physics {

/// Particles that do not feel each other. Particle i's random numbers depend on (seed, i, step)
/// alone, so that results do not depend on how many there are nor on the number of threads.
struct Ensemble {
  at::Tensor x;            ///< [N,D] float32 contiguous
  at::Tensor v{};          ///< [N,D] float32; undefined where motion is overdamped
  std::uint64_t step = 0;  ///< steps taken
  /// Leimkuhler-Matthews at reflecting walls: [N,D] float32, -1 where a wall mirrored the noise
  /// that the next step averages with; undefined where none did.
  at::Tensor turned{};

  [[nodiscard]] std::int64_t size() const { return x.size(0); }
  [[nodiscard]] std::int64_t dimensions() const { return x.size(1); }
};

/// `count` particles at one point, at rest.
Ensemble at_point(std::int64_t count, const std::vector<double>& point);

/// Where particles may be: reflecting walls turn them back, periodic ones let them in on the other
/// side.
using kernels::Walls;

/// Velocities drawn from Maxwell's distribution: standard deviation sqrt(kT / mass) in each
/// direction. They share no random number with the motion. @return [N,D] float32
at::Tensor maxwell_velocities(std::int64_t count, std::int64_t dimensions, double temperature,
                              double mass, std::uint64_t seed);

/// How an ensemble moves.
struct Motion {
  double mass = 1;         ///< m > 0; not felt where motion is overdamped
  double friction = 1;     ///< gamma > 0, the rate at which velocity is lost
  double temperature = 1;  ///< k_B T >= 0
  double time_step = 0.01;
  Walls walls{};
  std::uint64_t seed = 0;
  /// k_B T of step n (counted from the ensemble's own step), where it changes: heating, annealing.
  std::function<double(std::uint64_t step)> schedule{};
  /// Factor on the random force's amplitude; 1 is the fluctuation-dissipation relation. Other
  /// values are for showing what breaks it.
  double noise_factor = 1;

  /// Every rule that this breaks, by itself.
  [[nodiscard]] std::vector<std::string> problems() const;
};

/// Discretisations of the overdamped equation dx = -grad U / (m gamma) dt + sqrt(2 kT / (m gamma))
/// dW (thesis eq. 2.21, which takes m = gamma = 1).
enum class Overdamped {
  euler_maruyama,      ///< weak order 1: its stationary density is off by O(dt)
  leimkuhler_matthews  ///< Leimkuhler and Matthews 2013: stationary averages to O(dt^2)
};

/// Takes an ensemble `steps` steps on. Forces in closed form run in one fused pass over memory for
/// many steps; others are asked for step by step (stepper/).
/// @throws ArgumentError on impossible physics: a negative temperature, friction or mass, a time
///         step beyond stability (the limit is named: 2 m gamma / curvature), walls that particles
///         are outside of
void advance_overdamped(Ensemble& ensemble, const Potential& potential, const Motion& motion,
                        Overdamped scheme, std::int64_t steps);

/// Langevin's equation with mass (thesis eq. 2.20): m dv = -grad U dt - gamma m v dt +
/// sqrt(2 m gamma kT) dW, by BAOAB (Leimkuhler and Matthews 2013). Velocities that are undefined
/// are drawn from Maxwell's distribution first.
/// @throws ArgumentError as above; stability needs time_step < 2 sqrt(m / curvature)
void advance_langevin(Ensemble& ensemble, const Potential& potential, const Motion& motion,
                      std::int64_t steps);

/// The largest time step that the overdamped schemes are stable with: 2 m gamma / curvature.
double overdamped_limit(const Potential& potential, const Motion& motion);
/// And BAOAB: 2 sqrt(m / curvature).
double langevin_limit(const Potential& potential, const Motion& motion);

}  // namespace tinta::physics
