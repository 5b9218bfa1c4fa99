#include "tinta/lab/plane_figures.h"

#include <ATen/ATen.h>

namespace tinta::lab {

std::vector<double> numbers_of(const at::Tensor& x) {
  const at::Tensor flat = x.detach().to(at::kDouble).reshape({-1}).contiguous();
  const auto* values = flat.const_data_ptr<double>();
  return {values, values + flat.numel()};
}

figures::Markers dots(const at::Tensor& x, const figures::Style& style, double size,
                      const std::string& label) {
  return {.x = numbers_of(x.select(1, 0)),
          .y = numbers_of(x.select(1, 1)),
          .label = label,
          .style = style,
          .size = size};
}

figures::HeatMap heat_map(const at::Tensor& values, const physics::PlaneGrid& grid,
                          const std::string& label) {
  return {.values = values.reshape({grid.side, grid.side}),
          .x_low = -grid.half_side,
          .x_high = grid.half_side,
          .y_low = -grid.half_side,
          .y_high = grid.half_side,
          .bar_label = label,
          .bar = !label.empty()};
}

figures::HeatMap backdrop(const at::Tensor& values, const physics::PlaneGrid& grid) {
  figures::HeatMap map = heat_map(-values, grid, "");
  map.map = figures::ColorMap::grey;
  map.low = -2 * values.max().item<double>();
  map.high = 0;
  return map;
}

figures::Arrows arrows(const at::Tensor& points, const at::Tensor& vectors) {
  return {.x = numbers_of(points.select(1, 0)),
          .y = numbers_of(points.select(1, 1)),
          .u = numbers_of(vectors.select(1, 0)),
          .v = numbers_of(vectors.select(1, 1))};
}

figures::Panel plane_panel(const std::string& title, double half_side) {
  return {.title = title,
          .x = {.label = "<i>x</i><sub>1</sub>", .low = -half_side, .high = half_side},
          .y = {.label = "<i>x</i><sub>2</sub>", .low = -half_side, .high = half_side},
          .equal_aspect = true};
}

figures::Panel density_panel(const PlaneDensity& density, const process::NoiseLevel& level,
                             std::int64_t side) {
  const physics::PlaneGrid grid{.half_side = density.half_side, .side = side};
  figures::Panel panel = plane_panel("", density.half_side);
  panel.layers.emplace_back(
      backdrop(density.denoiser().log_density(grid.points(), level).exp(), grid));
  return panel;
}

}  // namespace tinta::lab
