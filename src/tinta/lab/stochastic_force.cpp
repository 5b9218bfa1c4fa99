#include "tinta/lab/stochastic_force.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/statistics.h"
#include "tinta/core/text.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/learned_density.h"
#include "tinta/lab/learned_energy.h"
#include "tinta/lab/plane_figures.h"
#include "tinta/lab/rows.h"

namespace tinta::lab {
namespace {

using Score = std::function<at::Tensor(const at::Tensor&)>;

/// A learned landscape to walk in.
struct Ground {
  PlaneLandscape landscape;
  std::vector<Well> kinds;
  at::Tensor is_spurious;                     ///< [minima] bool
  double step = 0;                            ///< time step: a fraction of what stability allows
  std::shared_ptr<model::EnergyNet> network;  ///< in single precision
};

double curvature_of(const PlaneLandscape& landscape) {
  const at::Tensor u = -landscape.log_density;
  const std::int64_t n = landscape.grid.side;
  const at::Tensor bend =
      at::maximum(u.slice(0, 1, n - 1).diff(2, 1).abs(), u.slice(1, 1, n - 1).diff(2, 0).abs());
  const at::Tensor low = u.slice(0, 1, n - 1).slice(1, 1, n - 1) < u.min() + 12;
  return bend.masked_select(low).max().item<double>() / landscape.grid.cell();
}

Ground learn_ground(const Context& context, const PlaneDensity& density, std::uint64_t seed) {
  const process::VpSchedule schedule = one_low_noise();
  const physics::PlaneGrid grid{.half_side = 1.2 * density.half_side, .side = 220};
  Ground out{.landscape = {}, .kinds = {}, .is_spurious = {}, .network = {}};
  out.network = learn_energy(
      density, schedule, {.steps = context.pick<std::int64_t>(1500, 800), .seed = seed}, context);
  const LearnedEnergy energy(*out.network, schedule.level(1));
  out.network->to(at::kDouble);
  out.landscape = landscape_of(-energy.energy(grid.points()), grid);
  out.network->to(at::kFloat);
  const PlaneLandscape exact =
      landscape_of(density.denoiser().log_density(grid.points(), schedule.level(1)), grid);
  out.kinds = kinds_of(out.landscape, exact);
  std::vector<std::int64_t> flags;
  for (const Well kind : out.kinds) flags.push_back(kind == Well::spurious ? 1 : 0);
  out.is_spurious = at::tensor(flags, at::kLong).to(at::kBool);
  out.step = 0.25 / curvature_of(out.landscape);
  return out;
}

/// Chains x' = x + h score + sqrt(2 h) noise (thesis eq. 2.21 at k_B T = 1).
struct Chains {
  Score score;
  double step = 0;
  std::int64_t count = 0;
  std::uint64_t seed = 0;
  double noise_factor = 1;
  std::function<void(std::int64_t step, const at::Tensor& x)> seen{};
  StopRequested stop{};
};

at::Tensor noise_of(const Chains& chains, std::int64_t step) {
  return kernels::normal(
      {chains.count, 2},
      {.seed = chains.seed, .stream = Stream::particles, .step = static_cast<std::uint32_t>(step)});
}

// The scheme of Leimkuhler and Matthews (2013), x' = x + h score + sqrt(h / 2) (z_n + z_{n+1}):
// averages of its stationary density are off by O(h^2) where Euler and Maruyama's are by O(h), and
// in a Gaussian well not at all.
at::Tensor with_noise(const Chains& chains, at::Tensor x, std::int64_t steps) {
  const double amplitude = chains.noise_factor * std::sqrt(chains.step / 2);
  at::Tensor z = noise_of(chains, 0);
  for (std::int64_t i = 0; i < steps; ++i) {
    if (chains.stop && chains.stop()) return x;
    const at::Tensor next = noise_of(chains, i + 1);
    x = x + chains.score(x) * chains.step + (z + next) * amplitude;
    z = next;
    if (chains.seen) chains.seen(i + 1, x);
  }
  return x;
}

// The same force alone, until nothing moves or `steps` steps are done.
at::Tensor without_noise(const Chains& chains, at::Tensor x, std::int64_t steps) {
  for (std::int64_t i = 0; i < steps; ++i) {
    if (chains.stop && chains.stop()) return x;
    const at::Tensor move = chains.score(x) * chains.step;
    x = x + move;
    if (chains.seen) chains.seen(i + 1, x);
    if (i % 50 == 0 && move.abs().max().item<double>() < 1e-7) break;
  }
  return x;
}

/// One well's samples against the well's own density.
struct WellVariance {
  double ratio = 0;  ///< variance of the samples over that of p_theta in the basin
  double error = 0;  ///< standard error of the ratio
  std::int64_t count = 0;
};

// Means are over the basin's cells, weighted by p_theta.
WellVariance variance_in(const Ground& ground, const at::Tensor& x, const at::Tensor& basin,
                         std::int64_t well) {
  const physics::PlaneGrid& grid = ground.landscape.grid;
  const at::Tensor inside = (ground.landscape.wells.basins.flatten() == well);
  const at::Tensor p =
      ground.landscape.log_density.exp().flatten() * inside.to(at::kDouble) * grid.cell();
  const at::Tensor weight = (p / p.sum()).unsqueeze(1);
  const at::Tensor points = grid.points();
  const at::Tensor mean = (points * weight).sum(0, true);
  const at::Tensor square = (points - mean).square().sum(1, true);
  const double variance = (square * weight).sum().item<double>();
  const double fourth = (square.square() * weight).sum().item<double>();
  const at::Tensor here = x.index_select(0, (basin == well).nonzero().flatten()).to(at::kDouble);
  WellVariance out{.count = here.size(0)};
  if (out.count < 2) return out;
  out.ratio = here.var(0).sum().item<double>() / variance;
  out.error = std::sqrt((fourth / (variance * variance) - 1) / static_cast<double>(out.count));
  return out;
}

/// What chains in all grounds did, with noise or without.
struct Outcome {
  std::int64_t chains = 0, trapped = 0;
  double worst_deviation = 0;  ///< of a well's variance ratio from 1, in standard errors
  double largest_ratio = 0;
  std::vector<double> ratios, errors;
  std::vector<at::Tensor> ends, flags;

