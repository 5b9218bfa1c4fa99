#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "tinta/physics/score_field.h"

namespace tinta::physics {

/// A local minimum of a landscape in the plane.
struct Minimum {
  double x = 0, y = 0;    ///< between the grid's points, by the parabola through the neighbours
  double energy = 0;      ///< of the lowest grid point
  double depth = 0;       ///< up to the lowest pass to a lower minimum; see find_minima()
  std::int64_t cell = 0;  ///< index of the lowest grid point
  /// Whether that point is on the border: then the slope may go on outside, and this is no minimum.
  bool at_border = false;
};

/// Minima of a landscape and what flows into each.
struct Landscape {
  std::vector<Minimum> minima{};  ///< lowest first
  at::Tensor basins;              ///< [side,side] int64: index in `minima` that each cell flows to

  /// The minimum that points of the plane flow to. @param x [N,2] floating, points beyond the
  /// square count as their nearest cell @return [N] int64
  [[nodiscard]] at::Tensor basin_of(const PlaneGrid& grid, const at::Tensor& x) const;
};

/// Every local minimum on a grid, its eight neighbours compared, by flooding the landscape: a pool
/// is born at each minimum, and where two pools meet, at the lowest pass between them, the
/// shallower one ends; the pass's height above its minimum is its depth (topological persistence:
/// Edelsbrunner et al. 2002). The depth of the lowest of all counts to the lowest point of the
/// border.
/// @param energy    [side,side] double, row 0 at the lowest y
/// @param min_depth pools that are shallower are no minima, and belong to the pool they meet
/// @throws ArgumentError on other sizes or values that are not finite
Landscape find_minima(const at::Tensor& energy, const PlaneGrid& grid, double min_depth);

}  // namespace tinta::physics
