#include "tinta/lab/ink_drop.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "tinta/core/statistics.h"
#include "tinta/lab/ink_shape.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/verdicts.h"
#include "tinta/physics/observables.h"
#include "tinta/physics/potential.h"

namespace tinta::lab {
namespace {

constexpr std::int64_t kGroups = 1000;
constexpr int kFreeSteps = 20;
// By then the chance that a particle has reached a wall kInkMargin away is below 1e-8.
constexpr double kFreeTime = 8e-4;
constexpr double kDiffusion = 1;

/// Length of step k of `steps` (1..steps) after the free stage: moments grow as a power series, as
/// the ink's own scale does.
double moment(const InkDrop& drop, std::int64_t k) {
  const double share = static_cast<double>(k) / static_cast<double>(drop.steps);
  return kFreeTime * std::pow(drop.end / kFreeTime, share);
}

at::Tensor mode_values(const at::Tensor& x) {
  const at::Tensor across = x.select(1, 0).to(at::kDouble), up = x.select(1, 1).to(at::kDouble);
  std::vector<at::Tensor> values;
  for (const auto& [kx, ky] : ink_modes()) {
    values.push_back(at::cos(across * kx) * at::cos(up * ky));
  }
  return at::stack(values);
}

at::Tensor grid(const at::Tensor& x, std::int64_t columns, std::int64_t rows) {
  return physics::histogram2d(x, 0, 1, 0, kGlassHeight, columns, rows);
}

std::int64_t count_inside(const at::Tensor& x) {
  const at::Tensor across = x.select(1, 0), up = x.select(1, 1);
  return ((across >= 0) & (across <= 1) & (up >= 0) & (up <= kGlassHeight))
      .sum()
      .item<std::int64_t>();
}

ChiSquare against_uniform(const at::Tensor& cells, std::int64_t particles) {
  const double expected = static_cast<double>(particles) / static_cast<double>(cells.numel());
  return chi_square(cells, at::full_like(cells, expected, at::kDouble));
}

class Glass {
 public:
  Glass(const InkDrop& drop, std::uint64_t seed)
      : drop_(drop),
        ensemble_{.x = ink_drop_points(drop.particles, sub_seed(seed, 0))},
        start_(ensemble_.x.clone()),
        start_modes_(mode_values(start_)),
        water_(physics::free_space()) {
    motion_.seed = sub_seed(seed, 1);
    motion_.noise_factor = drop.noise_factor;
    motion_.walls.kind = drop.walls;
    motion_.walls.low = {0, 0};
    motion_.walls.high = {1, kGlassHeight};
  }

  void advance_to(double time) {
    motion_.time_step = time - time_;
    physics::advance_overdamped(ensemble_, *water_, motion_, physics::Overdamped::euler_maruyama,
                                1);
    time_ = time;
  }

  void observe(InkRecord& record) const {
    const at::Tensor& x = ensemble_.x;
    record.times.push_back(time_);
    record.displacement.push_back(
        group_means(physics::square_displacement(ensemble_, start_), kGroups));
    const at::Tensor now = mode_values(x);
    record.modes.push_back(now.mean(1));
    const at::Tensor excess = now - decay().unsqueeze(1) * start_modes_;
    record.mode_excess.push_back(excess.mean(1));
    record.mode_error.push_back(excess.std(1) / std::sqrt(static_cast<double>(drop_.particles)));
    record.cells = grid(x, 20, 25);
    const ChiSquare chi = against_uniform(record.cells, drop_.particles);
    record.unevenness.push_back(chi.statistic / chi.dof);
    record.inside = count_inside(x);
    record.positions = x;
  }

  void photograph(InkRecord& record) const {
    record.pictures.push_back(grid(ensemble_.x, 104, 130));
    record.picture_times.push_back(time_);
  }

 private:
  [[nodiscard]] at::Tensor decay() const {
    std::vector<double> factors;
    for (const auto& [kx, ky] : ink_modes()) {
      factors.push_back(std::exp(-kDiffusion * (kx * kx + ky * ky) * time_));
    }
    return tensor_of(factors);
  }

