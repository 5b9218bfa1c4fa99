#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tinta/lab/densities.h"
#include "tinta/lab/row.h"
#include "tinta/model/point_net.h"
#include "tinta/physics/minima.h"
#include "tinta/physics/score_field.h"
#include "tinta/process/schedule.h"

// A density that a small net learned, with its landscape: what rows learned-density and
// stochastic-force are about.

namespace tinta::lab {

/// The energy U_theta = psi(x, t) / s_t of a trained net at one noise level, so that its score is
/// -grad U_theta and p_theta ~ exp(-U_theta).
class LearnedEnergy {
 public:
  /// @param network kept by reference, in single or double precision
  LearnedEnergy(model::EnergyNet& network, const process::NoiseLevel& level)
      : network_(&network), level_(level) {}

  /// U_theta, up to a constant. @param x [N,2] in the network's dtype @return [N] like x
  [[nodiscard]] at::Tensor energy(const at::Tensor& x) const;
  /// -grad U_theta. @return [N,2] like x
  [[nodiscard]] at::Tensor score(const at::Tensor& x) const;

 private:
  model::EnergyNet* network_;
  process::NoiseLevel level_;
};

struct EnergyTraining {
  std::int64_t steps = 600;
  std::uint64_t seed = 0;     ///< of weights, data and noise
  std::int64_t points = 300;  ///< size of the data set
};

/// A small EnergyNet (two layers of 64) trained by algorithm 2.2.1 on a finite set of samples of a
/// density, as the thesis's X is.
std::shared_ptr<model::EnergyNet> learn_energy(const PlaneDensity& density,
                                               const process::VpSchedule& schedule,
                                               const EnergyTraining& training,
                                               const Context& context);

/// A density on a grid and the minima of its U = -log p.
struct PlaneLandscape {
  physics::PlaneGrid grid;
  at::Tensor log_density;  ///< [side,side] double, of unit mass on the grid
  physics::Landscape wells;

  /// Mass of each well's basin. @return [minima] double
  [[nodiscard]] at::Tensor masses() const;
};

/// Depth below which a minimum is not told from the roughness of a grid, in k_B T.
inline constexpr double kLeastDepth = 0.01;

/// @param log_density [side * side] double on the grid's points, up to a constant
PlaneLandscape landscape_of(const at::Tensor& log_density, const physics::PlaneGrid& grid);

/// Half the integral of |p - q|, 0 to 1, of two densities on one grid.
double total_variation(const PlaneLandscape& p, const PlaneLandscape& q);

/// What a minimum of a learned landscape is.
enum class Well {
  own,       ///< stands for a minimum of the exact one
  spurious,  ///< does not
  border,    ///< ends at the grid's border, so that nothing can be said
};

/// In each basin of the exact landscape the lowest learned minimum stands for the true one; all
/// others are spurious. @return one for each of learned.wells.minima
std::vector<Well> kinds_of(const PlaneLandscape& learned, const PlaneLandscape& exact);

/// How many of a kind there are.
std::int64_t count_of(const std::vector<Well>& kinds, Well kind);

/// The Gaussian with the mean and the covariance of a density at a noise level, on a grid.
PlaneLandscape gaussian_of_moments(const PlaneDensity& density, const process::NoiseLevel& level,
                                   const physics::PlaneGrid& grid);

}  // namespace tinta::lab
