#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "tinta/figures/figure.h"
#include "tinta/lab/boltzmann.h"
#include "tinta/lab/row.h"
#include "tinta/physics/ensemble.h"
#include "tinta/physics/observables.h"

namespace tinta::lab {

/// What the row langevin-overdamped simulates (thesis eq. 2.21, beside eq. 2.20 at growing gamma).
/// Everything in one dimension with m = kT = 1; s = t / (m gamma) is the overdamped equation's own
/// time.
struct LangevinOverdamped {
  std::int64_t particles = 100'000;         ///< of each run at one gamma
  std::int64_t bias_particles = 1'000'000;  ///< of each run at one step
  std::int64_t fast_particles = 1'000'000;  ///< of the run that is timed, in the plane
  std::int64_t fast_steps = 1000;
  std::vector<double> frictions = {1, 3, 8, 20};
  std::vector<double> quadratic_steps = {0.2, 0.4, 0.6, 0.8, 1.0};  ///< of s, in U = x^2 / 2
  std::vector<double> well_steps = {0.005, 0.01, 0.02, 0.03};       ///< in the double well
  std::vector<double> coarse_steps = {0.05, 0.07, 0.09};  ///< there, of the better scheme alone
  double noise_factor = 1;  ///< other values break fluctuation and dissipation on purpose
};

inline constexpr double kOverdampedStart = 2;  ///< where the relaxing particles start

/// The particles' mean on its way down U = x^2 / 2 at one gamma.
struct Relaxation {
  double friction = 0;        ///< infinite: the overdamped equation
  std::vector<double> times;  ///< s
  std::vector<double> mean, error, exact;
};

/// Positions in the double well U = (x^2 - 1)^2 at one gamma.
struct Stationary {
  double friction = 0;
  at::Tensor x;  ///< [N,1] float32
};

/// A stationary mean at one step: of x^2 in U = x^2 / 2, of U in the double well.
struct BiasPoint {
  double step = 0;
  physics::Estimate euler, better;  ///< Euler-Maruyama's; Leimkuhler and Matthews's
  double euler_exact = 0;           ///< of Euler-Maruyama's own stationary density
};

/// A straight line or parabola through values with errors, taken to step 0.
struct Extrapolation {
  physics::Estimate value;
  std::vector<double> coefficients;  ///< constant first
};

struct OverdampedRecord {
  std::vector<Relaxation> relaxations;
  std::vector<Stationary> stationary;
  std::vector<BiasPoint> quadratic, well;
  std::vector<BiasPoint> coarse;  ///< of the double well; no `euler`
  Extrapolation extrapolated;     ///< of Euler-Maruyama in the double well
  double well_exact = 0;          ///< mean of U by quadrature
};

Result langevin_overdamped(const Context& context, const LangevinOverdamped& system);

/// Everything that the row sees; incomplete where it was stopped.
OverdampedRecord simulate_overdamped(const Context& context, const LangevinOverdamped& system);

/// Seconds that the timed run takes. @param temperature 0: no random numbers are drawn
double overdamped_seconds(const Context& context, const LangevinOverdamped& system,
                          double temperature);

/// Boltzmann's density in U = (x^2 - 1)^2 at kT = 1.
Boltzmann overdamped_well();

/// Mean of U under the stationary density of x' = x - U'(x) dt + sqrt(2 dt) z with U =
/// (x^2 - 1)^2, from its transition density on a grid: what infinitely many particles would give.
double euler_stationary_energy(double step);

/// Mean position of the full equation in U = x^2 / 2, from x(0) = kOverdampedStart with no mean
/// velocity, m = 1; friction may be infinite, with s then the time.
double relaxing_mean(double friction, double s);

/// Weighted least squares of a polynomial in the step. @param degree at most 2
Extrapolation extrapolate(const std::vector<double>& steps,
                          const std::vector<physics::Estimate>& values, int degree);

figures::Figure overdamped_figure(const OverdampedRecord& record);

}  // namespace tinta::lab
