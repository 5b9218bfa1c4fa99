#include "tinta/lab/optimise.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/text.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/densities.h"
#include "tinta/lab/plane_figures.h"
#include "tinta/lab/plane_net.h"
#include "tinta/lab/rows.h"
#include "tinta/model/init.h"
#include "tinta/model/point_net.h"
#include "tinta/process/forward.h"

namespace tinta::lab {
namespace {

constexpr std::array<int, 3> kSteps = {10, 13, 16};
constexpr double kGoal = 0.01;
constexpr double kShownHalfSide = 2.25;  // of the square that figures show

/// Few and large steps, so that what a step of the reverse chain does can be seen.
process::VpSchedule own_schedule() {
  return process::VpSchedule(process::LinearBeta{.steps = 20, .start = 0.02, .end = 0.5});
}

/// Pairs (x_0, x_t) ~ q to measure distances at; none of them is trained on.
struct Probes {
  at::Tensor x0;        ///< [N,2] double
  at::Tensor xt;        ///< [N,2] double
  at::Tensor truth;     ///< [N,2] double: E[x_{t-1} | x_t]
  at::Tensor given_x0;  ///< [N,2] double: the mean of q(x_{t-1} | x_t, x_0), thesis eq. 2.11
};

Probes probes_at(const PlaneDensity& density, const process::VpSchedule& schedule, int t,
                 std::int64_t count, std::uint64_t seed) {
  const RandomKey key{
      .seed = seed, .stream = Stream::lab, .step = 100 + 2 * static_cast<std::uint32_t>(t)};
  RandomKey noise = key;
  noise.step += 1;
  const process::NoiseLevel level = schedule.level(t);
  Probes out{
      .x0 = density.sample(count, key).to(at::kDouble), .xt = {}, .truth = {}, .given_x0 = {}};
  out.xt = process::add_noise(level, out.x0, kernels::normal({count, 2}, noise).to(at::kDouble));
  const process::PosteriorCoefficients q = schedule.posterior(t);
  const at::Tensor x0 = density.denoiser().x0(out.xt, level);
  out.truth = x0 * q.on_x0 + out.xt * q.on_xt;
  out.given_x0 = out.x0 * q.on_x0 + out.xt * q.on_xt;
  return out;
}

double rms(const at::Tensor& difference) {
  return std::sqrt(difference.square().sum(1).mean().item<double>());
}

/// What the descent at one t did.
struct Descent {
  int t = 0;
  Probes probes;
  std::vector<double> steps, distances;  ///< RMS distance to E[x_{t-1} | x_t] after each
  std::vector<at::Tensor> path;          ///< the learned mean at probe `shown`, [2] each
  std::int64_t shown = 0;  ///< of those in the figure, the one that has farthest to go
  at::Tensor learned;      ///< [N,2] at the end
};

at::Tensor learned_mean(model::PointNet& network, const process::VpSchedule& schedule,
                        const Probes& probes, int t, MeanFromEps mean) {
  const process::NetworkDenoiser denoiser(network, {});
  // The net is trained at this t alone and knows it as step 1 of a process of one step.
  const at::Tensor x = probes.xt.to(at::kFloat).reshape({-1, 2, 1, 1});
  const at::Tensor eps =
      denoiser.eps(x, {.a = schedule.level(t).a, .s = schedule.level(t).s, .time = 1});
  return mean(schedule, t, probes.xt, eps.reshape({-1, 2}).to(at::kDouble));
}

// Steps to measure at: each of the first ones, then ever fewer.
bool measured(std::int64_t step, std::int64_t last) {
  if (step == last || step <= 8) return true;
  const std::int64_t gap = std::max<std::int64_t>(1, step / 8);
  return step % gap == 0;
}

Descent descend(const Context& context, const PlaneDensity& density,
                const process::VpSchedule& schedule, int t, MeanFromEps mean) {
  Descent out{.t = t,
              .probes = probes_at(density, schedule, t, context.pick<std::int64_t>(8000, 4000),
                                  context.seed),
              .steps = {},
              .distances = {},
              .path = {},
              .learned = {}};
  model::PointNet network({.dimensions = 2, .width = 64, .layers = 3});
  const std::uint64_t seed = context.seed * kSteps.size() + static_cast<std::uint64_t>(t);
  model::initialise(network, seed);
  const auto record = [&](std::int64_t step) {
    const at::Tensor now = learned_mean(network, schedule, out.probes, t, mean);
    out.steps.push_back(static_cast<double>(step));
    out.distances.push_back(rms(now - out.probes.truth));
    if (step == 0) {
      const at::Tensor way = (now - out.probes.truth).square().sum(1);
      const at::Tensor outside = std::get<0>(now.abs().max(1)) > 0.8 * kShownHalfSide;
      out.shown = way.masked_fill(outside, 0).argmax().item<std::int64_t>();
    }
    out.path.push_back(now[out.shown].clone());
  };
  record(0);
  const std::int64_t steps = context.steps.value_or(context.pick<std::int64_t>(4000, 1300));
  // A process of one step that ends at the noise of this t.
  const process::VpSchedule single(std::vector<double>{1 - schedule.alpha_bar(t)});
  train_on(density, network, single,
           {.steps = steps,
            .batch = context.pick<std::int64_t>(2048, 768),
            .learning_rate = 4e-3,
            .seed = seed,
            .after_step =
                [&](std::int64_t step, double) {
                  if (step < steps && measured(step, steps)) record(step);
                }},
           context);
  record(steps);
  out.learned = learned_mean(network, schedule, out.probes, t, mean);
  return out;
}

// On the points: (x_t + beta_t score) / sqrt(alpha_t), which no posterior enters.
double tweedie_difference(const PlaneDensity& density, const process::VpSchedule& schedule,
                          const Probes& probes, int t) {
  const at::Tensor score = density.denoiser().score(probes.xt, schedule.level(t));
  const at::Tensor other = (probes.xt + score * schedule.beta(t)) / std::sqrt(schedule.alpha(t));
  return (other - probes.truth).abs().max().item<double>();
}

void check_descent(const PlaneDensity& density, const process::VpSchedule& schedule,
                   const Descent& run, Result& result) {
  const std::string t = std::to_string(run.t);
  const std::string suffix = "_" + t;
  const double share = rms(run.learned - run.probes.truth) / run.distances.front();
  result.checks.push_back(
      {.what = "t = " + t + ": RMS distance to E[x_{t-1} | x_t] over its start",
       .value = share,
       .expected = kGoal,
       .tolerance = 0,
       .comparison = Comparison::at_most,
       .basis = "what the row must reach, on points x_t ~ q(x_t) that are not trained on",
       .arrays = {"learned" + suffix, "truth" + suffix, "start" + suffix}});
  // E |mu_theta - mu~|^2 = E |mu_theta - E[x_{t-1} | x_t]|^2 + E |mu~ - E[x_{t-1} | x_t]|^2: of
  // these the second stays. Both sides come from the same pairs, so only the cross term is noise.
  const at::Tensor to_given = (run.learned - run.probes.given_x0).square().sum(1);
  const at::Tensor spread = (run.probes.given_x0 - run.probes.truth).square().sum(1);
  const at::Tensor left = (run.learned - run.probes.truth).square().sum(1);
  const at::Tensor cross = to_given - spread - left;
  const double scale = spread.mean().item<double>();
  result.checks.push_back(
      {.what = "t = " + t +
               ": mean square distance to the x_0-conditioned mean over that of "
               "E[x_{t-1} | x_t] itself",
       .value = to_given.mean().item<double>() / scale,
       .expected = 1 + left.mean().item<double>() / scale,
       .tolerance =
           5 * cross.std().item<double>() / std::sqrt(static_cast<double>(cross.numel())) / scale,
       .basis = "5 standard errors of the cross term, which is zero on average: wrong in 6e-7 of "
                "runs",
       .arrays = {"learned" + suffix, "given_x0" + suffix, "truth" + suffix}});
  result.checks.push_back({.what = "t = " + t + ": E[x_{t-1} | x_t] by posterior against by score",
                           .value = tweedie_difference(density, schedule, run.probes, run.t),
                           .expected = 0,
                           .tolerance = 1e-12,
                           .basis = "rounding of doubles",
                           .arrays = {"truth" + suffix, "x_t" + suffix}});
  result.arrays["x_t" + suffix] = run.probes.xt;
  result.arrays["truth" + suffix] = run.probes.truth;
  result.arrays["given_x0" + suffix] = run.probes.given_x0;
  result.arrays["learned" + suffix] = run.learned;
  result.arrays["start" + suffix] = at::tensor(run.distances.front(), at::kDouble);
  result.arrays["curve" + suffix] =
      at::stack({at::tensor(run.steps, at::kDouble), at::tensor(run.distances, at::kDouble)});
  result.numbers.emplace_back("distance at the start, t = " + t, run.distances.front());
  result.numbers.emplace_back("distance at the end, t = " + t, run.distances.back());
  result.numbers.emplace_back("RMS spread of the x_0-conditioned mean, t = " + t, std::sqrt(scale));
}

// q(x_{t-1} | x_t) of one probe, and the learned mean on its way to that density's mean.
figures::Panel path_panel(const PlaneDensity& density, const process::VpSchedule& schedule,
                          const Descent& run) {
  const physics::PlaneGrid grid{.half_side = kShownHalfSide, .side = 120};
  const at::Tensor points = grid.points();
  const at::Tensor miss = run.probes.xt[run.shown] - points * std::sqrt(schedule.alpha(run.t));
  const at::Tensor log_posterior =
      density.denoiser().log_density(points, schedule.level(run.t - 1)) -
      miss.square().sum(1) / (2 * schedule.beta(run.t));
  const at::Tensor posterior = log_posterior.softmax(0) / grid.cell();
  figures::Panel panel = plane_panel("<i>t</i> = " + std::to_string(run.t), grid.half_side);
  panel.layers.emplace_back(backdrop(posterior, grid));
  const at::Tensor path = at::stack(run.path);
  panel.layers.emplace_back(figures::Line{.x = numbers_of(path.select(1, 0)),
                                          .y = numbers_of(path.select(1, 1)),
                                          .style = {.color = 1, .width = 0.8}});
  panel.layers.emplace_back(dots(path, {.color = 1}, 2.5, "μ<sub>θ</sub>, step by step"));
  figures::Markers truth =
      dots(run.probes.truth.slice(0, run.shown, run.shown + 1), {.color = -1, .width = 1.4}, 9,
           "E[<i>x</i><sub><i>t</i>-1</sub> | <i>x<sub>t</sub></i>]");
  truth.marker = figures::Marker::cross;
  panel.layers.emplace_back(std::move(truth));
  figures::Markers from = dots(run.probes.xt.slice(0, run.shown, run.shown + 1), {.color = 4}, 5,
                               "<i>x<sub>t</sub></i>");
  from.marker = figures::Marker::square;
  panel.layers.emplace_back(std::move(from));
  panel.legend = figures::Legend::lower_left;
  return panel;
}

figures::Panel curve_panel(const std::vector<Descent>& runs) {
  figures::Panel panel{.title = "Distance over its start",
                       .x = {.label = "training step", .scale = figures::Scale::log},
                       .y = {.label = "RMS distance / start", .scale = figures::Scale::log},
                       .legend = figures::Legend::lower_left};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Descent& run = runs[i];
    figures::Line line{.x = {},
                       .y = {},
                       .label = "<i>t</i> = " + std::to_string(run.t),
                       .style = {.color = static_cast<int>(i)}};
    for (std::size_t k = 1; k < run.steps.size(); ++k) {
      line.x.push_back(run.steps[k]);
      line.y.push_back(run.distances[k] / run.distances.front());
    }
    panel.layers.emplace_back(std::move(line));
  }
  panel.layers.emplace_back(figures::Line{.x = {1, runs.front().steps.back()},
                                          .y = {kGoal, kGoal},
                                          .label = "1%",
                                          .style = {.color = -2, .dash = figures::Dash::dashed}});
  return panel;
}

std::string reading_of(const std::vector<Descent>& runs, const Result& result) {
  std::string text =
      "A small net learns eps at one t at a time (algorithm 2.2.1 with t fixed), on three wells, "
      "where E[x_{t-1} | x_t] has a closed form. Its mean mu_theta (eq. 2.18) starts at "
      "x_t / sqrt(alpha_t), for a new net answers zero, and moves onto E[x_{t-1} | x_t]: the root "
      "mean square of the distance, over points x_t ~ q(x_t) that were not trained on, falls to ";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    text += (i == 0                 ? ""
             : i + 1 == runs.size() ? " and "
                                    : ", ") +
            fixed(100 * runs[i].distances.back() / runs[i].distances.front(), 2) +
            "% of its start at t = " + std::to_string(runs[i].t);
  }
  return text +
         ". It does not move onto mu-tilde(x_t, x_0), the x_0-conditioned mean that the loss "
         "compares it with and that eq. 2.14 puts in the place of the true one: from that it stays "
         "as far as E[x_{t-1} | x_t] itself is (ratio of mean squares " +
         fixed(result.checks[1].value, 3) + " at t = " + std::to_string(runs.front().t) +
         "). So the q(x_{t-1}) of eq. 2.14 is the density of one x_0, and fig. 2.4 holds after "
         "averaging over the x_0 that could have led to x_t.";
}

}  // namespace

at::Tensor mean_from_eps(const process::VpSchedule& schedule, int t, const at::Tensor& x_t,
                         const at::Tensor& eps) {
  return (x_t - eps * (schedule.beta(t) / schedule.level(t).s)) / std::sqrt(schedule.alpha(t));
}

Result optimise_by(const Context& context, MeanFromEps mean) {
  const PlaneDensity density = plane_density("three-wells");
  const process::VpSchedule schedule = own_schedule();
  std::vector<Descent> runs;
  Result result;
  figures::Figure figure{.title = "The learned mean moves onto the true one",
                         .panels = {},
                         .columns = 2,
                         .panel_width = 210,
                         .panel_height = 210};
  for (const int t : kSteps) {
    runs.push_back(descend(context, density, schedule, t, mean));
    if (context.stopped()) return {};
    check_descent(density, schedule, runs.back(), result);
    figure.panels.push_back(path_panel(density, schedule, runs.back()));
  }
  figure.panels.push_back(curve_panel(runs));
  result.figures.push_back({.figure = std::move(figure)});
  result.reading = reading_of(runs, result);
  return result;
}

Result optimise(const Context& context) { return optimise_by(context, mean_from_eps); }

}  // namespace tinta::lab
