#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "tinta/figures/figure.h"
#include "tinta/lab/boltzmann.h"
#include "tinta/lab/row.h"
#include "tinta/physics/observables.h"

namespace tinta::lab {

/// What the row langevin-full simulates (thesis eq. 2.20): particles in the plane in a double well,
/// and free ones in space. No constant is 1, so that none can be missing unseen.
struct LangevinFull {
  std::int64_t particles = 400'000;       ///< in the well
  std::int64_t free_particles = 600'000;  ///< a multiple of 1000
  std::int64_t steps = 1600;              ///< in the well, over kWellTime
  double mass = 2;
  double friction = 1.5;
  double temperature = 0.8;
  double half_distance = 1;
  double barrier = 2;
  double stiffness = 4;     ///< of the well's other coordinate
  double noise_factor = 1;  ///< other values break fluctuation and dissipation on purpose

  /// How long the particles in the well are given: 15 times what a velocity's memory lasts.
  static constexpr double kWellTime = 20;

  [[nodiscard]] double well_step() const { return kWellTime / static_cast<double>(steps); }
  /// Largest curvature of the potential at its minima.
  [[nodiscard]] double curvature() const;
  /// By how much BAOAB's velocities in a quadratic well of that curvature are too cold, as a share:
  /// omega^2 dt^2 / 4 (Leimkuhler and Matthews 2013).
  [[nodiscard]] double step_bias() const;
  /// Boltzmann's density of the coordinate along which there are two wells.
  [[nodiscard]] Boltzmann across() const;
};

/// Particles of the well at its end, and a few that were followed.
struct WellRecord {
  at::Tensor x, v;                    ///< [N,2] float32
  at::Tensor followed_x, followed_v;  ///< [moments, 2] of one particle
  double followed_step = 0;           ///< time between moments
  std::vector<double> edges;          ///< of the position histogram
  std::vector<double> shares;         ///< Boltzmann's
};

/// Free particles: moments of time, with means over groups.
struct FreeRecord {
  std::vector<double> times;
  at::Tensor displacement;   ///< [groups, moments]: mean square displacement
  at::Tensor memory;         ///< [groups, moments]: mean of v(0).v(t)
  std::size_t fit_from = 0;  ///< first moment of the slope
};

Result langevin_full(const Context& context, const LangevinFull& system);

figures::Figure langevin_full_figure(const LangevinFull& system, const WellRecord& well,
                                     const FreeRecord& free);
figures::Figure langevin_path_figure(const LangevinFull& system, const WellRecord& well);

}  // namespace tinta::lab
