#include "tinta/lab/learned_density.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/text.h"
#include "tinta/lab/plane_figures.h"
#include "tinta/lab/rows.h"

namespace tinta::lab {
namespace {

/// What one seed's net learned.
struct Learned {
  PlaneLandscape landscape;
  std::vector<Well> kinds;
  double total_variation = 0;
  double drift = 0;  ///< how far a descent moves from a located minimum, at most

  [[nodiscard]] std::int64_t spurious_count() const { return count_of(kinds, Well::spurious); }
};

at::Tensor places_of(const physics::Landscape& wells) { return table_of(wells).slice(1, 0, 2); }

// Where a descent goes from the located minima: nowhere, where they are minima of the density
// itself and not of its grid.
double drift_from(const physics::Landscape& wells,
                  const std::function<at::Tensor(const at::Tensor&)>& score, double step) {
  std::vector<std::int64_t> inside;
  for (std::size_t k = 0; k < wells.minima.size(); ++k) {
    if (!wells.minima[k].at_border) inside.push_back(static_cast<std::int64_t>(k));
  }
  const at::Tensor start = places_of(wells).index_select(0, at::tensor(inside, at::kLong));
  const at::Tensor end = physics::follow(score, start, step, 400);
  return (end - start).square().sum(1).sqrt().max().item<double>();
}

// Steepest curvature of U where p is not negligible: the limit of a descent's step.
double curvature_of(const PlaneLandscape& landscape) {
  const at::Tensor u = -landscape.log_density;
  const std::int64_t n = landscape.grid.side;
  const at::Tensor middle = u.slice(0, 1, n - 1).slice(1, 1, n - 1);
  const at::Tensor bend_x = u.slice(0, 1, n - 1).diff(2, 1);
  const at::Tensor bend_y = u.slice(1, 1, n - 1).diff(2, 0);
  const at::Tensor low = middle < u.min() + 15;
  const at::Tensor bend = at::maximum(bend_x.abs(), bend_y.abs());
  return bend.masked_select(low).max().item<double>() / landscape.grid.cell();
}

Learned learn(const Context& context, const PlaneDensity& density, const PlaneLandscape& exact,
              std::uint64_t seed, LandscapeOf landscape) {
  const process::VpSchedule schedule = one_low_noise();
  const auto network = learn_energy(
      density, schedule,
      {.steps = context.steps.value_or(context.pick<std::int64_t>(1500, 800)), .seed = seed},
      context);
  network->to(at::kDouble);
  const LearnedEnergy energy(*network, schedule.level(1));
  Learned out{.landscape = landscape(-energy.energy(exact.grid.points()), exact.grid), .kinds = {}};
  out.kinds = kinds_of(out.landscape, exact);
  out.total_variation = total_variation(out.landscape, exact);
  out.drift = drift_from(
      out.landscape.wells, [&](const at::Tensor& x) { return energy.score(x); },
      0.5 / curvature_of(out.landscape));
  return out;
}

void check_exact(const PlaneDensity& density, const PlaneLandscape& exact, Result& result) {
  result.checks.push_back({.what = "minima of the exact U = -log q: its own and no others",
                           .value = static_cast<double>(exact.wells.minima.size()),
                           .expected = static_cast<double>(density.maxima),
                           .tolerance = 0,
                           .basis = "how the density is made",
                           .arrays = {"minima_exact", "log_density"}});
  const process::GaussianMixtureDenoiser denoiser = density.denoiser();
  const process::NoiseLevel level = one_low_noise().level(1);
  const double mass = denoiser.log_density(exact.grid.points(), level).exp().sum().item<double>() *
                      exact.grid.cell();
  result.checks.push_back({.what = "mass of the exact density on the grid",
                           .value = mass,
                           .expected = 1,
                           .tolerance = 1e-6,
                           .basis = "the midpoint rule on Gaussians wider than a cell is exact to "
                                    "rounding; the square leaves out less than 1e-6",
                           .arrays = {"log_density"}});
}

void check_seeds(const std::vector<Learned>& seeds, const PlaneLandscape& exact, double gaussian,
                 Result& result) {
  std::vector<double> variations, counts, drifts;
  for (const Learned& seed : seeds) {
    variations.push_back(seed.total_variation);
    counts.push_back(static_cast<double>(seed.spurious_count()));
    drifts.push_back(seed.drift);
  }
  std::vector<double> sorted = variations;
  std::ranges::sort(sorted);
  const double median = sorted[sorted.size() / 2];
  result.checks.push_back(
      {.what = "total variation between p_theta and q, median over the seeds",
       .value = median,
       .expected = gaussian,
       .tolerance = 0,
       .comparison = Comparison::at_most,
       .basis = "the total variation of the Gaussian with q's mean and covariance: a net that "
                "learned more than two moments is nearer",
       .arrays = {"total_variations", "log_densities", "log_density", "log_density_moments"}});
  result.checks.push_back(
      {.what = "largest distance that a descent moves from a located minimum of U_theta",
       .value = *std::ranges::max_element(drifts),
       .expected = 0,
       .tolerance = std::sqrt(2.0) * exact.grid.spacing(),
       .basis = "a cell's diagonal: what the grid found are minima of U_theta and not of the grid",
       .arrays = {"drifts"}});
  result.arrays["total_variations"] = at::tensor(variations, at::kDouble);
  result.arrays["spurious_counts"] = at::tensor(counts, at::kDouble);
  result.arrays["drifts"] = at::tensor(drifts, at::kDouble);
}

void tell_seeds(const std::vector<Learned>& seeds, Result& result) {
  std::vector<at::Tensor> densities;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const Learned& seed = seeds[i];
    const std::string name = std::string("seed ").append(std::to_string(i));
    densities.push_back(seed.landscape.log_density);
    result.numbers.emplace_back("total variation, " + name, seed.total_variation);
    result.numbers.emplace_back("spurious minima, " + name,
                                static_cast<double>(seed.spurious_count()));
    const at::Tensor masses = seed.landscape.masses();
    for (std::size_t k = 0; k < seed.kinds.size(); ++k) {
      if (seed.kinds[k] != Well::spurious) continue;
      const physics::Minimum& m = seed.landscape.wells.minima[k];
      const std::string which =
          name + ", spurious minimum at (" + fixed(m.x, 3) + ", " + fixed(m.y, 3) + ")";
      result.numbers.emplace_back(which + ": depth, k_B T", m.depth);
      result.numbers.emplace_back(which + ": mass of its basin",
                                  masses[static_cast<std::int64_t>(k)].item<double>());
    }
    const std::string suffix = std::string("_").append(std::to_string(i));
    result.arrays["minima" + suffix] = table_of(seed.landscape.wells);
    std::vector<std::int64_t> kinds;
    for (const Well kind : seed.kinds) kinds.push_back(static_cast<std::int64_t>(kind));
    result.arrays["kinds" + suffix] = at::tensor(kinds, at::kLong);
  }
  result.arrays["log_densities"] = at::stack(densities);
}

void mark(figures::Panel& panel, const physics::Landscape& wells, const std::vector<Well>& kinds) {
  const at::Tensor places = places_of(wells);
  std::vector<std::int64_t> own, others;
  for (std::size_t k = 0; k < wells.minima.size(); ++k) {
    const Well kind = kinds.empty() ? Well::own : kinds[k];
    if (kind == Well::border) continue;
    (kind == Well::own ? own : others).push_back(static_cast<std::int64_t>(k));
  }
  const auto pick = [&](const std::vector<std::int64_t>& which) {
    return places.index_select(0, at::tensor(which, at::kLong));
  };
  if (!own.empty()) panel.layers.emplace_back(dots(pick(own), {.color = 0}, 6, "its own"));
  if (!others.empty()) {
    figures::Markers crosses = dots(pick(others), {.color = 1, .width = 1.6}, 8, "spurious");
    crosses.marker = figures::Marker::cross;
    panel.layers.emplace_back(std::move(crosses));
  }
}

figures::Panel energy_panel(const std::string& title, const PlaneLandscape& landscape,
                            const std::vector<Well>& kinds) {
  figures::Panel panel = plane_panel(title, landscape.grid.half_side);
  const at::Tensor u = landscape.log_density.max() - landscape.log_density;
  panel.layers.emplace_back(backdrop(25 - u.clamp_max(25), landscape.grid));
  panel.layers.emplace_back(figures::Contours{.values = u,
                                              .x_low = -landscape.grid.half_side,
                                              .x_high = landscape.grid.half_side,
                                              .y_low = -landscape.grid.half_side,
                                              .y_high = landscape.grid.half_side,
                                              .levels = {2, 5, 10, 15, 20},
                                              .style = {.color = -2, .width = 0.5}});
  mark(panel, landscape.wells, kinds);
  return panel;
}

figures::Figure draw(const PlaneDensity& density, const PlaneLandscape& exact,
                     const Learned& learned) {
  figures::Figure figure{.title = "True and learned density: " + density.name,
                         .panels = {},
                         .columns = 2,
                         .panel_width = 215,
                         .panel_height = 215};
  const double highest = exact.log_density.max().exp().item<double>();
  for (const PlaneLandscape* one : {&exact, &learned.landscape}) {
    figures::Panel& panel = figure.panels.emplace_back(
        plane_panel(one == &exact ? "<i>q</i>" : "<i>p<sub>θ</sub></i>", exact.grid.half_side));
    figures::HeatMap map = heat_map(one->log_density.exp(), exact.grid, "density");
    map.low = 0;
    map.high = highest;
    panel.layers.emplace_back(std::move(map));
    panel.legend = figures::Legend::none;
  }
  figure.panels.push_back(energy_panel(
      "<i>U</i> = -log <i>q</i>, lines at 2, 5, 10, 15, 20 <i>k</i><sub>B</sub><i>T</i>", exact,
      {}));
  figure.panels.push_back(energy_panel("<i>U<sub>θ</sub></i> = -log <i>p<sub>θ</sub></i>",
                                       learned.landscape, learned.kinds));
  return figure;
}

std::string reading_of(const PlaneDensity& density, const std::vector<Learned>& seeds,
                       double gaussian) {
  std::string counts, variations;
  for (const Learned& seed : seeds) {
    counts += (counts.empty() ? "" : ", ") + std::to_string(seed.spurious_count());
    variations += (variations.empty() ? "" : ", ") + fixed(seed.total_variation, 3);
  }
  return "A small net learned an energy whose gradient is the score of " + density.name +
         ", from 300 samples with a little noise (s = " + fixed(one_low_noise().level(1).s, 2) +
         "), so that its density p_theta ~ exp(-U_theta) exists and can be compared on a grid of "
         "cells much finer than that noise. The exact U has " +
         std::to_string(density.maxima) +
         " minima and no others. Each basin of it that the net knows has one; what U_theta has "
         "beyond is spurious: by seed " +
         counts +
         " (their positions and depths are among the numbers; those shallower than 0.01 k_B T do "
         "not count). Most lie where there are no data, so that nothing taught the net what the "
         "slope "
         "is there, some at chance clusters of the data. The total variation to q is " +
         variations + " by seed; a Gaussian with q's first two moments has " + fixed(gaussian, 3) +
         ". Fig. 2.6 speaks of minima of the density; they are minima of the energy, maxima of "
         "p_theta.";
}

}  // namespace