  const InkDrop& drop_;
  physics::Ensemble ensemble_;
  at::Tensor start_, start_modes_;
  physics::PotentialPtr water_;
  physics::Motion motion_;
  double time_ = 0;
};

/// Runs the ink to the end. Empty times when the row was stopped.
InkRecord simulate(const Context& context, const InkDrop& drop) {
  InkRecord record;
  Glass glass(drop, context.seed);
  glass.observe(record);
  glass.photograph(record);
  for (int k = 1; k <= kFreeSteps; ++k) {
    glass.advance_to(kFreeTime * k / kFreeSteps);
    glass.observe(record);
  }
  record.free_moments = record.times.size();
  const std::int64_t observe_every = std::max<std::int64_t>(1, drop.steps / 25);
  const std::int64_t picture_every =
      std::max<std::int64_t>(1, drop.steps / std::max(1, drop.frames));
  for (std::int64_t k = 1; k <= drop.steps; ++k) {
    if (context.stopped()) return {};
    context.sinks.report({.what = "ink-drop", .done = k, .total = drop.steps});
    glass.advance_to(moment(drop, k));
    if (k % observe_every == 0 || k == drop.steps) glass.observe(record);
    if (k % picture_every == 0 || k == drop.steps) glass.photograph(record);
  }
  return record;
}

void check_displacement(const InkRecord& record, double widest, Result& result) {
  const std::vector<double> times(record.times.begin(),
                                  record.times.begin() + static_cast<long>(record.free_moments));
  const std::vector<at::Tensor> free(
      record.displacement.begin(),
      record.displacement.begin() + static_cast<long>(record.free_moments));
  const at::Tensor groups = at::stack(free, 1);  // [groups, moments]
  const physics::Estimate slope = physics::mean_of(at::mv(groups, slope_weights(times)));
  const double law = 2 * 2 * kDiffusion;  // 2 d D with d = 2
  result.arrays["free_time"] = tensor_of(times);
  result.arrays["free_displacement"] = groups;
  const std::vector<std::string> arrays = {"free_time", "free_displacement"};
  result.checks.push_back(
      {.what = "slope of the mean square displacement over 2 d D, before the walls are felt",
       .value = slope.value / law,
       .expected = 1,
       .tolerance = kDeviations * slope.error / law,
       .basis = "5 standard errors over 1000 groups of particles: wrong in 6e-7 of runs",
       .arrays = arrays});
  result.checks.push_back({.what = "standard error of that slope, as a share",
                           .value = slope.error / law,
                           .expected = widest,
                           .comparison = Comparison::at_most,
                           .basis = "so that the check above sees a few percent",
                           .arrays = arrays});
}

void check_modes(const InkRecord& record, Result& result) {
  const at::Tensor excess = at::stack(record.mode_excess), error = at::stack(record.mode_error);
  // At the very start nothing has moved and the error is zero.
  const at::Tensor deviations = (excess / error).slice(0, 1).abs();
  result.arrays["time"] = tensor_of(record.times);
  result.arrays["mode_mean"] = at::stack(record.modes);
  result.arrays["mode_excess"] = excess;
  result.arrays["mode_error"] = error;
  const auto count = static_cast<std::size_t>(deviations.numel());
  result.checks.push_back(
      {.what = "decay of the slowest modes against exp(-D k^2 t), largest deviation in standard "
               "errors",
       .value = deviations.max().item<double>(),
       .expected = 0,
       .tolerance = critical_deviations(kErrorRate, count),
       .basis = "exceeded in 6e-7 of runs by the largest of " + std::to_string(count),
       .arrays = {"mode_excess", "mode_error"}});
}

void check_end(const InkRecord& record, const InkDrop& drop, Result& result) {
  const ChiSquare chi = against_uniform(record.cells, drop.particles);
  result.arrays["cells"] = record.cells;
  result.arrays["positions"] = record.positions;
  result.checks.push_back(
      {.what = "counts in 20 x 25 cells against uniform at the end: chi-square, in standard "
               "deviations from its centre",
       .value = chi.deviations,
       .expected = 0,
       .tolerance = kDeviations,
       .basis = "Wilson and Hilferty's normal scale, 499 degrees of freedom; wrong in 6e-7 of runs",
       .arrays = {"positions", "cells"}});
  result.checks.push_back({.what = "particles inside the glass at the end",
                           .value = static_cast<double>(record.inside),
                           .expected = static_cast<double>(drop.particles),
                           .basis = "reflecting walls lose none: counted, to the last one",
                           .arrays = {"positions"}});
  result.numbers.emplace_back("chi-square at the end", chi.statistic);
  result.numbers.emplace_back("its probability", chi_square_survival(chi.statistic, chi.dof));
}

std::string reading(const InkRecord& record, const InkDrop& drop, const Result& result) {
  const auto& slope = result.checks.front();
  return "A drop of ink with stem, rolled-up cap and fingers, " + std::to_string(drop.particles) +
         " particles, spreads by diffusion alone in a glass one unit L wide (time in L^2/D). Until "
         "t = " +
         brief(kFreeTime) + " no wall is felt and the mean square displacement grows as 2 d D t: " +
         "measured over expected slope " + brief(slope.value, 5) + " +- " +
         brief(result.checks[1].value, 2) +
         ". Fine detail goes first: a mode of wave number k decays as exp(-D k^2 t), so that the "
         "tendrils are gone while the drop is still a drop. At t = " +
         brief(record.times.back()) + " chi-square per degree of freedom has fallen from " +
         brief(record.unevenness.front(), 3) + " to " + brief(record.unevenness.back(), 4) +
         ": nothing but the law of large numbers is left of q(x_0), and all " +
         std::to_string(record.inside) +
         " particles are still in the glass. The picture of the source is looser than that: with "
         "the diffusion constant of a dye, 4e-10 m^2/s, a glass 6 cm wide would take some 125 days "
         "for this; in a real glass the water's own motion stretches the drop into tendrils, and "
         "diffusion only finishes the work.";
}

}  // namespace

std::vector<std::pair<double, double>> ink_modes() {
  const double pi = std::numbers::pi;
  return {{0, pi / kGlassHeight}, {pi, 0}, {0, 2 * pi / kGlassHeight}, {2 * pi, 0}};
}

Result ink_drop(const Context& context, const InkDrop& drop) {
  const InkRecord record = simulate(context, drop);
  if (record.times.empty()) return {};
  Result result;
  check_displacement(record, context.pick(0.005, 0.01), result);
  check_modes(record, result);
  check_end(record, drop, result);
  result.arrays["unevenness"] = tensor_of(record.unevenness);
  result.reading = reading(record, drop, result);
  result.figures.push_back({.figure = ink_picture_figure(record)});
  result.figures.push_back({.suffix = "laws", .figure = ink_law_figure(record, drop)});
  if (drop.frames > 0) result.animation = ink_animation(record);
  return result;
}

Result ink_drop(const Context& context) {
  InkDrop drop{.particles = context.pick<std::int64_t>(1'000'000, 100'000),
               .steps = context.pick<std::int64_t>(400, 120),
               .frames = context.pick(60, 30)};
  if (context.steps) drop.steps = *context.steps;
  return ink_drop(context, drop);
}

}  // namespace tinta::lab
