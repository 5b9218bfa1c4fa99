#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <string>

#include "tinta/core/statistics.h"
#include "tinta/io/pixels.h"
#include "tinta/lab/forward.h"
#include "tinta/lab/forward_figures.h"
#include "tinta/lab/picture.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/words.h"

// Exercise 3 of the lab sheet: x_0, x_3, x_10, x_30, x_100, x_200 of a process with T = 200 and
// beta from 1e-4 to 0.02, and the same six places of one with T = 1000.

namespace tinta::lab {
namespace {

constexpr std::uint64_t kSample = std::uint64_t{2} << 40;  // apart from the draws of other rows

/// A process, its chain, and what the panels measure.
struct Chain {
  process::VpSchedule schedule;
  std::vector<int> shown;
  Walk walk{};
  std::vector<double> correlation{};  ///< of x_t with x_0, as the panels after the first
  std::vector<double> deviation{};    ///< from predicted_correlation(), in standard errors
  double power = 0;                   ///< mean square of x_0 about center_of()
};

/// Where the correlation is measured from: the picture's mean, or zero for a picture of one colour,
/// whose correlation about its mean is not defined.
double center_of(const at::Tensor& x0) {
  const at::Tensor x = x0.to(at::kDouble);
  const double mean = x.mean().item<double>();
  return (x - mean).square().mean().item<double>() > 1e-4 ? mean : 0.0;
}

double predicted_correlation(const process::NoiseLevel& level, double power) {
  return level.a * std::sqrt(power / (level.a * level.a * power + level.s * level.s));
}

/// Fisher's transform makes the correlation's error nearly normal with a standard error of at most
/// 1 / sqrt(n); for a fixed x_0 it is less, by sqrt(1 - rho^2 / 2).
void correlate(Chain& chain, const at::Tensor& x0) {
  const double center = center_of(x0);
  const at::Tensor clean = x0.to(at::kDouble) - center;
  const auto count = static_cast<double>(x0.numel());
  chain.power = clean.square().mean().item<double>();
  for (const int t : chain.shown) {
    if (t == 0) continue;
    const process::NoiseLevel level = chain.schedule.level(t);
    const at::Tensor x = chain.walk.kept.at(t).to(at::kDouble) - level.a * center;
    const double r = (x * clean).sum().item<double>() / (x.norm() * clean.norm()).item<double>();
    const double rho = predicted_correlation(level, chain.power);
    const double error = std::sqrt((1 - rho * rho / 2) / count);
    chain.correlation.push_back(r);
    chain.deviation.push_back((std::atanh(r) - std::atanh(rho)) / error);
  }
}

Check value_check(const std::string& what, double value, double expected) {
  return {.what = what,
          .value = value,
          .expected = expected,
          .tolerance = 0.005,
          .basis = "the two digits that are stated",
          .arrays = {"alpha_bar_200"}};
}

Check amplitude_check(const Chain& chain, const at::Tensor& x0) {
  const int last = chain.schedule.steps();
  const process::NoiseLevel level = chain.schedule.level(last);
  const std::string t = std::to_string(last);
  return {.what = "amplitude of x_0 in x_" + t + ", <x_" + t + ", x_0> / <x_0, x_0>, T = " + t,
          .value = chain.walk.amplitude.back(),
          .expected = level.a,
          .tolerance = 5 * level.s / x0.to(at::kDouble).norm().item<double>(),
          .basis = "5 standard errors: wrong in 6e-7 of runs",
          .arrays = {"x0", "x_" + t, "t_" + t}};
}

Check correlation_check(const std::array<Chain, 2>& chains) {
  double most = 0;
  std::size_t count = 0;
  for (const Chain& chain : chains) {
    for (const double deviation : chain.deviation) {
      most = std::isnan(deviation) ? deviation : std::max(most, std::abs(deviation));
      ++count;
    }
  }
  return {.what =
              "greatest deviation of the correlation of x_t with x_0 from its prediction, in "
              "standard errors, over all panels",
          .value = most,
          .expected = 0,
          .tolerance = critical_deviations(two_sided_error(5), count),
          .comparison = Comparison::at_most,
          .basis = "the largest of " + std::to_string(count) +
                   " normal numbers is beyond it in at most 6e-7 of runs",
          .arrays = {"x0", "x_200", "x_1000", "alpha_bar_200", "alpha_bar_1000"}};
}

Check residual_check(const std::array<Chain, 2>& chains, const at::Tensor& x0) {
  double most = 0;
  std::size_t count = 0;
  for (const Chain& chain : chains) {
    for (const int t : chain.shown) {
      if (t == 0) continue;
      most = std::max(
          most, distance_from_normal(residuals(chain.schedule, x0, chain.walk.kept.at(t), t)));
      ++count;
    }
  }
  return {.what =
              "greatest Kolmogorov distance of the standardised residuals from N(0, 1), over "
              "all panels",
          .value = most,
          .expected = 0,
          .tolerance = ks_critical(static_cast<std::size_t>(x0.numel()),
                                   two_sided_error(5) / static_cast<double>(count)),
          .comparison = Comparison::at_most,
          .basis = "Massart's bound: wrong in at most 6e-7 of runs",
          .arrays = {"x0", "x_200", "x_1000", "alpha_bar_200", "alpha_bar_1000"}};
}

figures::Figure panels_figure(const std::array<Chain, 2>& chains, const at::Tensor& x0) {
  figures::Figure figure{
      .title =
          "Forward process, β from 0.0001 to 0.02: <i>T</i> = 200 above, <i>T</i> = 1000 below",
      .panels = {},
      .columns = 6,
      .panel_width = 126,
      .panel_height = std::clamp(
          126 * static_cast<double>(x0.size(1)) / static_cast<double>(x0.size(2)), 20.0, 378.0)};
  for (const Chain& chain : chains) {
    for (const int t : chain.shown) {
      figure.panels.push_back(panel_of(panel_title(chain.schedule, t), {}, {},
                                       {picture_of(chain.walk.kept.at(t))}, figures::Legend::none));
    }
  }
  return figure;
}

figures::Figure correlation_figure(const std::array<Chain, 2>& chains) {
  figures::Panel left = panel_of("correlation of x<sub>t</sub> with x<sub>0</sub>",
                                 {.label = "share of the way, <i>t</i>/<i>T</i>"},
                                 {.label = "correlation", .low = -0.05, .high = 1.05}, {});
  figures::Panel right =
      panel_of("what is left of the picture", {.label = "share of the way, <i>t</i>/<i>T</i>"},
               {.label = "amplitude √ᾱ<sub>t</sub>", .low = -0.05, .high = 1.05}, {},
               figures::Legend::upper_right);
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const Chain& chain = chains[i];
    const auto last = static_cast<double>(chain.schedule.steps());
    const std::string name = "<i>T</i> = " + std::to_string(chain.schedule.steps());
    const figures::Style style{.color = static_cast<int>(i),
                               .dash = i == 0 ? figures::Dash::solid : figures::Dash::dashed};
    figures::Markers measured{.x = {},
                              .y = {},
                              .label = name + ", measured",
                              .style = {.color = static_cast<int>(i)},
                              .size = 5,
                              .marker = i == 0 ? figures::Marker::circle : figures::Marker::square};
    figures::Line predicted{.x = {}, .y = {}, .label = name + ", predicted", .style = style};
    for (std::size_t k = 0; k < chain.correlation.size(); ++k) {
      measured.x.push_back(chain.shown[k + 1] / last);
      measured.y.push_back(chain.correlation[k]);
    }
    for (int t = 0; t <= chain.schedule.steps(); ++t) {
      predicted.x.push_back(t / last);
      predicted.y.push_back(predicted_correlation(chain.schedule.level(t), chain.power));
    }
    figures::Line amplitude = line_over_steps(chain.walk.amplitude, name, style);
    for (double& x : amplitude.x) x /= last;
    left.layers.emplace_back(predicted);
    left.layers.emplace_back(measured);
    right.layers.emplace_back(amplitude);
  }
  return {.title = "200 steps of this schedule do not reach noise",
          .panels = {left, right},
          .columns = 2};
}

void add_arrays(const Chain& chain, Result& result) {
  const std::string name = std::to_string(chain.schedule.steps());
  std::vector<at::Tensor> states;
  std::vector<std::int64_t> steps;
  for (const int t : chain.shown) {
    steps.push_back(t);
    states.push_back(chain.walk.kept.at(t));
  }
  std::vector<double> alpha_bar;
  for (int t = 0; t <= chain.schedule.steps(); ++t) {
    alpha_bar.push_back(chain.schedule.alpha_bar(t));
  }
  result.arrays["x_" + name] = at::stack(states);
  result.arrays["t_" + name] = at::tensor(steps);
  result.arrays["alpha_bar_" + name] = at::tensor(alpha_bar, at::kDouble);
}

std::string reading(const std::array<Chain, 2>& chains) {
  const process::VpSchedule& lab = chains[0].schedule;
  const process::VpSchedule& longer = chains[1].schedule;
  return "The lab sheet's T = 200 with beta from 1e-4 to 0.02 ends at alpha_bar_200 = " +
         brief(lab.alpha_bar(200), 3) + ": x_200 still holds " + brief(100 * lab.level(200).a, 2) +
         "% of the picture's amplitude (measured: " +
         brief(100 * chains[0].walk.amplitude.back(), 3) + "%), a correlation of " +
         brief(chains[0].correlation.back(), 2) +
         " with x_0, and the eye still finds its shapes "
         "in the noise: it is not N(0, I), and a sampler that starts from N(0, I) at t = 200 "
         "starts "
         "from something else. The same betas spread over T = 1000 steps end at alpha_bar_1000 = " +
         brief(longer.alpha_bar(1000), 3) + ", " + brief(100 * longer.level(1000).a, 2) +
         "% of the amplitude. The sheet counts beta from t = 0; here beta_1 = 1e-4 and beta_200 = "
         "0.02, 200 steps in all.";
}

}  // namespace

