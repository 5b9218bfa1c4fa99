#include "tinta/lab/score_field.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/text.h"
#include "tinta/lab/densities.h"
#include "tinta/lab/plane_figures.h"
#include "tinta/lab/plane_net.h"
#include "tinta/lab/rows.h"
#include "tinta/model/init.h"
#include "tinta/model/point_net.h"
#include "tinta/physics/minima.h"
#include "tinta/physics/score_field.h"

namespace tinta::lab {
namespace {

// In k_B T; a grid makes up shallower ones along narrow ridges.
constexpr double kLeastDepth = 0.01;
constexpr int kLevel = 8;  // t of the fields that are shown; s = 0.19

/// The fields on one grid.
struct Fields {
  physics::PlaneGrid grid;
  at::Tensor points;       ///< [N,2] double
  at::Tensor log_density;  ///< [N] double
  at::Tensor exact;        ///< [N,2] double
  at::Tensor learned;      ///< [N,2] double
  at::Tensor gaussian;     ///< [N,2]: the score of the Gaussian with the density's two moments
};

// What two moments alone tell of the score: -C^-1 x.
at::Tensor score_of_moments(const PlaneDensity& density, const process::NoiseLevel& level,
                            const at::Tensor& points) {
  const at::Tensor covariance =
      density.covariance() * (level.a * level.a) + at::eye(2, at::kDouble) * (level.s * level.s);
  return -points.matmul(covariance.inverse());
}

// Mean square over q, relative to that of the exact score.
double relative_error(const Fields& fields, const at::Tensor& field) {
  const at::Tensor weight = fields.log_density.softmax(0);
  const at::Tensor error = (field - fields.exact).square().sum(1);
  const double square = (weight * error).sum().item<double>();
  return std::sqrt(square / (weight * fields.exact.square().sum(1)).sum().item<double>());
}

Check check_differences(const Fields& fields, const process::GaussianMixtureDenoiser& denoiser,
                        const process::NoiseLevel& level, Result& result) {
  const at::Tensor slopes = physics::gradient_by_differences(
      [&](const at::Tensor& x) { return denoiser.log_density(x, level); }, fields.points, 2e-3);
  result.arrays["differences"] = slopes;
  const at::Tensor scale = fields.exact.square().sum(1).sqrt().clamp_min(1).unsqueeze(1);
  return {.what = "exact score against differences of log q, largest over max(1, |score|)",
          .value = ((slopes - fields.exact) / scale).abs().max().item<double>(),
          .expected = 0,
          .tolerance = 1e-6,
          .basis =
              "differences of fourth order, h = 0.002: off by h^4/30 of the fifth derivative, "
              "about 1e-8, and by rounding over h, about 1e-13",
          .arrays = {"score", "differences"}};
}

/// Where following the field ends.
struct Ends {
  at::Tensor starts, points;  ///< [N,2] double
  at::Tensor distance;        ///< [N] double: to the nearest maximum
  std::vector<physics::Minimum> maxima;
};

Ends follow_field(const Context& context, const PlaneDensity& density,
                  const process::NoiseLevel& level, ScoreOf score) {
  const process::GaussianMixtureDenoiser denoiser = density.denoiser();
  const physics::PlaneGrid grid{.half_side = density.half_side, .side = 240};
  Ends ends{.starts = {},
            .points = {},
            .distance = {},
            .maxima = physics::find_minima(
                          -denoiser.log_density(grid.points(), level).view({grid.side, grid.side}),
                          grid, kLeastDepth)
                          .minima};
  ends.starts = density
                    .sample(context.pick<std::int64_t>(400, 150),
                            {.seed = context.seed, .stream = Stream::lab, .step = 2})
                    .to(at::kDouble);
  // Half of the narrowest component's variance: twice would be the end of stability.
  const double width = density.sigmas.min().item<double>() * level.a;
  const double step = (width * width + level.s * level.s) / 2;
  ends.points = physics::follow([&](const at::Tensor& x) { return score(denoiser, level, x); },
                                ends.starts, step, context.pick(4000, 2500));
  at::Tensor places = at::empty({static_cast<std::int64_t>(ends.maxima.size()), 2}, at::kDouble);
  for (std::int64_t i = 0; i < places.size(0); ++i) {
    places[i][0] = ends.maxima[static_cast<std::size_t>(i)].x;
    places[i][1] = ends.maxima[static_cast<std::size_t>(i)].y;
  }
  ends.distance = std::get<0>(at::cdist(ends.points, places).min(1));
  return ends;
}

void check_ends(const PlaneDensity& density, const Ends& ends, Result& result) {
  result.checks.push_back({.what = "maxima of the exact density on a grid",
                           .value = static_cast<double>(ends.maxima.size()),
                           .expected = static_cast<double>(density.maxima),
                           .tolerance = 0,
                           .basis = "how the density is made",
                           .arrays = {"log_density"}});
  result.checks.push_back(
      {.what = "following the exact field: largest distance of an end from its maximum",
       .value = ends.distance.max().item<double>(),
       .expected = 0,
       .tolerance = density.half_side / 240,
       .basis = "half a cell of the grid that the maxima are located on",
       .arrays = {"ends", "maxima"}});
  at::Tensor maxima = at::empty({static_cast<std::int64_t>(ends.maxima.size()), 2}, at::kDouble);
  for (std::int64_t i = 0; i < maxima.size(0); ++i) {
    maxima[i][0] = ends.maxima[static_cast<std::size_t>(i)].x;
    maxima[i][1] = ends.maxima[static_cast<std::size_t>(i)].y;
  }
  result.arrays["starts"] = ends.starts;
  result.arrays["ends"] = ends.points;
  result.arrays["maxima"] = maxima;
}

void check_learned(const Fields& fields, Result& result) {
  const double learned = relative_error(fields, fields.learned);
  const double moments = relative_error(fields, fields.gaussian);
  result.checks.push_back(
      {.what = "learned score: root mean square error over q, relative to the exact score's",
       .value = learned,
       .expected = 0,
       .tolerance = moments / 3,
       .comparison = Comparison::at_most,
       .basis = "a third of the error of -C^-1 x, all that mean and covariance tell: the net must "
                "have learned the density's shape (an answer of zero has error 1)",
       .arrays = {"score", "score_learned", "score_moments", "log_density"}});
  result.numbers.emplace_back("relative error of the learned score", learned);
  result.numbers.emplace_back("relative error of the score of the two moments", moments);
}

// Every k-th point and vector of a grid, cut to a length that leaves the field readable.
figures::Arrows sparse_arrows(const Fields& fields, const at::Tensor& field) {
  const std::int64_t side = fields.grid.side;
  const std::int64_t every = std::max<std::int64_t>(1, side / 20);
  const auto thin = [&](const at::Tensor& x) {
    return x.reshape({side, side, 2})
        .slice(0, every / 2, side, every)
        .slice(1, every / 2, side, every)
        .reshape({-1, 2});
  };
  const at::Tensor vectors = thin(field);
  const at::Tensor length = vectors.square().sum(1, true).sqrt().clamp_min(1e-12);
  // Lengths grow like the logarithm: far from the density the score is long, and near it matters.
  return arrows(thin(fields.points), vectors / length * length.log1p());
}

figures::Figure draw(const PlaneDensity& density, const Fields& fields, const Ends& ends) {
  const at::Tensor q = fields.log_density.exp();
  figures::Figure figure{.title = "A density and its score: " + density.name,
                         .panels = {},
                         .columns = 2,
                         .panel_width = 215,
                         .panel_height = 215};
  const auto add = [&](const std::string& title) -> figures::Panel& {
    figures::Panel& panel = figure.panels.emplace_back(plane_panel(title, density.half_side));
    panel.legend = figures::Legend::none;
    return panel;
  };
  add("<i>q</i>(<i>x<sub>t</sub></i>), <i>t</i> = " + std::to_string(kLevel))
      .layers.emplace_back(heat_map(q, fields.grid, "density"));
  const auto add_field = [&](const std::string& title, const at::Tensor& field) -> auto& {
    figures::Panel& panel = add(title);
    panel.layers.emplace_back(backdrop(q, fields.grid));
    panel.layers.emplace_back(sparse_arrows(fields, field));
    return panel;
  };
  figures::Panel& exact = add_field("exact score, and where it leads", fields.exact);
  exact.layers.emplace_back(dots(ends.points, {.color = 1}, 5, "ends"));
  add_field("learned score", fields.learned);
  const at::Tensor error = (fields.learned - fields.exact).square().sum(1).sqrt();
  figures::Panel& map = add("error of the learned score");
  map.layers.emplace_back(
      heat_map(error.clamp_min(1e-3).log10(), fields.grid, "log<sub>10</sub> |error|"));
  map.layers.emplace_back(
      figures::Contours{.values = q.reshape({fields.grid.side, fields.grid.side}),
                        .x_low = -density.half_side,
                        .x_high = density.half_side,
                        .y_low = -density.half_side,
                        .y_high = density.half_side,
                        .levels = {q.max().item<double>() / 100},
                        .style = {.color = -1}});
  return figure;
}

}  // namespace

Result score_field_by(const Context& context, ScoreOf score) {
  const PlaneDensity density = plane_density(context.density);
  const process::VpSchedule schedule = plane_schedule();
  const process::NoiseLevel level = schedule.level(kLevel);
  const process::GaussianMixtureDenoiser denoiser = density.denoiser();
  model::PointNet network(
      {.dimensions = 2, .width = context.pick<std::int64_t>(128, 64), .layers = 3, .octaves = 2});
  model::initialise(network, context.seed);
  train_on(density, network, schedule,
           {.steps = context.steps.value_or(context.pick<std::int64_t>(6000, 1500)),
            .batch = context.pick<std::int64_t>(1024, 512),
            .learning_rate = 4e-3,
            .seed = context.seed},
           context);
  if (context.stopped()) return {};

  Fields fields{
      .grid = {.half_side = density.half_side, .side = context.pick<std::int64_t>(160, 100)},
      .points = {},
      .log_density = {},
      .exact = {},
      .learned = {},
      .gaussian = {}};
  fields.points = fields.grid.points();
  fields.log_density = denoiser.log_density(fields.points, level);
  fields.exact = score(denoiser, level, fields.points);
  fields.learned = score(process::NetworkDenoiser(network, {}), level, fields.points);
  fields.gaussian = score_of_moments(density, level, fields.points);
  Result result;
  result.arrays = {{"points", fields.points},
                   {"log_density", fields.log_density},
                   {"score", fields.exact},
                   {"score_learned", fields.learned},
                   {"score_moments", fields.gaussian}};
  result.checks.push_back(check_differences(fields, denoiser, level, result));
  const Ends ends = follow_field(context, density, level, score);
  check_ends(density, ends, result);
  check_learned(fields, result);
  result.figures.push_back({.figure = draw(density, fields, ends)});
  result.reading =
      "The score of " + density.name + " at t = " + std::to_string(kLevel) +
      " (s = " + fixed(level.s, 3) +
      ") is the field of the force -grad U of U = -log q, and points uphill: "
      "followed without noise from samples it ends at the density's " +
      std::to_string(density.maxima) + " maxima, at most " +
      fixed(ends.distance.max().item<double>(), 5) +
      " away. It agrees with differences of log q to " + shortest(result.checks[0].value) +
      ". The score that a small net learned by algorithm 2.2.1 has a root mean square error of " +
      fixed(100 * relative_error(fields, fields.learned), 1) +
      "% of the exact score, weighted by q; that of the Gaussian with the same mean and "
      "covariance has " +
      fixed(100 * relative_error(fields, fields.gaussian), 1) +
      "%. The map shows where the error lives: outside of the density (contour at 1% of its "
      "maximum), where training never looks.";
  return result;
}

Result score_field(const Context& context) { return score_field_by(context, physics::score_at); }

}  // namespace tinta::lab
