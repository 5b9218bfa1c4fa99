#include "tinta/lab/reverse_langevin.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/densities.h"
#include "tinta/lab/plane_figures.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/run_trajectory.h"
#include "tinta/lab/two_sample.h"

namespace tinta::lab {
namespace {

constexpr std::int64_t kDirections = 16;
constexpr double kErrorRate = 1e-6;
constexpr std::int64_t kPaths = 8;

/// Steps of the process by effort, betas scaled so that the noise in all is that of T = 1000.
process::VpSchedule schedule_for(const Context& context) {
  const std::int64_t steps = context.steps.value_or(context.pick<std::int64_t>(1000, 300));
  // With fewer the misprint is too mild to be refused by as many samples as quick ones are.
  if (steps < 100 || steps > 100'000) {
    throw ArgumentError("[reverse-langevin] expected T in 100..100000, got " +
                        std::to_string(steps));
  }
  const double scale = 1000 / static_cast<double>(steps);
  return process::VpSchedule(process::LinearBeta{
      .steps = static_cast<int>(steps), .start = 1e-4 * scale, .end = 0.02 * scale});
}

/// Everything that one run of the row draws on.
struct Setting {
  const Context& context;
  const PlaneDensity& density;
  const process::VpSchedule& schedule;
  std::int64_t count;

