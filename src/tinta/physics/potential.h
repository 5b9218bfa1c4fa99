#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

#include "tinta/kernels/particles.h"

namespace tinta::physics {

/// An energy landscape U(x), in units of the temperature's: k_B T = 1 is one unit.
class Potential {
 public:
  virtual ~Potential() = default;

  /// @param x [N,D] floating @return [N] like x
  [[nodiscard]] virtual at::Tensor energy(const at::Tensor& x) const = 0;
  /// -grad U. @param x [N,D] floating @return [N,D] like x
  [[nodiscard]] virtual at::Tensor force(const at::Tensor& x) const = 0;
  /// Largest curvature of U anywhere that a particle is expected: what limits a time step.
  /// Infinite where it is not known.
  [[nodiscard]] virtual double curvature() const = 0;
  /// The closed-form terms that U is the sum of, which the fused integrators know; empty where U is
  /// not such a sum, and forces are asked for step by step.
  [[nodiscard]] virtual std::vector<kernels::PotentialTerm> terms() const { return {}; }
};

using PotentialPtr = std::shared_ptr<const Potential>;

/// U = 0.
PotentialPtr free_space();
/// U = stiffness / 2 |x - center|^2 (thesis eqs. 2.2-2.3: its Boltzmann density is Gaussian). A
/// center without numbers is the origin of any space.
PotentialPtr quadratic(std::vector<double> center, double stiffness);
/// U = -depth exp(-|x - center|^2 / (2 width^2)).
PotentialPtr gaussian_well(std::vector<double> center, double depth, double width);
/// U = barrier ((x_axis / half_distance)^2 - 1)^2 + stiffness / 2 (other coordinates)^2: minima at
/// x_axis = +-half_distance, `barrier` above them at 0. Its curvature is taken at the height of the
/// barrier, x_axis = sqrt(2) half_distance.
PotentialPtr double_well(double half_distance, double barrier, double stiffness = 1, int axis = 0);
/// Gaussian wells of one depth and width at each row of `centers` in a quadratic bowl.
/// @param centers [K,D]
PotentialPtr multi_well(const at::Tensor& centers, double depth, double width, double confinement);
/// The sum of potentials. @throws ArgumentError when there are none
PotentialPtr sum(std::vector<PotentialPtr> parts);
/// A potential of any functions: a learned one, say. Forces are asked for step by step.
/// @param energy    [N,D] -> [N]
/// @param force     [N,D] -> [N,D], -grad of energy
/// @param curvature the largest, or infinity where it is not known: no time step is refused then
PotentialPtr from_functions(std::function<at::Tensor(const at::Tensor&)> energy,
                            std::function<at::Tensor(const at::Tensor&)> force, double curvature);

}  // namespace tinta::physics
