#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "tinta/figures/figure.h"
#include "tinta/lab/densities.h"
#include "tinta/physics/score_field.h"
#include "tinta/process/schedule.h"

// Pieces that the figures of rows in the plane share.

namespace tinta::lab {

/// @param x any shape, floating @return its numbers in order
std::vector<double> numbers_of(const at::Tensor& x);

/// Points as markers. @param x [N,2] floating
figures::Markers dots(const at::Tensor& x, const figures::Style& style, double size,
                      const std::string& label = "");

/// Values on a grid as a heat map. @param values [side * side] or [side,side]
figures::HeatMap heat_map(const at::Tensor& values, const physics::PlaneGrid& grid,
                          const std::string& label);

/// Values that are not negative in greys from white at zero to half black at the largest, for other
/// layers to be drawn on.
figures::HeatMap backdrop(const at::Tensor& values, const physics::PlaneGrid& grid);

/// A field's vectors. @param points, vectors [N,2] floating
figures::Arrows arrows(const at::Tensor& points, const at::Tensor& vectors);

/// An empty square panel of the plane, axes x_1 and x_2 over |x| <= half_side.
figures::Panel plane_panel(const std::string& title, double half_side);

/// The panel with the heat map of q(x_t) in it, without a colour bar.
figures::Panel density_panel(const PlaneDensity& density, const process::NoiseLevel& level,
                             std::int64_t side);

}  // namespace tinta::lab