Result forward_condor(const Context& context, const ForwardFormulas& formulas) {
  const at::Tensor x0 = io::from_bytes(picture(context, context.pick<std::int64_t>(192, 96)));
  std::array<Chain, 2> chains = {
      Chain{.schedule = process::VpSchedule(process::LinearBeta{.steps = 200}),
            .shown = {0, 3, 10, 30, 100, 200}},
      Chain{.schedule = process::VpSchedule(process::LinearBeta{.steps = 1000}),
            .shown = {0, 15, 50, 150, 500, 1000}}};
  for (std::size_t i = 0; i < chains.size(); ++i) {
    Chain& chain = chains[i];
    chain.walk = walk(context, {.schedule = chain.schedule,
                                .x0 = x0,
                                .formulas = formulas,
                                .keep = {chain.shown.begin(), chain.shown.end()},
                                .sample = kSample + i});
    if (context.stopped()) return {};
    correlate(chain, x0);
  }
  const process::VpSchedule& lab = chains[0].schedule;
  Result result;
  result.checks = {
      value_check("alpha_bar_200", lab.alpha_bar(200), 0.13),
      value_check("sqrt(alpha_bar_200), what is left of the amplitude", lab.level(200).a, 0.36),
      amplitude_check(chains[0], x0),
      amplitude_check(chains[1], x0),
      correlation_check(chains),
      residual_check(chains, x0)};
  result.numbers = {{"alpha_bar_200 of T = 200", lab.alpha_bar(200)},
                    {"alpha_bar_1000 of T = 1000", chains[1].schedule.alpha_bar(1000)},
                    {"correlation of x_200 with x_0, T = 200", chains[0].correlation.back()},
                    {"correlation of x_1000 with x_0, T = 1000", chains[1].correlation.back()},
                    {"Kolmogorov distance of x_200 from N(0, 1)",
                     distance_from_normal(chains[0].walk.kept.at(200))}};
  result.arrays["x0"] = x0;
  for (const Chain& chain : chains) add_arrays(chain, result);
  result.figures = {{"", panels_figure(chains, x0)}, {"correlation", correlation_figure(chains)}};
  result.reading = reading(chains);
  return result;
}

Result forward_condor(const Context& context) {
  return forward_condor(context, forward_formulas());
}

}  // namespace tinta::lab
