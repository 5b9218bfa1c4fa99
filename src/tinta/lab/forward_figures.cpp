#include "tinta/lab/forward_figures.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

#include "tinta/core/text.h"
#include "tinta/io/pixels.h"

namespace tinta::lab {
namespace {

/// Numbers of a tensor as a histogram of density.
figures::Bars histogram(const at::Tensor& values, double reach, std::int64_t bins) {
  const at::Tensor flat = values.to(at::kDouble).flatten();
  const at::Tensor counts = at::histc(flat, bins, -reach, reach);
  figures::Bars bars{.edges = {}, .heights = {}, .style = {.color = -2, .opacity = 0.45}};
  const double width = 2 * reach / static_cast<double>(bins);
  for (std::int64_t i = 0; i <= bins; ++i) {
    bars.edges.push_back(-reach + static_cast<double>(i) * width);
  }
  for (std::int64_t i = 0; i < bins; ++i) {
    bars.heights.push_back(counts[i].item<double>() / (static_cast<double>(flat.numel()) * width));
  }
  return bars;
}

figures::Line normal_line(double reach) {
  figures::Line line{.x = {}, .y = {}, .label = "N(0, 1)", .style = {.color = -1}};
  for (double x = -reach; x <= reach; x += 0.05) {
    line.x.push_back(x);
    line.y.push_back(std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi));
  }
  return line;
}

}  // namespace

figures::Panel panel_of(std::string title, figures::Axis x, figures::Axis y,
                        std::vector<figures::Layer> layers, figures::Legend legend) {
  figures::Panel panel;
  panel.title = std::move(title);
  panel.x = std::move(x);
  panel.y = std::move(y);
  panel.layers = std::move(layers);
  panel.legend = legend;
  return panel;
}

std::string panel_title(const process::VpSchedule& schedule, int t) {
  return "<i>t</i> = " + std::to_string(t) + ", √ᾱ = " + fixed(schedule.level(t).a, 3);
}

figures::Picture picture_of(const at::Tensor& x) { return {io::to_bytes(x)}; }

figures::Panel histogram_panel(const at::Tensor& values, const std::string& title,
                               const std::string& label, const std::string& what) {
  constexpr double kReach = 4;
  figures::Bars bars = histogram(values, kReach, 64);
  bars.label = what;
  return panel_of(title, {.label = label, .low = -kReach, .high = kReach},
                  {.label = "density", .low = 0, .high = 0.6}, {bars, normal_line(kReach)},
                  figures::Legend::upper_right);
}

figures::Line line_over_steps(const std::vector<double>& values, const std::string& label,
                              const figures::Style& style) {
  figures::Line line{.x = {}, .y = {}, .label = label, .style = style};
  for (std::size_t t = 1; t < values.size(); ++t) {
    line.x.push_back(static_cast<double>(t));
    line.y.push_back(values[t]);
  }
  return line;
}

figures::Line greatest_so_far(figures::Line line) {
  double most = 1e-17;
  for (double& y : line.y) y = most = std::max(most, std::abs(y));
  return line;
}

}  // namespace tinta::lab