  [[nodiscard]] double share() const {
    return static_cast<double>(trapped) / static_cast<double>(chains);
  }
  [[nodiscard]] double error() const {
    return std::sqrt(std::max(share() * (1 - share()), 1 / static_cast<double>(chains)) /
                     static_cast<double>(chains));
  }
};

// Whether each point is within a cell of the minimum that it flows to. @return [N] bool
at::Tensor at_minimum(const Ground& ground, const at::Tensor& x, const at::Tensor& basin) {
  const at::Tensor places = table_of(ground.landscape.wells).slice(1, 0, 2).index_select(0, basin);
  const double cell = ground.landscape.grid.spacing();
  return (x.to(at::kDouble) - places).square().sum(1) < 2 * cell * cell;
}

enum class Force { with_noise, alone };

void record(const Ground& ground, const at::Tensor& x, Force force, Outcome& outcome) {
  at::Tensor basin = ground.landscape.wells.basin_of(ground.landscape.grid, x);
  at::Tensor trapped = ground.is_spurious.index_select(0, basin);
  if (force == Force::alone) {
    // At rest, but not at the bottom of its basin: a pool too shallow to be among the minima.
    trapped = trapped.logical_or(at_minimum(ground, x, basin).logical_not());
    basin = basin.masked_fill(trapped, -1);
  }
  outcome.chains += x.size(0);
  outcome.trapped += trapped.sum().item<std::int64_t>();
  outcome.ends.push_back(x);
  outcome.flags.push_back(trapped.to(at::kByte));
  for (std::size_t k = 0; k < ground.kinds.size(); ++k) {
    if (ground.kinds[k] != Well::own) continue;
    const WellVariance well = variance_in(ground, x, basin, static_cast<std::int64_t>(k));
    // Fewer would not have a variance that is nearly normal.
    if (well.count < 50) continue;
    outcome.ratios.push_back(well.ratio);
    outcome.errors.push_back(well.error);
    outcome.largest_ratio = std::max(outcome.largest_ratio, well.ratio);
    outcome.worst_deviation =
        std::max(outcome.worst_deviation, std::abs(well.ratio - 1) / well.error);
  }
}

/// Paths for the figure.
struct Paths {
  std::vector<at::Tensor> noisy, still;  ///< [8,2] each
};

void walk(const Context& context, const Ground& ground, std::uint64_t seed, double noise_factor,
          Outcome& noisy, Outcome& still, Paths& paths) {
  const LearnedEnergy energy(*ground.network, one_low_noise().level(1));
  const std::int64_t count = context.pick<std::int64_t>(4000, 1000);
  Chains chains{.score = [&](const at::Tensor& x) { return energy.score(x); },
                .step = ground.step,
                .count = count,
                .seed = seed,
                .noise_factor = noise_factor,
                .stop = context.stop};
  // Anywhere in the square: what a chain that comes from noise may pass.
  const double half = ground.landscape.grid.half_side / 1.2;
  at::Tensor start = at::empty({count, 2});
  auto* values = start.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < count; ++i) {
    const RandomKey key{
        .seed = seed, .stream = Stream::lab, .sample = static_cast<std::uint64_t>(i), .step = 3};
    for (std::uint32_t d = 0; d < 2; ++d) {
      values[2 * i + d] = static_cast<float>(half * (2 * random_uniform(key, d) - 1));
    }
  }
  const auto keep = [](std::vector<at::Tensor>& into) {
    return [&into](std::int64_t step, const at::Tensor& x) {
      if (step <= 400) into.push_back(x.slice(0, 0, 8).clone());
    };
  };
  const bool draw = paths.noisy.empty();
  if (draw) chains.seen = keep(paths.noisy);
  const std::int64_t steps = context.steps.value_or(context.pick<std::int64_t>(4000, 1500));
  record(ground, with_noise(chains, start, steps), Force::with_noise, noisy);
  chains.seen = {};
  if (draw) chains.seen = keep(paths.still);
  // Without noise a step may be longer, and slow slopes need a while.
  chains.step *= 2;
  record(ground, without_noise(chains, start, 2 * steps), Force::alone, still);
}

void add_checks(const Outcome& noisy, const Outcome& still, Result& result) {
  const double difference = still.share() - noisy.share();
  const double error = std::hypot(noisy.error(), still.error());
  result.checks.push_back(
      {.what = "share of trapped chains, without noise less with noise",
       .value = difference,
       .expected = 0,
       .tolerance = -5 * error,
       .comparison = Comparison::at_least,
       .basis = "must exceed 5 binomial standard errors of the difference: by chance in 3e-7 of "
                "runs",
       .arrays = {"trapped_with_noise", "trapped_without_noise"}});
  result.checks.push_back({.what = "without noise: largest variance in a well over its own",
                           .value = still.largest_ratio,
                           .expected = 0,
                           .tolerance = 1e-6,
                           .basis = "identical samples, to a thousandth of the well's width",
                           .arrays = {"variance_ratios_without_noise"}});
  result.checks.push_back(
      {.what = "with noise: largest deviation of a well's variance from its own, standard errors",
       .value = noisy.worst_deviation,
       .expected = 0,
       .tolerance = critical_deviations(1e-6, noisy.ratios.size()),
       .basis = "over all wells together, Bonferroni: wrong in 1e-6 of runs",
       .arrays = {"variance_ratios_with_noise", "variance_errors_with_noise"}});
  result.numbers.emplace_back("share trapped with noise", noisy.share());
  result.numbers.emplace_back("its standard error", noisy.error());
  result.numbers.emplace_back("share trapped without noise", still.share());
  result.numbers.emplace_back("its standard error, without", still.error());
  result.arrays["trapped_with_noise"] = at::cat(noisy.flags);
  result.arrays["trapped_without_noise"] = at::cat(still.flags);
  result.arrays["ends_with_noise"] = at::cat(noisy.ends);
  result.arrays["ends_without_noise"] = at::cat(still.ends);
  result.arrays["variance_ratios_with_noise"] = at::tensor(noisy.ratios, at::kDouble);
  result.arrays["variance_errors_with_noise"] = at::tensor(noisy.errors, at::kDouble);
  result.arrays["variance_ratios_without_noise"] = at::tensor(still.ratios, at::kDouble);
}

figures::Panel path_panel(const Ground& ground, const std::string& title,
                          const std::vector<at::Tensor>& paths, const at::Tensor& ends) {
  const PlaneLandscape& landscape = ground.landscape;
  figures::Panel panel = plane_panel(title, landscape.grid.half_side);
  const at::Tensor u = landscape.log_density.max() - landscape.log_density;
  panel.layers.emplace_back(backdrop(25 - u.clamp_max(25), landscape.grid));
  const at::Tensor all = at::stack(paths);
  for (std::int64_t i = 0; i < all.size(1); ++i) {
    panel.layers.emplace_back(figures::Line{.x = numbers_of(all.select(1, i).select(1, 0)),
                                            .y = numbers_of(all.select(1, i).select(1, 1)),
                                            .style = {.color = 5, .width = 0.5, .opacity = 0.7}});
  }
  panel.layers.emplace_back(dots(ends.slice(0, 0, 600), {.color = 0}, 2, "ends of chains"));
  for (std::size_t k = 0; k < ground.kinds.size(); ++k) {
    if (ground.kinds[k] != Well::spurious) continue;
    const physics::Minimum& m = landscape.wells.minima[k];
    panel.layers.emplace_back(figures::Markers{.x = {m.x},
                                               .y = {m.y},
                                               .style = {.color = 1, .width = 1.6},
                                               .size = 9,
                                               .marker = figures::Marker::cross});
  }
  return panel;
}

figures::Panel share_panel(const Outcome& noisy, const Outcome& still) {
  return {.title = "Share of chains in spurious minima",
          .x = {.label = "amplitude of the noise", .low = -0.5, .high = 1.5},
          .y = {.label = "share", .low = 0},
          .layers = {figures::Markers{.x = {0, 1},
                                      .y = {still.share(), noisy.share()},
                                      .error = {still.error(), noisy.error()},
                                      .size = 5}},
          .legend = figures::Legend::none};
}

figures::Panel variance_panel(const Outcome& noisy) {
  figures::Markers points{.x = {}, .y = noisy.ratios, .error = noisy.errors, .label = "with noise"};
  for (std::size_t i = 0; i < noisy.ratios.size(); ++i) {
    points.x.push_back(static_cast<double>(i + 1));
  }
  const double last = static_cast<double>(noisy.ratios.size()) + 0.5;
  return {.title = "Variance of samples in a well over its own",
          .x = {.label = "well", .low = 0.5, .high = last},
          .y = {.label = "ratio", .low = 0},
          .layers = {points,
                     figures::Line{.x = {0.5, last},
                                   .y = {1, 1},
                                   .label = "the well's own",
                                   .style = {.color = -2, .dash = figures::Dash::dashed}},
                     figures::Line{.x = {0.5, last},
                                   .y = {0, 0},
                                   .label = "without noise",
                                   .style = {.color = 1, .width = 2}}},
          .legend = figures::Legend::lower_right};
}

std::string reading_of(const PlaneDensity& density, const Outcome& noisy, const Outcome& still) {
  const auto percent = [](double share) { return fixed(100 * share, 2) + "%"; };
  return "Chains start anywhere in the square and follow the score of densities that small nets "
         "learned of " +
         density.name + ". Without the random force " + percent(still.share()) + " (+- " +
         percent(still.error()) +
         ") come to rest in spurious minima, places where the net made up a well, and those that "
         "reach a "
         "true well all end at one point: the variance of samples in a well is " +
         shortest(still.largest_ratio) +
         " of the well's own at most. With it, by the same force, " + percent(noisy.share()) +
         " (+- " + percent(noisy.error()) +
         ") are in spurious minima at the end, and the samples in each well have the well's own "
         "variance. Section 2.3.2 hopes that spurious minima are not deep: noise gets chains out "
         "of those of a few k_B T, and what it leaves in them is what p_theta itself holds there, "
         "or waits behind a higher pass.";
}

}  // namespace

