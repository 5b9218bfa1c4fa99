#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tinta/lab/langevin_overdamped.h"
#include "tinta/lab/verdicts.h"

namespace tinta::lab {
namespace {

using figures::Dash;
using figures::Marker;
using figures::Panel;
using figures::Scale;
using figures::Style;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

std::string gamma_label(double friction) {
  return std::isinf(friction) ? "overdamped" : "γ = " + brief(friction, 3);
}

/// The overdamped curve is black, the others coloured.
Style style_of(std::size_t i, double friction) {
  return {.color = std::isinf(friction) ? -1 : static_cast<int>(i)};
}

Panel relaxation_panel(const OverdampedRecord& record) {
  Panel panel{.title = "The way down: U = <i>x</i>²/2",
              .x = {.label = "<i>s</i> = <i>t</i>/<i>m</i>γ", .low = 0, .high = 4},
              .y = {.label = "⟨<i>x</i>⟩", .low = -0.6, .high = 2.1}};
  for (std::size_t i = 0; i < record.relaxations.size(); ++i) {
    const Relaxation& seen = record.relaxations[i];
    figures::Line law{.x = {}, .y = {}, .style = style_of(i, seen.friction)};
    if (std::isinf(seen.friction)) law.style.width = 1.8;
    for (const double s : spaced(0, 4, 201)) {
      law.x.push_back(s);
      law.y.push_back(relaxing_mean(seen.friction, s));
    }
    panel.layers.emplace_back(std::move(law));
    panel.layers.emplace_back(figures::Markers{.x = seen.times,
                                               .y = seen.mean,
                                               .error = seen.error,
                                               .label = gamma_label(seen.friction),
                                               .style = style_of(i, seen.friction),
                                               .marker = static_cast<Marker>(i % 4)});
  }
  return panel;
}

Panel distance_panel(const OverdampedRecord& record) {
  figures::Markers seen{.x = {}, .y = {}, .label = "particles", .style = {.color = 0}};
  for (const Relaxation& run : record.relaxations) {
    if (std::isinf(run.friction)) continue;
    double distance = 0, error = 0;
    for (std::size_t k = 0; k < run.times.size(); ++k) {
      const double away = std::abs(run.mean[k] - relaxing_mean(kInfinite, run.times[k]));
      if (away > distance) {
        distance = away;
        error = run.error[k];
      }
    }
    seen.x.push_back(run.friction);
    seen.y.push_back(distance);
    seen.error.push_back(std::min(error, 0.9 * distance));
  }
  figures::Line law{.x = {}, .y = {}, .label = "exact", .style = {.color = -1}};
  figures::Line guide{
      .x = {}, .y = {}, .label = "∝ 1/γ²", .style = {.color = -2, .dash = Dash::dashed}};
  for (const double power : spaced(0, 1.5, 49)) {
    const double gamma = std::pow(10, power) * 1.001;  // not 2, where both rates coincide
    double distance = 0;
    for (int k = 1; k <= 400; ++k) {
      const double s = 0.01 * k;
      distance =
          std::max(distance, std::abs(relaxing_mean(gamma, s) - relaxing_mean(kInfinite, s)));
    }
    law.x.push_back(gamma);
    law.y.push_back(distance);
    guide.x.push_back(gamma);
    guide.y.push_back(4 / (gamma * gamma));
  }
  return {.title = "How far from the limit",
          .x = {.label = "γ  (<i>m</i> = U″ = 1)", .scale = Scale::log},
          .y = {.label = "largest |⟨<i>x</i>⟩ − 2e<sup>−<i>s</i></sup>|", .scale = Scale::log},
          .layers = {std::move(guide), std::move(law), std::move(seen)},
          .legend = figures::Legend::lower_left};
}

Panel stationary_panel(const OverdampedRecord& record) {
  const Boltzmann law{double_well_energy(1, 1), 1, -4, 4};
  figures::Line density{
      .x = {}, .y = {}, .label = "exp(−U/kT)/Z", .style = {.color = -1, .width = 1.4}};
  for (const double x : spaced(-2, 2, 401)) {
    density.x.push_back(x);
    density.y.push_back(law.density(x));
  }
  Panel panel{.title = "One stationary density: U = (<i>x</i>² − 1)²",
              .x = {.label = "<i>x</i>", .low = -2, .high = 2},
              .y = {.label = "density", .low = 0, .high = 1.05},
              .layers = {std::move(density)},
              .legend = figures::Legend::upper_right};
  for (std::size_t i = 0; i < record.stationary.size(); ++i) {
    const Stationary& run = record.stationary[i];
    const physics::Histogram histogram = physics::histogram(run.x.flatten(), -2, 2, 40);
    figures::Markers seen{.x = {},
                          .y = {},
                          .error = histogram.error,
                          .label = gamma_label(run.friction),
                          .style = style_of(i, run.friction),
                          .marker = static_cast<Marker>(i % 4)};
    for (std::size_t bin = 0; bin < histogram.density.size(); ++bin) {
      seen.x.push_back((histogram.edges[bin] + histogram.edges[bin + 1]) / 2);
    }
    seen.y = histogram.density;
    panel.layers.emplace_back(std::move(seen));
  }
  return panel;
}

struct Series {
  std::vector<double> step, value, error;
};

Series euler_series(const std::vector<BiasPoint>& points) {
  Series series;
  for (const BiasPoint& point : points) {
    series.step.push_back(point.step);
    series.value.push_back(point.euler.value);
    series.error.push_back(point.euler.error);
  }
  return series;
}

Series better_series(const std::vector<BiasPoint>& points) {
  Series series;
  for (const BiasPoint& point : points) {
    series.step.push_back(point.step);
    series.value.push_back(point.better.value);
    series.error.push_back(point.better.error);
  }
  return series;
}

figures::Markers marks(const Series& series, const std::string& label, int color, Marker marker) {
  return {.x = series.step,
          .y = series.value,
          .error = series.error,
          .label = label,
          .style = {.color = color},
          .size = 4,
          .marker = marker};
}

Panel quadratic_panel(const OverdampedRecord& record) {
  const double last = 1.05 * record.quadratic.back().step;
  figures::Line law{.x = {}, .y = {}, .label = "1/(1 − <i>dt</i>/2)", .style = {.color = 1}};
  for (const double step : spaced(0, last, 101)) {
    law.x.push_back(step);
    law.y.push_back(1 / (1 - step / 2));
  }
  return {
      .title = "The step's bias: U = <i>x</i>²/2",
      .x = {.label = "<i>dt</i>", .low = 0, .high = last},
      .y = {.label = "⟨<i>x</i>²⟩ / kT", .low = 0.9, .high = 2.2},
      .layers = {figures::Line{.x = {0, last},
                               .y = {1, 1},
                               .label = "exact",
                               .style = {.color = -1, .dash = Dash::dashed}},
                 std::move(law),
                 marks(euler_series(record.quadratic), "Euler–Maruyama", 1, Marker::circle),
                 marks(better_series(record.quadratic), "Leimkuhler–Matthews", 0, Marker::square)},
      .legend = figures::Legend::upper_left};
}

Panel well_panel(const OverdampedRecord& record) {
  const double last = 1.1 * record.well.back().step, exact = record.well_exact;
  const std::vector<double>& fit = record.extrapolated.coefficients;
  figures::Line curve{.x = {},
                      .y = {},
                      .label = "parabola to <i>dt</i> = 0",
                      .style = {.color = 1, .dash = Dash::dotted, .width = 1.4}};
  for (const double step : spaced(0, last, 51)) {
    curve.x.push_back(step);
    curve.y.push_back(fit[0] + step * (fit[1] + step * fit[2]));
  }
  figures::Line own{
      .x = {}, .y = {}, .label = "its own stationary density", .style = {.color = 1, .width = 0.8}};
  for (const double step : spaced(0.1 * last, last, 19)) {
    own.x.push_back(step);
    own.y.push_back(euler_stationary_energy(step));
  }
  const physics::Estimate limit = record.extrapolated.value;
  return {.title = "… and removed: U = (<i>x</i>² − 1)²",
          .x = {.label = "<i>dt</i>", .low = -0.04 * last, .high = last},
          // Room above the curve for the legend.
          .y = {.label = "⟨U⟩ / kT", .high = exact + 2.2 * (own.y.back() - exact)},
          .layers = {figures::Line{.x = {-0.04 * last, last},
                                   .y = {exact, exact},
                                   .label = "quadrature",
                                   .style = {.color = -1, .dash = Dash::dashed}},
                     std::move(own), std::move(curve),
                     marks(euler_series(record.well), "Euler–Maruyama", 1, Marker::circle),
                     marks(better_series(record.well), "Leimkuhler–Matthews", 0, Marker::square),
                     marks({.step = {0}, .value = {limit.value}, .error = {limit.error}},
                           "extrapolated", 2, Marker::triangle)},
          .legend = figures::Legend::upper_left};
}

Panel order_panel(const OverdampedRecord& record) {
  const auto away = [&](Series series) {
    for (std::size_t i = 0; i < series.value.size(); ++i) {
      // A bias below its error is drawn at its error: more is not known of it.
      const double bias = std::abs(series.value[i] - record.well_exact);
      series.value[i] = std::max(bias, series.error[i]);
      series.error[i] = std::min(series.error[i], 0.9 * series.value[i]);
    }
    return series;
  };
  Series better = better_series(record.well);
  const Series coarse = better_series(record.coarse);
  better.step.insert(better.step.end(), coarse.step.begin(), coarse.step.end());
  better.value.insert(better.value.end(), coarse.value.begin(), coarse.value.end());
  better.error.insert(better.error.end(), coarse.error.begin(), coarse.error.end());
  better = away(std::move(better));
  const double last = better.step.back(), euler_last = record.well.back().step;
  const double scale = std::abs(record.well.back().euler_exact - record.well_exact);
  figures::Line first{
      .x = {}, .y = {}, .label = "∝ <i>dt</i>", .style = {.color = -2, .dash = Dash::dashed}};
  figures::Line second{
      .x = {}, .y = {}, .label = "∝ <i>dt</i>²", .style = {.color = -2, .dash = Dash::dotted}};
  for (const double step : spaced(record.well.front().step, last, 11)) {
    first.x.push_back(step);
    first.y.push_back(scale * step / euler_last);
    second.x.push_back(step);
    second.y.push_back(better.value.back() * step * step / (last * last));
  }
  return {.title = "Orders of the two schemes",
          .x = {.label = "<i>dt</i>", .scale = Scale::log},
          .y = {.label = "bias of ⟨U⟩ / kT", .scale = Scale::log, .low = 5e-5, .high = 3},
          .layers = {std::move(first), std::move(second),
                     marks(away(euler_series(record.well)), "Euler–Maruyama", 1, Marker::circle),
                     marks(better, "Leimkuhler–Matthews", 0, Marker::square)},
          .legend = figures::Legend::upper_left};
}

}  // namespace

figures::Figure overdamped_figure(const OverdampedRecord& record) {
  return {.title = "The overdamped limit, and what a finite step does",
          .panels = {relaxation_panel(record), distance_panel(record), stationary_panel(record),
                     quadratic_panel(record), well_panel(record), order_panel(record)},
          .columns = 3,
          .panel_width = 200};
}

}  // namespace tinta::lab