  [[nodiscard]] at::Tensor start() const {
    return kernels::normal({count, 2}, {.seed = context.seed, .stream = Stream::sample_start})
        .to(at::kDouble);
  }
  [[nodiscard]] sampling::NoiseSource noise() const {
    const auto source = sampling::philox_noise({count, 2}, context.seed, 0);
    return [source](std::uint32_t step) { return source(step).to(at::kDouble); };
  }
  [[nodiscard]] at::Tensor run(const process::Denoiser& denoiser, const ReverseRule& rule,
                               std::function<void(int, const at::Tensor&)> seen = {}) const {
    return run_reverse({.denoiser = denoiser,
                        .schedule = schedule,
                        .rule = rule,
                        .noise = noise(),
                        .seen = std::move(seen),
                        .stop = context.stop},
                       start());
  }
};

/// Where some chains are at chosen steps.
struct Trail {
  std::vector<int> ts;            ///< falling, T to 0
  std::vector<at::Tensor> xs;     ///< [N,2] at each
  std::vector<at::Tensor> paths;  ///< [kPaths,2] at every step
};

std::vector<int> panel_steps(int steps) { return {steps, steps / 2, steps / 4, steps / 10, 0}; }

std::vector<at::Tensor> frames_of(const Setting& setting, const Trail& trail) {
  std::vector<at::Tensor> frames;
  for (std::size_t i = 0; i < trail.ts.size(); ++i) {
    const int t = trail.ts[i];
    figures::Panel panel = density_panel(setting.density, setting.schedule.level(t), 64);
    panel.title = "<i>t</i> = " + std::to_string(t);
    panel.layers.emplace_back(dots(trail.xs[i].slice(0, 0, 300), {.color = -1}, 1.6));
    frames.push_back(figures::rasterise({.panels = {std::move(panel)}}, 1));
  }
  return frames;
}

// Steps that the animation shows: denser near the end, where the samples settle.
bool is_frame(int t, int steps, int frames) {
  for (int i = 0; i <= frames; ++i) {
    const double share = 1 - static_cast<double>(i) / frames;
    if (t == static_cast<int>(std::lround(steps * share * share))) return true;
  }
  return false;
}

Check ks_check(const std::string& what, double value, double critical, Comparison comparison,
               const std::string& basis) {
  const bool below = comparison == Comparison::at_most;
  return {.what = what,
          .value = value,
          .expected = below ? 0 : critical,
          .tolerance = below ? critical : 0,
          .comparison = comparison,
          .basis = basis,
          .arrays = {}};
}

void check_density(const Setting& setting, const at::Tensor& samples, const at::Tensor& printed,
                   Result& result) {
  const at::Tensor data = setting.density.sample(
      setting.count, {.seed = setting.context.seed, .stream = Stream::lab, .step = 1});
  const at::Tensor directions = spread_directions(kDirections);
  const double critical = projected_ks_critical(setting.count, kDirections, kErrorRate);
  const double good = projected_ks(samples, data, directions).max().item<double>();
  const double bad = projected_ks(printed, data, directions).max().item<double>();
  const std::string basis =
      "two-sample Kolmogorov-Smirnov on 16 projections, bound of Wei and Dudley with Bonferroni's: "
      "wrong in 1e-6 of runs";
  result.checks.push_back(ks_check("exact score, sqrt(1 - alpha_bar_t): samples against data", good,
                                   critical, Comparison::at_most, basis));
  result.checks.back().arrays = {"samples", "data", "directions"};
  result.checks.push_back(ks_check("as printed, sqrt(1 - alpha_t): samples against data, refused",
                                   bad, critical, Comparison::at_least, basis));
  result.checks.back().arrays = {"samples_as_printed", "data", "directions"};
  result.arrays["samples"] = samples.to(at::kFloat);
  result.arrays["samples_as_printed"] = printed.to(at::kFloat);
  result.arrays["data"] = data;
  result.arrays["directions"] = directions;
  result.numbers.emplace_back("spread of samples (total variance)",
                              samples.var(0).sum().item<double>());
  result.numbers.emplace_back("spread of samples as printed", printed.var(0).sum().item<double>());
  result.numbers.emplace_back("spread of data", data.var(0).sum().item<double>());
}

// One point instead of a density: all that the last step adds can be seen.
void check_point(const Setting& setting, const ReverseRule& rule, Result& result) {
  const at::Tensor point = at::tensor({0.6, -0.3}, at::kDouble).reshape({1, 2});
  const process::GaussianMixtureDenoiser denoiser = process::finite_set_denoiser(point);
  ReverseRule noisy = rule;
  noisy.last = LastNoise::as_printed;
  const at::Tensor still = setting.run(denoiser, rule);
  const at::Tensor shaken = setting.run(denoiser, noisy);
  const double beta = setting.schedule.beta(1);
  const double excess = (shaken - point).square().mean().item<double>() / beta;
  result.checks.push_back(
      {.what = "one point, noise at t = 1: variance of samples over beta_1",
       .value = excess,
       .expected = 1,
       .tolerance = 5 * std::sqrt(2 / static_cast<double>(2 * setting.count)),
       .basis = "5 standard errors of a mean square of independent normals: wrong in 6e-7 of runs",
       .arrays = {"point_with_last_noise", "point"}});
  result.checks.push_back({.what = "one point, no noise at t = 1: largest distance from it",
                           .value = (still - point).abs().max().item<double>(),
                           .expected = 0,
                           .tolerance = 1e-12,
                           .basis = "rounding of doubles",
                           .arrays = {"point_without_last_noise", "point"}});
  result.arrays["point"] = point;
  result.arrays["point_with_last_noise"] = shaken;
  result.arrays["point_without_last_noise"] = still;
  result.numbers.emplace_back("beta_1", beta);
}

figures::Figure main_figure(const Setting& setting, const Trail& trail, const at::Tensor& printed) {
  figures::Figure figure{.title = "From noise to samples of " + setting.density.name,
                         .panels = {},
                         .columns = 3,
                         .panel_width = 165,
                         .panel_height = 165};
  for (const int wanted : panel_steps(setting.schedule.steps())) {
    for (std::size_t i = 0; i < trail.ts.size(); ++i) {
      if (trail.ts[i] != wanted) continue;
      figures::Panel panel = density_panel(setting.density, setting.schedule.level(wanted), 100);
      panel.title = "<i>t</i> = " + std::to_string(wanted);
      panel.layers.emplace_back(dots(trail.xs[i].slice(0, 0, 400), {.color = -1}, 1.4));
      figure.panels.push_back(std::move(panel));
    }
  }
  figures::Panel panel = density_panel(setting.density, setting.schedule.level(0), 100);
  panel.title = "<i>t</i> = 0, eq. 2.22 as printed";
  panel.layers.emplace_back(dots(printed.slice(0, 0, 400), {.color = -1}, 1.4));
  figure.panels.push_back(std::move(panel));
  return figure;
}

figures::Figure path_figure(const Setting& setting, const Trail& trail) {
  figures::Panel panel = density_panel(setting.density, setting.schedule.level(0), 160);
  panel.title = "Paths of single samples, <i>x<sub>T</sub></i> to <i>x</i><sub>0</sub>";
  const at::Tensor paths = at::stack(trail.paths);  // [T + 1,paths,2]
  for (std::int64_t i = 0; i < kPaths; ++i) {
    panel.layers.emplace_back(
        figures::Line{.x = numbers_of(paths.select(1, i).select(1, 0)),
                      .y = numbers_of(paths.select(1, i).select(1, 1)),
                      .style = {.color = static_cast<int>(i % 7), .width = 0.7, .opacity = 0.9}});
  }
  panel.layers.emplace_back(dots(trail.paths.front(), {.color = -1}, 4, "<i>x<sub>T</sub></i>"));
  figures::Markers ends = dots(trail.paths.back(), {.color = -1}, 6, "<i>x</i><sub>0</sub>");
  ends.marker = figures::Marker::cross;
  panel.layers.emplace_back(std::move(ends));
  return {.panels = {std::move(panel)}, .panel_width = 300, .panel_height = 300};
}

std::string reading_of(const Setting& setting, const Result& result) {
  const auto value = [&](std::size_t i) { return fixed(result.checks[i].value, 4); };
  const auto number = [&](const std::string& name) {
    const auto found =
        std::ranges::find(result.numbers, name, &std::pair<std::string, double>::first);
    return fixed(found->second, 3);
  };
  return "Algorithm 2.3.3 takes " + std::to_string(setting.count) +
         " points of pure noise to samples of " + setting.density.name +
         " in T = " + std::to_string(setting.schedule.steps()) +
         " steps, with the exact score. With sqrt(1 - alpha_bar_t) under eps, as eq. 2.18 has it, "
         "no test tells samples from data: the distributions of their projections differ by " +
         value(0) + " at most, where chance alone reaches " + fixed(result.checks[0].tolerance, 4) +
         " once in a million runs. With sqrt(1 - alpha_t), as eqs. 2.22, 2.23 and the algorithm "
         "print it, the pull is sqrt(beta_t) eps, many times too strong while the noise is high: "
         "the "
         "chains stay too near the middle and end too near the wells' centres. Their total "
         "variance "
         "is " +
         number("spread of samples as printed") + " where the data's is " +
         number("spread of data") + ", and the distance is " + value(1) +
         ". The algorithm as printed adds z at t = 1 too. What that does is seen on a density that "
         "is one point: the samples then have the variance beta_1 (measured over beta_1: " +
         value(2) +
         "), and without it all are the point itself. At beta_1 = 1e-4 that is a "
         "standard deviation of 1.3 grey levels of 255: small, but nothing is gained by it.";
}

}  // namespace

double on_eps_corrected(const process::VpSchedule& schedule, int t) {
  return schedule.beta(t) / schedule.level(t).s;
}

double on_eps_as_printed(const process::VpSchedule& schedule, int t) {
  return schedule.beta(t) / std::sqrt(1 - schedule.alpha(t));
}

at::Tensor run_reverse(const ReverseChain& chain, at::Tensor x) {
  const process::VpSchedule& schedule = chain.schedule;
  if (chain.seen) chain.seen(schedule.steps(), x);
  for (int t = schedule.steps(); t >= 1; --t) {
    if (chain.stop && chain.stop()) return x;
    const at::Tensor eps = chain.denoiser.eps(x, schedule.level(t));
    x = (x - eps * chain.rule.on_eps(schedule, t)) / std::sqrt(schedule.alpha(t));
    if (t > 1 || chain.rule.last == LastNoise::as_printed) {
      x = x + chain.noise(static_cast<std::uint32_t>(t)) * std::sqrt(schedule.beta(t));
    }
    if (chain.seen) chain.seen(t - 1, x);
  }
  return x;
}

Result reverse_langevin_by(const Context& context, const ReverseRule& rule) {
  const PlaneDensity density = plane_density(context.density);
  const process::VpSchedule schedule = schedule_for(context);
  const Setting setting{context, density, schedule, context.pick<std::int64_t>(8000, 4000)};
  const process::GaussianMixtureDenoiser exact = density.denoiser();

  Trail trail;
  const std::vector<int> shown = panel_steps(schedule.steps());
  const int frames = context.pick(48, 16);
  const auto keep = [&](int t, const at::Tensor& x) {
    trail.paths.push_back(x.slice(0, 0, kPaths).clone());
    const bool panel = std::find(shown.begin(), shown.end(), t) != shown.end();
    if (!panel && !is_frame(t, schedule.steps(), frames)) return;
    trail.ts.push_back(t);
    trail.xs.push_back(x.slice(0, 0, 400).clone());
  };
  const at::Tensor samples = setting.run(exact, rule, keep);
  const at::Tensor printed = setting.run(exact, {.on_eps = on_eps_as_printed});
  Result result;
  if (context.stopped()) return result;
  check_density(setting, samples, printed, result);
  check_point(setting, rule, result);
  result.arrays["paths"] = at::stack(trail.paths).to(at::kFloat);
  result.reading = reading_of(setting, result);
  result.figures.push_back({.figure = main_figure(setting, trail, printed)});
  result.figures.push_back({.suffix = "paths", .figure = path_figure(setting, trail)});
  if (!context.run.empty()) {
    add_run_trajectory(context, result);
  } else {
    result.reading +=
        " No trained run was given (--run), so that the same path on pictures is not drawn.";
  }
  if (context.stopped()) return {};
  result.animation = figures::Animation{.frames = frames_of(setting, trail)};
  return result;
}

Result reverse_langevin(const Context& context) { return reverse_langevin_by(context, {}); }

}  // namespace tinta::lab