Result stochastic_force_by(const Context& context, double noise_factor) {
  const PlaneDensity density = plane_density(context.density);
  Outcome noisy, still;
  Paths paths;
  std::vector<Ground> grounds;
  const int nets = context.pick(4, 2);
  for (int i = 0; i < nets; ++i) {
    const std::uint64_t seed = context.seed * 1000 + static_cast<std::uint64_t>(i);
    grounds.push_back(learn_ground(context, density, seed));
    walk(context, grounds.back(), seed, noise_factor, noisy, still, paths);
    if (context.stopped()) return {};
    context.sinks.report({.what = "chains", .done = i + 1, .total = nets});
  }
  Result result;
  add_checks(noisy, still, result);
  result.reading = reading_of(density, noisy, still);
  figures::Figure figure{.title = "Following the learned score without and with the random force",
                         .panels = {},
                         .columns = 2,
                         .panel_width = 215,
                         .panel_height = 215};
  figure.panels.push_back(
      path_panel(grounds.front(), "without noise", paths.still, still.ends.front()));
  figure.panels.push_back(
      path_panel(grounds.front(), "with noise", paths.noisy, noisy.ends.front()));
  figure.panels.push_back(share_panel(noisy, still));
  figure.panels.push_back(variance_panel(noisy));
  result.figures.push_back({.figure = std::move(figure)});
  return result;
}

Result stochastic_force(const Context& context) { return stochastic_force_by(context, 1); }

}  // namespace tinta::lab
