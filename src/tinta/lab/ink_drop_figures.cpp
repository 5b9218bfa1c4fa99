#include <ATen/ATen.h>

#include <array>
#include <cmath>

#include "tinta/figures/render.h"
#include "tinta/lab/ink_drop.h"
#include "tinta/lab/ink_shape.h"
#include "tinta/lab/verdicts.h"

namespace tinta::lab {
namespace {

using figures::Axis;
using figures::Panel;
using figures::Scale;

/// Ink per cell over what it is when all is spread out, [rows,columns] double.
at::Tensor concentration(const at::Tensor& counts) {
  const at::Tensor ink = counts.to(at::kDouble);
  return ink / ink.mean();
}

/// The glass as it looks against the light: each colour is absorbed as Beer and Lambert say,
/// exp(-absorbance * concentration), so that thin ink is blue and thick ink is black.
at::Tensor look(const at::Tensor& counts) {
  constexpr std::array<double, 3> kWater = {0.93, 0.97, 0.99};
  constexpr std::array<double, 3> kAbsorbance = {0.46, 0.30, 0.13};
  const at::Tensor ink = concentration(counts).flip(0);  // pictures begin at the top
  std::vector<at::Tensor> channels;
  for (std::size_t c = 0; c < 3; ++c) {
    channels.push_back(kWater[c] * at::exp(-kAbsorbance[c] * ink));
  }
  const at::Tensor inner = (at::stack(channels) * 255).round().to(at::kByte);
  at::Tensor glass = at::full({3, inner.size(1) + 2, inner.size(2) + 4}, 120, at::kByte);
  glass.slice(1, 0, inner.size(1)).slice(2, 2, inner.size(2) + 2).copy_(inner);
  return glass.repeat_interleave(2, 1).repeat_interleave(2, 2);
}

std::string at_time(double t) { return "<i>t</i> = " + brief(t, 2); }

Panel picture_panel(const InkRecord& record, std::size_t i) {
  return {.title = at_time(record.picture_times[i]),
          .layers = {figures::Picture{.image = look(record.pictures[i])}},
          .legend = figures::Legend::none};
}

Panel density_panel(const InkRecord& record, std::size_t i) {
  const at::Tensor fine = concentration(record.pictures[i]);
  const at::Tensor pooled = fine.reshape({fine.size(0) / 2, 2, fine.size(1) / 2, 2}).mean({1, 3});
  figures::HeatMap map{.values = at::log10(pooled.clamp_min(0.03)),
                       .x_low = 0,
                       .x_high = 1,
                       .y_low = 0,
                       .y_high = kGlassHeight,
                       .low = -1.5,
                       .high = 1.5,
                       .bar_label = "log<sub>10</sub> of density over uniform"};
  map.bar = i + 1 == record.pictures.size();
  return {.x = {.label = "<i>x</i> / L", .low = 0, .high = 1},
          .y = {.label = "<i>y</i> / L", .low = 0, .high = kGlassHeight},
          .layers = {std::move(map)},
          .legend = figures::Legend::none,
          .equal_aspect = true};
}

std::size_t nearest_picture(const InkRecord& record, double time) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < record.picture_times.size(); ++i) {
    const auto far = [&](std::size_t k) {
      return std::abs(std::log((record.picture_times[k] + 1e-9) / time));
    };
    if (far(i) < far(best)) best = i;
  }
  return best;
}

Panel displacement_panel(const InkRecord& record) {
  std::vector<double> t, measured, law, error;
  for (std::size_t i = 1; i < record.times.size(); ++i) {
    const at::Tensor& groups = record.displacement[i];
    t.push_back(record.times[i]);
    measured.push_back(groups.mean().item<double>());
    error.push_back(groups.std().item<double>() / std::sqrt(static_cast<double>(groups.numel())));
    law.push_back(4 * record.times[i]);
  }
  const double wall = record.times[record.free_moments - 1];
  return {
      .title = "Mean square displacement",
      .x = {.label = "<i>t</i> D / L²", .scale = Scale::log},
      .y = {.label = "⟨|<i>x</i>(<i>t</i>) − <i>x</i>(0)|²⟩ / L²", .scale = Scale::log, .high = 3},
      .layers = {figures::Line{.x = t,
                               .y = law,
                               .label = "2<i>d</i>D<i>t</i>",
                               .style = {.color = -1, .dash = figures::Dash::dashed}},
                 figures::Line{.x = {wall, wall},
                               .y = {law.front(), 1},
                               .label = "no wall felt until here",
                               .style = {.color = -2, .dash = figures::Dash::dotted}},
                 figures::Markers{.x = t, .y = measured, .error = error, .label = "particles"}},
      .legend = figures::Legend::upper_left};
}

