#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tinta/figures/render.h"
#include "tinta/lab/heated_gas.h"
#include "tinta/lab/verdicts.h"

namespace tinta::lab {
namespace {

using figures::Dash;
using figures::Panel;
using figures::Scale;

std::vector<double> moments(const HeatedGas& gas) {
  return spaced(0, gas.schedule.steps(), gas.schedule.steps() + 1);
}

double gaussian(double x, double mean, double variance) {
  return std::exp(-(x - mean) * (x - mean) / (2 * variance)) /
         std::sqrt(2 * std::numbers::pi * variance);
}

/// Density of the first coordinate over time, with the exact mean and two deviations either side.
Panel history_panel(const std::string& title, const GasRecord& record, const HeatedGas& gas) {
  const double last = gas.schedule.steps();
  Panel panel{.title = title,
              .x = {.label = "<i>t</i>", .low = 0, .high = last},
              .y = {.label = "<i>x</i><sub>1</sub>", .low = kGasLow, .high = kGasHigh}};
  panel.layers.emplace_back(
      figures::HeatMap{.values = at::log10(record.density.t().clamp_min(1e-3)).contiguous(),
                       .x_low = 0,
                       .x_high = last,
                       .y_low = kGasLow,
                       .y_high = kGasHigh,
                       .map = figures::ColorMap::magma,
                       .low = -3,
                       .high = 1,
                       .bar_label = "log<sub>10</sub> density"});
  figures::Line mean{
      .x = {}, .y = {}, .label = "mean, ± 2 deviations", .style = {.color = 4, .width = 1.4}};
  figures::Line above{.x = {}, .y = {}, .style = {.color = 4, .dash = Dash::dashed, .width = 1}},
      below = above;
  for (std::size_t t = 0; t < record.exact_variance.size(); ++t) {
    const double center = record.exact_mean[0][t];
    const double width = 2 * std::sqrt(record.exact_variance[t]);
    mean.x.push_back(static_cast<double>(t));
    mean.y.push_back(center);
    above.y.push_back(center + width);
    below.y.push_back(center - width);
  }
  above.x = below.x = mean.x;
  for (std::int64_t i = 0; i < 2; ++i) {
    panel.layers.emplace_back(figures::Line{.x = mean.x,
                                            .y = vector_of(record.followed.select(1, i)),
                                            .label = i == 0 ? "two particles" : "",
                                            .style = {.color = -2, .width = 0.5, .opacity = 0.9}});
  }
  panel.layers.emplace_back(std::move(mean));
  panel.layers.emplace_back(std::move(above));
  panel.layers.emplace_back(std::move(below));
  panel.legend = figures::Legend::lower_left;
  return panel;
}

/// Logarithms of the densities are parabolas: the well turned over, over its temperature.
Panel parabola_panel(const GasRecord& record, const std::string& title) {
  Panel panel{.title = title,
              .x = {.label = "<i>x</i><sub>1</sub>", .low = kGasLow, .high = kGasHigh},
              .y = {.label = "density", .scale = Scale::log, .low = 1e-3, .high = 200}};
  const auto steps = static_cast<double>(record.exact_variance.size() - 1);
  const double cell = (kGasHigh - kGasLow) / static_cast<double>(kGasBins);
  int color = 0;
  for (const double share : {0.0, 0.1, 0.3, 1.0}) {
    const auto nearest = std::min_element(
        record.density_times.begin(), record.density_times.end(), [&](double a, double b) {
          return std::abs(a - share * steps) < std::abs(b - share * steps);
        });
    const auto t = static_cast<std::size_t>(*nearest);
    figures::Line law{
        .x = {}, .y = {}, .label = "<i>t</i> = " + std::to_string(t), .style = {.color = color}};
    for (const double x : spaced(kGasLow, kGasHigh, 1601)) {
      const double density = gaussian(x, record.exact_mean[0][t], record.exact_variance[t]);
      law.x.push_back(x);
      law.y.push_back(density > 1e-3 ? density : std::nan(""));
    }
    figures::Markers seen{.x = {},
                          .y = {},
                          .style = {.color = color},
                          .size = 2.4,
                          .marker = static_cast<figures::Marker>(color)};
    const at::Tensor density = record.density[std::distance(record.density_times.begin(), nearest)];
    // A gas narrower than the cells would be drawn by its cells' width.
    const std::int64_t every = 2;
    for (std::int64_t bin = 0; bin < kGasBins; bin += every) {
      const double value = density[bin].item<double>();
      if (value < 1e-3 || record.exact_variance[t] < cell * cell) continue;
      seen.x.push_back(kGasLow + cell * (static_cast<double>(bin) + 0.5));
      seen.y.push_back(value);
    }
    panel.layers.emplace_back(std::move(law));
    if (!seen.x.empty()) panel.layers.emplace_back(std::move(seen));
    ++color;
  }
  panel.legend = figures::Legend::upper_left;
  return panel;
}

figures::Line thinned(const std::vector<double>& t, const std::vector<double>& y) {
  figures::Line line;
  const std::size_t every = std::max<std::size_t>(1, t.size() / 40);
  for (std::size_t i = 0; i < t.size(); i += every) {
    line.x.push_back(t[i]);
    line.y.push_back(y[i]);
  }
  return line;
}

Panel variance_panel(const Gases& gases, const HeatedGas& gas) {
  const std::vector<double> t = moments(gas);
  std::vector<double> beta = {gas.beta0()};
  for (int i = 1; i <= gas.schedule.steps(); ++i) beta.push_back(gas.schedule.beta(i));
  const figures::Line chain = thinned(t, vector_of(gases.chain.variance.mean(1)));
  const figures::Line literal = thinned(t, vector_of(gases.literal.variance.mean(1)));
  return {.title = "Variance",
          .x = {.label = "<i>t</i>", .low = 0, .high = t.back()},
          .y = {.label = "variance of a coordinate", .scale = Scale::log, .low = 5e-5, .high = 3},
          .layers = {figures::Line{.x = t,
                                   .y = gases.chain.exact_variance,
                                   .label = "recursion of the chain",
                                   .style = {.color = 0}},
                     figures::Markers{
                         .x = chain.x, .y = chain.y, .label = "chain", .style = {.color = 0}},
                     figures::Line{.x = t,
                                   .y = gases.literal.exact_variance,
                                   .label = "recursion of the heated well",
                                   .style = {.color = 1}},
                     figures::Markers{.x = literal.x,
                                      .y = literal.y,
                                      .label = "gas at β<sub>t</sub>",
                                      .style = {.color = 1},
                                      .marker = figures::Marker::square},
                     figures::Line{.x = t,
                                   .y = beta,
                                   .label = "β<sub>t</sub>",
                                   .style = {.color = -1, .dash = Dash::dashed}}},
          .legend = figures::Legend::lower_right};
}

Panel deviation_panel(const std::string& title, const GasRecord& record, const HeatedGas& gas,
                      double critical) {
  const std::vector<double> t = moments(gas);
  const at::Tensor all = record.deviations();
  const auto curve = [&](std::int64_t column, const std::string& label, int color) {
    return figures::Line{.x = t,
                         .y = vector_of(all.select(1, column)),
                         .label = label,
                         .style = {.color = color, .width = 0.8}};
  };
  return {.title = title,
          .x = {.label = "<i>t</i>", .low = 0, .high = t.back()},
          .y = {.label = "standard errors", .low = -8, .high = 15},
          .layers = {figures::Band{.x = {0, t.back()},
                                   .low = {-critical, -critical},
                                   .high = {critical, critical},
                                   .label = "allowed",
                                   .style = {.color = -2, .opacity = 0.2}},
                     curve(0, "mean, <i>x</i><sub>1</sub>", 0),
                     curve(2, "mean, <i>x</i><sub>2</sub>", 1),
                     curve(1, "variance, <i>x</i><sub>1</sub>", 2),
                     curve(3, "variance, <i>x</i><sub>2</sub>", 3)},
          .legend = figures::Legend::upper_left};
}

Panel scatter_panel(const std::string& title, const GasRecord& record, std::size_t frame,
                    const std::array<double, 2>& center) {
  const at::Tensor x = record.scattered[frame];
  std::vector<figures::Layer> layers;
  for (const double radius : {0.5, 1.0, 2.0, 3.0}) {
    figures::Line ring{.x = {}, .y = {}, .style = {.color = -2, .width = 0.6}};
    for (const double angle : spaced(0, 2 * std::numbers::pi, 121)) {
      ring.x.push_back(center[0] + radius * std::cos(angle));
      ring.y.push_back(center[1] + radius * std::sin(angle));
    }
    layers.emplace_back(std::move(ring));
  }
  layers.emplace_back(figures::Markers{.x = vector_of(x.select(1, 0)),
                                       .y = vector_of(x.select(1, 1)),
                                       .style = {.color = 0, .opacity = 0.6},
                                       .size = 2.4});
  layers.emplace_back(figures::Markers{.x = {center[0]},
                                       .y = {center[1]},
                                       .style = {.color = -1},
                                       .size = 6,
                                       .marker = figures::Marker::cross});
  return {.title = title,
          .x = {.label = "<i>x</i><sub>1</sub>", .low = -4, .high = 4.5},
          .y = {.label = "<i>x</i><sub>2</sub>", .low = -4, .high = 4.5},
          .layers = std::move(layers),
          .legend = figures::Legend::none,
          .equal_aspect = true};
}

}  // namespace

figures::Figure gas_figure(const Gases& gases, const HeatedGas& gas) {
  return {.title = "A gas in a well: the chain, and the analogy taken at its word",
          .panels = {history_panel("The chain: a well about 0 at temperature 1", gases.chain, gas),
                     history_panel(
                         "Taken literally: the well about <i>x</i><sub>0</sub> at β<sub>t</sub>",
                         gases.literal, gas),
                     parabola_panel(gases.chain, "The chain's densities"),
                     parabola_panel(gases.literal,
                                    "The heated gas's densities, exp(−U/β<sub>t</sub>)")},
          .columns = 2,
          .panel_width = 250};
}

figures::Figure gas_deviation_figure(const Gases& gases, const HeatedGas& gas, double critical) {
  return {.title = "Moments against the exact recursions",
          .panels = {variance_panel(gases, gas),
                     deviation_panel("The chain", gases.chain, gas, critical),
                     deviation_panel("The literal gas", gases.literal, gas, critical)},
          .columns = 3};
}

figures::Animation gas_animation(const Gases& gases, const HeatedGas& gas) {
  figures::Animation animation{.frames = {}, .frames_per_second = 12};
  for (std::size_t i = 0; i < gases.chain.scattered.size(); ++i) {
    const std::string t =
        ", <i>t</i> = " + std::to_string(static_cast<int>(gases.chain.scattered_times[i]));
    const figures::Figure frame{
        .panels = {scatter_panel("the chain" + t, gases.chain, i, {0, 0}),
                   scatter_panel("the gas at β<sub>t</sub>" + t, gases.literal, i, gas.x0)},
        .columns = 2,
        .panel_width = 220,
        .panel_height = 220};
    animation.frames.push_back(figures::rasterise(frame, 1.25));
  }
  return animation;
}

}  // namespace tinta::lab