process::VpSchedule one_low_noise() { return process::VpSchedule(std::vector<double>{0.01}); }

at::Tensor table_of(const physics::Landscape& wells) {
  at::Tensor table = at::empty({static_cast<std::int64_t>(wells.minima.size()), 4}, at::kDouble);
  auto* row = table.mutable_data_ptr<double>();
  for (const physics::Minimum& m : wells.minima) {
    for (const double value : {m.x, m.y, m.energy, m.depth}) *row++ = value;
  }
  return table;
}

Result learned_density_by(const Context& context, LandscapeOf landscape) {
  const PlaneDensity density = plane_density(context.density);
  const process::NoiseLevel level = one_low_noise().level(1);
  const physics::PlaneGrid grid{.half_side = 1.2 * density.half_side,
                                .side = context.pick<std::int64_t>(280, 220)};
  const PlaneLandscape exact =
      landscape(density.denoiser().log_density(grid.points(), level), grid);
  std::vector<Learned> seeds;
  const std::int64_t repeats = context.repeats.value_or(context.pick<std::int64_t>(6, 3));
  for (std::int64_t i = 0; i < repeats; ++i) {
    const std::uint64_t seed = context.seed * 1000 + static_cast<std::uint64_t>(i);
    seeds.push_back(learn(context, density, exact, seed, landscape));
    if (context.stopped()) return {};
  }
  Result result;
  const PlaneLandscape moments = gaussian_of_moments(density, level, grid);
  const double gaussian = total_variation(moments, exact);
  result.arrays = {{"log_density", exact.log_density},
                   {"log_density_moments", moments.log_density},
                   {"minima_exact", table_of(exact.wells)}};
  check_exact(density, exact, result);
  check_seeds(seeds, exact, gaussian, result);
  tell_seeds(seeds, result);
  result.reading = reading_of(density, seeds, gaussian);
  result.figures.push_back({.figure = draw(density, exact, seeds.front())});
  return result;
}

Result learned_density(const Context& context) { return learned_density_by(context, landscape_of); }

}  // namespace tinta::lab