Panel mode_panel(const InkRecord& record) {
  Panel panel{
      .title = "Fine detail goes first",
      .x = {.label = "<i>t</i> D / L²", .low = 0, .high = 0.5},
      .y = {.label = "|⟨cos <i>k</i>·<i>x</i>⟩|", .scale = Scale::log, .low = 1e-4, .high = 3},
      .legend = figures::Legend::upper_right};
  const std::array<std::string, 4> names = {"<i>k</i> = π/H, upright", "π/L, across",
                                            "2π/H, upright", "2π/L, across"};
  for (int m = 0; m < 4; ++m) {
    const auto [kx, ky] = ink_modes()[static_cast<std::size_t>(m)];
    const double start = std::abs(record.modes.front()[m].item<double>());
    // Of a mode that the drop hardly has, sampling shows nothing.
    if (start < 0.01) continue;
    figures::Line law{.x = {}, .y = {}, .style = {.color = m}};
    for (const double t : spaced(0, 0.5, 101)) {
      const double value = start * std::exp(-(kx * kx + ky * ky) * t);
      law.x.push_back(t);
      law.y.push_back(value > 1e-4 ? value : std::nan(""));
    }
    figures::Markers seen{.x = {},
                          .y = {},
                          .label = names[static_cast<std::size_t>(m)],
                          .style = {.color = m},
                          .marker = static_cast<figures::Marker>(m)};
    for (std::size_t i = 0; i < record.times.size(); ++i) {
      const double value = std::abs(record.modes[i][m].item<double>());
      const double error = record.mode_error[i][m].item<double>();
      // Below two errors its sign, and so its logarithm, says nothing.
      if (record.times[i] > 0.5 || value < std::max(2 * error, 1e-4)) continue;
      seen.x.push_back(record.times[i]);
      seen.y.push_back(value);
      seen.error.push_back(error);
    }
    panel.layers.emplace_back(std::move(law));
    if (!seen.x.empty()) panel.layers.emplace_back(std::move(seen));
  }
  return panel;
}

Panel evenness_panel(const InkRecord& record) {
  const std::vector<double> t(record.times.begin() + 1, record.times.end());
  const std::vector<double> chi(record.unevenness.begin() + 1, record.unevenness.end());
  const double spread = kDeviations * std::sqrt(2.0 / 499);
  return {.title = "How far from homogeneous",
          .x = {.label = "<i>t</i> D / L²", .scale = Scale::log},
          .y = {.label = "χ² per degree of freedom", .scale = Scale::log},
          .layers = {figures::Band{.x = {t.front(), t.back()},
                                   .low = {1 - spread, 1 - spread},
                                   .high = {1 + spread, 1 + spread},
                                   .label = "uniform, ± 5 deviations",
                                   .style = {.color = -2, .opacity = 0.35}},
                     figures::Line{.x = t, .y = chi, .style = {.color = 0}},
                     figures::Markers{.x = t, .y = chi, .label = "counts in 20 × 25 cells"}},
          .legend = figures::Legend::lower_left};
}

Panel profile_panel(const InkRecord& record, std::size_t i) {
  const at::Tensor profile = concentration(record.pictures[i]).mean(1).reshape({26, 5}).mean(1);
  return {.title = "density along the height",
          .x = {.label = "<i>y</i> / L", .low = 0, .high = kGlassHeight},
          .y = {.label = "over uniform", .low = 0, .high = 8},
          .layers = {figures::Bars{.edges = spaced(0, kGlassHeight, 27),
                                   .heights = vector_of(profile),
                                   .style = {.color = 0, .opacity = 0.6}},
                     figures::Line{.x = {0, kGlassHeight},
                                   .y = {1, 1},
                                   .style = {.color = -1, .dash = figures::Dash::dashed}}},
          .legend = figures::Legend::none};
}

}  // namespace

figures::Figure ink_picture_figure(const InkRecord& record) {
  std::vector<std::size_t> chosen = {0};
  for (const double time : {0.0011, 0.006, 0.04, 1e9}) {
    chosen.push_back(nearest_picture(record, time));
  }
  figures::Figure figure{.title = "A drop of ink in a glass of water",
                         .panels = {},
                         .columns = static_cast<std::int64_t>(chosen.size()),
                         .panel_width = 120,
                         .panel_height = 150};
  for (const std::size_t i : chosen) figure.panels.push_back(picture_panel(record, i));
  for (const std::size_t i : chosen) figure.panels.push_back(density_panel(record, i));
  return figure;
}

figures::Figure ink_law_figure(const InkRecord& record, const InkDrop& drop) {
  return {.title = "The ink's laws, " + std::to_string(drop.particles) + " particles",
          .panels = {displacement_panel(record), mode_panel(record), evenness_panel(record)},
          .columns = 3};
}

figures::Animation ink_animation(const InkRecord& record) {
  figures::Animation animation{.frames = {}, .frames_per_second = 12};
  for (std::size_t i = 0; i < record.pictures.size(); ++i) {
    const figures::Figure frame{.panels = {picture_panel(record, i), profile_panel(record, i)},
                                .columns = 2};
    animation.frames.push_back(figures::rasterise(frame, 1.25));
  }
  return animation;
}

}  // namespace tinta::lab
