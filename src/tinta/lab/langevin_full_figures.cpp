#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tinta/lab/langevin_full.h"
#include "tinta/lab/verdicts.h"

namespace tinta::lab {
namespace {

using figures::Dash;
using figures::Panel;
using figures::Scale;

Panel plane_panel(const LangevinFull& system, const WellRecord& well) {
  const double wide = 1.8 * system.half_distance, high = 1.8;
  const at::Tensor counts = physics::histogram2d(well.x, -wide, wide, -high, high, 72, 72);
  const at::Tensor path = well.followed_x.slice(0, 0, 520);
  return {.title = "Where they are, and one path",
          .x = {.label = "<i>x</i><sub>1</sub>", .low = -wide, .high = wide},
          .y = {.label = "<i>x</i><sub>2</sub>", .low = -high, .high = high},
          .layers = {figures::HeatMap{.values = at::log10(counts.to(at::kDouble).clamp_min(0.7)),
                                      .x_low = -wide,
                                      .x_high = wide,
                                      .y_low = -high,
                                      .y_high = high,
                                      .bar_label = "log<sub>10</sub> particles"},
                     figures::Line{.x = vector_of(path.select(1, 0)),
                                   .y = vector_of(path.select(1, 1)),
                                   .style = {.color = -1, .width = 0.6}}},
          .legend = figures::Legend::none,
          .equal_aspect = true};
}

Panel position_panel(const LangevinFull& system, const WellRecord& well) {
  const double wide = 1.8 * system.half_distance;
  const physics::Histogram seen = physics::histogram(well.x.select(1, 0), -wide, wide, 60);
  const Boltzmann law = system.across();
  const auto energy = double_well_energy(system.half_distance, system.barrier);
  figures::Line density{.x = {}, .y = {}, .label = "exp(−U/kT)/Z", .style = {.color = -1}};
  figures::Line potential{.x = {},
                          .y = {},
                          .label = "U(<i>x</i><sub>1</sub>) / 4 kT",
                          .style = {.color = 1, .dash = Dash::dashed}};
  for (const double x : spaced(-wide, wide, 401)) {
    density.x.push_back(x);
    density.y.push_back(law.density(x));
    const double value = energy(x) / system.temperature / 4;
    potential.x.push_back(x);
    potential.y.push_back(value < 1.0 ? value : std::nan(""));
  }
  return {.title = "Positions: Boltzmann",
          .x = {.label = "<i>x</i><sub>1</sub>", .low = -wide, .high = wide},
          .y = {.label = "density", .low = 0, .high = 1.35},
          .layers = {figures::Bars{.edges = seen.edges,
                                   .heights = seen.density,
                                   .label = "particles",
                                   .style = {.color = 0, .opacity = 0.45}},
                     std::move(density), std::move(potential)},
          .legend = figures::Legend::upper_right};
}

Panel velocity_panel(const LangevinFull& system, const WellRecord& well) {
  const double width = std::sqrt(system.temperature / system.mass);
  const physics::Histogram seen =
      physics::histogram(well.v.flatten(), -4.5 * width, 4.5 * width, 60);
  figures::Line law{.x = {}, .y = {}, .label = "exp(−<i>m</i>v²/2kT)/Z", .style = {.color = -1}};
  figures::Markers points{.x = {}, .y = {}, .label = "particles", .style = {.color = 0}};
  for (std::size_t i = 0; i < seen.density.size(); ++i) {
    if (seen.density[i] <= 0) continue;
    points.x.push_back((seen.edges[i] + seen.edges[i + 1]) / 2);
    points.y.push_back(seen.density[i]);
    // Drawn only where the logarithm of density minus error exists.
    points.error.push_back(std::min(seen.error[i], 0.9 * seen.density[i]));
  }
  for (const double v : spaced(-4.5 * width, 4.5 * width, 201)) {
    law.x.push_back(v);
    law.y.push_back(std::exp(-v * v / (2 * width * width)) /
                    (width * std::sqrt(2 * std::numbers::pi)));
  }
  return {.title = "Velocities: Maxwell",
          .x = {.label = "v<sub>1</sub>, v<sub>2</sub>"},
          .y = {.label = "density", .scale = Scale::log, .low = 1e-5, .high = 40},
          .layers = {std::move(law), std::move(points)},
          .legend = figures::Legend::upper_right};
}

/// 2 d D (t - (1 - exp(-gamma t)) / gamma): thrown at first, diffusing later.
double displacement_law(const LangevinFull& system, double t) {
  const double gamma = system.friction;
  const double diffusion = system.temperature / (system.mass * gamma);
  return 6 * diffusion * (t + std::expm1(-gamma * t) / gamma);
}

Panel displacement_panel(const LangevinFull& system, const FreeRecord& free) {
  figures::Line law{.x = {}, .y = {}, .label = "exact", .style = {.color = -1}};
  figures::Line thrown{.x = {},
                       .y = {},
                       .label = "(<i>d</i> kT/<i>m</i>) <i>t</i>²",
                       .style = {.color = 1, .dash = Dash::dashed}};
  figures::Line diffusing{.x = {},
                          .y = {},
                          .label = "2<i>d</i>D<i>t</i>, D = kT/<i>m</i>γ",
                          .style = {.color = 2, .dash = Dash::dotted, .width = 1.6}};
  const double diffusion = system.temperature / (system.mass * system.friction);
  for (const double share :
       spaced(std::log(free.times.front()), std::log(free.times.back()), 101)) {
    const double t = std::exp(share);
    law.x.push_back(t);
    law.y.push_back(displacement_law(system, t));
    if (t < 2 / system.friction) {
      thrown.x.push_back(t);
      thrown.y.push_back(3 * system.temperature / system.mass * t * t);
    }
    if (t > 0.5 / system.friction) {
      diffusing.x.push_back(t);
      diffusing.y.push_back(6 * diffusion * t);
    }
  }
  return {.title = "Free: thrown, then diffusing",
          .x = {.label = "<i>t</i>", .scale = Scale::log},
          .y = {.label = "⟨|<i>x</i>(<i>t</i>) − <i>x</i>(0)|²⟩", .scale = Scale::log},
          .layers = {std::move(law), std::move(thrown), std::move(diffusing),
                     figures::Markers{.x = free.times,
                                      .y = vector_of(free.displacement.mean(0)),
                                      .label = "particles"}},
          .legend = figures::Legend::upper_left};
}

Panel memory_panel(const LangevinFull& system, const FreeRecord& free) {
  const at::Tensor error = free.memory.std(0) / std::sqrt(static_cast<double>(free.memory.size(0)));
  const double scale = 3 * system.temperature / system.mass;
  figures::Line law{.x = {}, .y = {}, .label = "exp(−γ<i>t</i>)", .style = {.color = -1}};
  for (const double t : spaced(0, 5 / system.friction, 101)) {
    law.x.push_back(t);
    law.y.push_back(std::exp(-system.friction * t));
  }
  figures::Markers seen{.x = {}, .y = {}, .label = "particles", .style = {.color = 0}};
  for (std::size_t i = 0; i < free.times.size() && free.times[i] < 5 / system.friction; ++i) {
    const auto k = static_cast<std::int64_t>(i);
    seen.x.push_back(free.times[i]);
    seen.y.push_back(free.memory.select(1, k).mean().item<double>() / scale);
    seen.error.push_back(error[k].item<double>() / scale);
  }
  return {.title = "Free: memory of velocity",
          .x = {.label = "<i>t</i>"},
          .y = {.label = "⟨v(0)·v(<i>t</i>)⟩ <i>m</i> / <i>d</i> kT"},
          .layers = {std::move(law), std::move(seen)},
          .legend = figures::Legend::upper_right};
}

Panel diffusion_panel(const LangevinFull& system, const FreeRecord& free) {
  const at::Tensor mean = free.displacement.mean(0);
  const at::Tensor error =
      free.displacement.std(0) / std::sqrt(static_cast<double>(free.displacement.size(0)));
  figures::Markers seen{.x = {}, .y = {}, .label = "particles ± 1 error", .style = {.color = 0}};
  for (std::size_t i = 0; i < free.times.size(); ++i) {
    const auto k = static_cast<std::int64_t>(i);
    const double law = displacement_law(system, free.times[i]);
    seen.x.push_back(free.times[i]);
    seen.y.push_back(mean[k].item<double>() / law);
    seen.error.push_back(error[k].item<double>() / law);
  }
  const double last = free.times.back(), from = free.times[free.fit_from];
  return {.title = "Free: against the exact law",
          .x = {.label = "<i>t</i>", .low = 0, .high = 1.02 * last},
          .y = {.label = "displacement² over exact", .low = 0.97, .high = 1.03},
          .layers = {figures::Band{.x = {0, 1.02 * last},
                                   .low = {0.99, 0.99},
                                   .high = {1.01, 1.01},
                                   .label = "± 1%",
                                   .style = {.color = -2, .opacity = 0.25}},
                     figures::Line{.x = {from, from},
                                   .y = {0.97, 1.03},
                                   .label = "slope taken from here",
                                   .style = {.color = -2, .dash = Dash::dotted}},
                     std::move(seen)},
          .legend = figures::Legend::upper_right};
}

Panel course_panel(const LangevinFull& system, const WellRecord& well) {
  const std::int64_t moments = well.followed_x.size(0);
  const double end = well.followed_step * static_cast<double>(moments);
  const double half = system.half_distance;
  const auto level = [&](double y) {
    return figures::Line{.x = {0, end}, .y = {y, y}, .style = {.color = 1, .dash = Dash::dashed}};
  };
  return {.title = "One particle: it rattles in a well, and sometimes crosses",
          .x = {.label = "<i>t</i>", .low = 0, .high = end},
          .y = {.label = "<i>x</i><sub>1</sub>", .low = -2 * half, .high = 2 * half},
          .layers = {figures::Line{.x = spaced(0, end, static_cast<int>(moments)),
                                   .y = vector_of(well.followed_x.select(1, 0)),
                                   .style = {.color = 0, .width = 0.6}},
                     level(half), level(-half)},
          .legend = figures::Legend::none};
}

Panel phase_panel(const LangevinFull& system, const WellRecord& well) {
  const double wide = 2 * system.half_distance, fast = 3;
  const auto energy = double_well_energy(system.half_distance, system.barrier);
  const std::int64_t n = 121;
  at::Tensor total = at::empty({n, n}, at::kDouble);
  const std::vector<double> xs = spaced(-wide, wide, n), vs = spaced(-fast, fast, n);
  for (std::int64_t row = 0; row < n; ++row) {
    const double v = vs[static_cast<std::size_t>(row)];
    for (std::int64_t column = 0; column < n; ++column) {
      total[row][column] =
          (energy(xs[static_cast<std::size_t>(column)]) + system.mass * v * v / 2) /
          system.temperature;
    }
  }
  const at::Tensor path_x = well.followed_x.slice(0, 0, 2400);
  const at::Tensor path_v = well.followed_v.slice(0, 0, 2400);
  const double top = system.barrier / system.temperature;
  return {.title = "Phase space, with lines of equal energy",
          .x = {.label = "<i>x</i><sub>1</sub>", .low = -wide, .high = wide},
          .y = {.label = "v<sub>1</sub>", .low = -fast, .high = fast},
          .layers = {figures::Line{.x = vector_of(path_x.select(1, 0)),
                                   .y = vector_of(path_v.select(1, 0)),
                                   .style = {.color = 0, .width = 0.5, .opacity = 0.7}},
                     figures::Contours{.values = total,
                                       .x_low = -wide,
                                       .x_high = wide,
                                       .y_low = -fast,
                                       .y_high = fast,
                                       .levels = {0.5, 1.25, 4, 6, 9},
                                       .style = {.color = -2, .width = 0.7}},
                     figures::Contours{.values = total,
                                       .x_low = -wide,
                                       .x_high = wide,
                                       .y_low = -fast,
                                       .y_high = fast,
                                       .levels = {top},
                                       .style = {.color = -1, .width = 1.4}}},
          .legend = figures::Legend::none};
}

}  // namespace

figures::Figure langevin_full_figure(const LangevinFull& system, const WellRecord& well,
                                     const FreeRecord& free) {
  return {.title = "Langevin's equation with mass: <i>m</i> = " + brief(system.mass) +
                   ", γ = " + brief(system.friction) + ", kT = " + brief(system.temperature),
          .panels = {plane_panel(system, well), position_panel(system, well),
                     velocity_panel(system, well), displacement_panel(system, free),
                     memory_panel(system, free), diffusion_panel(system, free)},
          .columns = 3,
          .panel_width = 200};
}

figures::Figure langevin_path_figure(const LangevinFull& system, const WellRecord& well) {
  return {.title = "A path in the double well",
          .panels = {course_panel(system, well), phase_panel(system, well)},
          .columns = 2,
          .panel_width = 300};
}

}  // namespace tinta::lab
