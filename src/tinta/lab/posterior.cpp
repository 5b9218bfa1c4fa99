#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/statistics.h"
#include "tinta/lab/forward_figures.h"
#include "tinta/lab/reverse_forms.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/words.h"

// Lab exercise 2, thesis eqs. 2.10-2.11: q(x_{t-1} | x_t, x_0) as Bayes' rule writes it, a product
// of two Gaussians over a third, integrated numerically, against the closed form.

namespace tinta::lab {
namespace {

constexpr double kAgreement = 1e-10;

double log_normal(double x, double mean, double variance) {
  const double off = x - mean;
  return -off * off / (2 * variance) - std::log(2 * std::numbers::pi * variance) / 2;
}

/// q(x_{t-1} | x_t, x_0) on a grid of x_{t-1}: log q(x_t | x_{t-1}) + log q(x_{t-1} | before).
struct Bayes {
  double keep = 0, beta = 0;           // x_t = keep x_{t-1} + sqrt(beta) eps
  double mean_before = 0, before = 0;  // mean and variance of x_{t-1} before x_t is seen
  double x_t = 0;

  [[nodiscard]] double log_joint(double x) const {
    return log_normal(x_t, keep * x, beta) + log_normal(x, mean_before, before);
  }
};

struct Moments {
  double evidence = 0;  ///< the normaliser, which must be q(x_t | x_0)
  double mean = 0;
  double variance = 0;
};

/// Normaliser, mean and variance by the trapezoidal rule, which on a Gaussian converges faster than
/// any power of the spacing. The factors' widths place the grid; nothing else of theirs is used.
Moments integrate(const Bayes& bayes) {
  const double precision = bayes.keep * bayes.keep / bayes.beta + 1 / bayes.before;
  const double center =
      (bayes.keep * bayes.x_t / bayes.beta + bayes.mean_before / bayes.before) / precision;
  const double reach = 12 / std::sqrt(precision);
  const auto moment = [&](auto&& factor) {
    return trapezoid([&](double x) { return factor(x) * std::exp(bayes.log_joint(x)); },
                     center - reach, center + reach, 96);
  };
  Moments out;
  out.evidence = moment([](double) { return 1.0; });
  out.mean = center + moment([&](double x) { return x - center; }) / out.evidence;
  out.variance = moment([&](double x) { return (x - out.mean) * (x - out.mean); }) / out.evidence;
  return out;
}

Bayes bayes_at(const process::VpSchedule& schedule, int t, double x0, double x_t) {
  const process::NoiseLevel before = schedule.level(t - 1);
  return {.keep = std::sqrt(schedule.alpha(t)),
          .beta = schedule.beta(t),
          .mean_before = before.a * x0,
          .before = before.s * before.s,
          .x_t = x_t};
}

constexpr std::array<double, 3> kX0 = {-0.9, 0.2, 1.0};
constexpr std::array<double, 3> kNoise = {-1.5, 0.4, 2.0};  // x_t at these deviations

double mean_of(const process::PosteriorCoefficients& q, double x0, double x_t) {
  return q.on_x0 * x0 + q.on_xt * x_t;
}

/// Without x_0, for data of one unit Gaussian: there, and only there, the reverse step's variance
/// is beta_t.
double unconditional_variance(const process::VpSchedule& schedule, int t) {
  return integrate({.keep = std::sqrt(schedule.alpha(t)),
                    .beta = schedule.beta(t),
                    .mean_before = 0,
                    .before = 1,
                    .x_t = 0.7})
      .variance;
}

/// Everything over t = 2..T, as the arrays hold it: [T-1] or [T-1,3,3] (t, x_0, x_t).
struct Study {
  process::VpSchedule schedule;
  at::Tensor x_t{}, mean{}, variance{}, evidence{};  // [T-1,3,3], by Bayes
  at::Tensor exact_evidence{};                       // [T-1,3,3], q(x_t | x_0)
  at::Tensor unconditional{};                        // [T-1], by Bayes for data N(0, 1)
  at::Tensor on_x0{}, on_xt{}, closed_variance{};    // [T-1], the formula's
  at::Tensor printed_on_x0{}, printed_on_xt{};       // [T-1]
  at::Tensor beta{};                                 // [T-1]

  /// [T-1]: how far a mean with these coefficients is from Bayes, at its worst pair.
  [[nodiscard]] at::Tensor off(const at::Tensor& c_x0, const at::Tensor& c_xt) const {
    const at::Tensor x0 = at::tensor(at::ArrayRef<double>(kX0.data(), kX0.size()), at::kDouble);
    const auto wide = [](const at::Tensor& c) { return c.reshape({-1, 1, 1}); };
    return (wide(c_x0) * x0.reshape({1, 3, 1}) + wide(c_xt) * x_t - mean).abs().amax({1, 2});
  }
  [[nodiscard]] at::Tensor mean_error() const { return off(on_x0, on_xt); }
  [[nodiscard]] at::Tensor printed_error() const { return off(printed_on_x0, printed_on_xt); }
  [[nodiscard]] at::Tensor variance_error() const {
    return (closed_variance.reshape({-1, 1, 1}) / variance - 1).abs().amax({1, 2});
  }
  [[nodiscard]] at::Tensor evidence_error() const {
    return (evidence / exact_evidence - 1).abs().amax({1, 2});
  }
  [[nodiscard]] at::Tensor unconditional_error() const { return (unconditional / beta - 1).abs(); }
  [[nodiscard]] at::Tensor ratio() const { return beta / variance.amax({1, 2}); }
};

void measure(int t, const PosteriorFormula& formula, Study& study) {
  const process::VpSchedule& schedule = study.schedule;
  const std::int64_t row = t - 2;
  const process::NoiseLevel level = schedule.level(t);
  for (std::size_t i = 0; i < kX0.size(); ++i) {
    for (std::size_t j = 0; j < kNoise.size(); ++j) {
      const double x_t = level.a * kX0[i] + level.s * kNoise[j];
      const Moments bayes = integrate(bayes_at(schedule, t, kX0[i], x_t));
      const auto put = [&](at::Tensor& cube, double value) {
        cube.accessor<double, 3>()[row][static_cast<std::int64_t>(i)]
                                  [static_cast<std::int64_t>(j)] = value;
      };
      put(study.x_t, x_t);
      put(study.mean, bayes.mean);
      put(study.variance, bayes.variance);
      put(study.evidence, bayes.evidence);
      put(study.exact_evidence, std::exp(log_normal(x_t, level.a * kX0[i], level.s * level.s)));
    }
  }
  const process::PosteriorCoefficients closed = formula(schedule, t);
  const process::PosteriorCoefficients printed = printed_posterior(schedule, t);
  const auto put = [&](at::Tensor& series, double value) {
    series.accessor<double, 1>()[row] = value;
  };
  put(study.on_x0, closed.on_x0);
  put(study.on_xt, closed.on_xt);
  put(study.closed_variance, closed.variance);
  put(study.printed_on_x0, printed.on_x0);
  put(study.printed_on_xt, printed.on_xt);
  put(study.beta, schedule.beta(t));
  put(study.unconditional, unconditional_variance(schedule, t));
}

Study study_of(const Context& context, const PosteriorFormula& formula) {
  Study study{.schedule = process::VpSchedule(context.process({}))};
  const int last = study.schedule.steps();
  if (last < 2) {
    throw ArgumentError(
        "[posterior] expected a process of at least 2 steps, got 1: at t = 1 the posterior is a "
        "point");
  }
  const at::Tensor cube = at::zeros({last - 1, 3, 3}, at::kDouble);
  const at::Tensor row = at::zeros({last - 1}, at::kDouble);
  for (at::Tensor* t :
       {&study.x_t, &study.mean, &study.variance, &study.evidence, &study.exact_evidence}) {
    *t = cube.clone();
  }
  for (at::Tensor* t : {&study.unconditional, &study.on_x0, &study.on_xt, &study.closed_variance,
                        &study.printed_on_x0, &study.printed_on_xt, &study.beta}) {
    *t = row.clone();
  }
  for (int t = 2; t <= last && !context.stopped(); ++t) measure(t, formula, study);
  return study;
}

double greatest(const at::Tensor& values) { return values.max().item<double>(); }

Check agrees(const std::string& what, const at::Tensor& errors,
             const std::vector<std::string>& arrays) {
  return {.what = what,
          .value = greatest(errors),
          .expected = 0,
          .tolerance = kAgreement,
          .comparison = Comparison::at_most,
          .basis = "quadrature in double",
          .arrays = arrays};
}

Check differs(const std::string& what, double value, double expected,
              const std::vector<std::string>& arrays) {
  return {.what = what,
          .value = value,
          .expected = expected,
          .tolerance = 0,
          .comparison = Comparison::at_least,
          .basis = "a hundred times the agreement asked of the closed form",
          .arrays = arrays};
}

std::vector<Check> checks_of(const Study& study) {
  return {agrees("mean by lab eq. 4 against Bayes on a grid, greatest difference over t and pairs",
                 study.mean_error(), {"on_x0", "on_xt", "x0", "x_t", "bayes_mean"}),
          agrees("variance beta-tilde_t against Bayes on a grid, greatest relative difference",
                 study.variance_error(), {"closed_variance", "bayes_variance"}),
          agrees("normaliser on the grid against q(x_t | x_0), greatest relative difference",
                 study.evidence_error(), {"bayes_evidence", "exact_evidence"}),
          agrees("beta_t against the variance of q(x_{t-1} | x_t) for data N(0, 1), greatest "
                 "relative difference",
                 study.unconditional_error(), {"unconditional_variance", "beta"}),
          differs("mean by thesis eq. 2.11 as printed against Bayes, greatest difference",
                  greatest(study.printed_error()), 100 * kAgreement,
                  {"printed_on_x0", "printed_on_xt", "x0", "x_t", "bayes_mean"}),
          differs("beta_t, the variance of lab eq. 3, over that of q(x_{t-1} | x_t, x_0) by Bayes, "
                  "greatest ratio",
                  greatest(study.ratio()), 1 + 100 * kAgreement, {"beta", "bayes_variance"})};
}

/// Curve of exp(log_density) for the figure, scaled to its own maximum.
figures::Line curve(const std::function<double(double)>& log_density, double low, double high,
                    const std::string& label, const figures::Style& style) {
  figures::Line line{.x = {}, .y = {}, .label = label, .style = style};
  double top = -1e300;
  for (int i = 0; i <= 400; ++i) {
    const double x = low + (high - low) * i / 400;
    line.x.push_back(x);
    line.y.push_back(log_density(x));
    top = std::max(top, line.y.back());
  }
  for (double& y : line.y) y = std::exp(y - top);
  return line;
}

figures::Panel densities_panel(const process::VpSchedule& schedule, int t,
                               const PosteriorFormula& formula) {
  const double x0 = 1;
  const process::NoiseLevel level = schedule.level(t);
  const double x_t = level.a * x0 - 1.5 * level.s;
  const Bayes bayes = bayes_at(schedule, t, x0, x_t);
  const process::PosteriorCoefficients closed = formula(schedule, t);
  const process::PosteriorCoefficients printed = printed_posterior(schedule, t);
  const double reach = 3.5 * std::sqrt(bayes.before);
  const double low = bayes.mean_before - reach, high = bayes.mean_before + reach;
  const auto gaussian = [&](const process::PosteriorCoefficients& q) {
    const double mean = mean_of(q, x0, x_t);
    return [mean, variance = q.variance](double x) { return log_normal(x, mean, variance); };
  };
  return panel_of("Bayes' rule at <i>t</i> = " + std::to_string(t),
                  {.label = "x<sub>t−1</sub>", .low = low, .high = high},
                  {.label = "density, each to its maximum", .low = 0, .high = 2},
                  {curve([&](double x) { return log_normal(x, bayes.mean_before, bayes.before); },
                         low, high, "q(x<sub>t−1</sub>|x<sub>0</sub>)", {.color = 0}),
                   curve([&](double x) { return log_normal(x_t, bayes.keep * x, bayes.beta); }, low,
                         high, "q(x<sub>t</sub>|x<sub>t−1</sub>)", {.color = 1}),
                   curve([&](double x) { return bayes.log_joint(x); }, low, high,
                         "product, on a grid", {.color = -2, .width = 3}),
                   curve(gaussian(closed), low, high, "lab eq. 4",
                         {.color = -1, .dash = figures::Dash::dashed}),
                   curve(gaussian(printed), low, high, "thesis 2.11 as printed",
                         {.color = 2, .dash = figures::Dash::dotted, .width = 1.6})},
                  figures::Legend::upper_right);
}

/// A series over t = 2..T.
figures::Line over_steps(const at::Tensor& values, const std::string& label,
                         const figures::Style& style) {
  figures::Line line{.x = {}, .y = {}, .label = label, .style = style};
  const auto value = values.accessor<double, 1>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    line.x.push_back(static_cast<double>(i + 2));
    line.y.push_back(value[i]);
  }
  return line;
}

figures::Figure figure_of(const Study& study, const PosteriorFormula& formula) {
  const figures::Axis steps{.label = "step <i>t</i>", .scale = figures::Scale::log};
  figures::Panel variances = panel_of(
      "variance of the reverse step", steps, {.label = "variance", .scale = figures::Scale::log},
      {over_steps(study.variance.amax({1, 2}), "β̃<sub>t</sub>, by Bayes", {.color = 0}),
       over_steps(study.beta, "β<sub>t</sub>, lab eq. 3",
                  {.color = 1, .dash = figures::Dash::dashed})},
      figures::Legend::lower_right);
  figures::Panel means =
      panel_of("mean against Bayes on a grid", steps,
               {.label = "greatest difference up to <i>t</i>",
                .scale = figures::Scale::log,
                .low = 1e-18,
                .high = 1e6},
               {greatest_so_far(over_steps(study.printed_error(), "thesis 2.11 as printed",
                                           {.color = 1, .dash = figures::Dash::dashed})),
                greatest_so_far(over_steps(study.mean_error(), "lab eq. 4", {.color = 0}))});
  // Where both factors count, and where the misprint is plain.
  const int early = 2, late = std::max(2, study.schedule.steps() / 2);
  return {.title = "q(x<sub>t−1</sub> | x<sub>t</sub>, x<sub>0</sub>), by Bayes and in closed form",
          .panels = {densities_panel(study.schedule, early, formula),
                     densities_panel(study.schedule, late, formula), variances, means},
          .columns = 2};
}

std::string reading(const Study& study) {
  return "For every t from 2 to " + std::to_string(study.schedule.steps()) +
         " and nine pairs (x_0, x_t), Bayes' rule integrated on a grid gives the mean of lab eq. 4 "
         "to " +
         brief(greatest(study.mean_error()), 2) + " and the variance beta-tilde_t to a relative " +
         brief(greatest(study.variance_error()), 2) +
         ". Thesis eq. 2.11 as printed, with sqrt(alpha_bar_t) in both factors where "
         "sqrt(alpha_bar_{t-1}) belongs on x_0 and sqrt(alpha_t) on x_t, is off by up to " +
         brief(greatest(study.printed_error()), 2) +
         ". Lab eq. 3 gives the step conditioned on x_0 the variance beta_t; it is beta-tilde_t, " +
         brief(study.ratio()[0].item<double>(), 3) +
         " times less at t = 2 and nearly the same at large t. beta_t is right without the "
         "condition, and for data of variance 1 only: there it agrees to " +
         brief(greatest(study.unconditional_error()), 2) +
         ". At t = 1 the posterior is a point, x_0 itself.";
}

}  // namespace

PosteriorFormula posterior_formula() {
  return [](const process::VpSchedule& schedule, int t) { return schedule.posterior(t); };
}

process::PosteriorCoefficients printed_posterior(const process::VpSchedule& schedule, int t) {
  process::PosteriorCoefficients q = schedule.posterior(t);
  const process::NoiseLevel level = schedule.level(t), before = schedule.level(t - 1);
  q.on_x0 = level.a * schedule.beta(t) / (level.s * level.s);
  q.on_xt = level.a * (before.s * before.s) / (level.s * level.s);
  return q;
}

Result posterior(const Context& context, const PosteriorFormula& formula) {
  const Study study = study_of(context, formula);
  if (context.stopped()) return {};
  Result result;
  result.checks = checks_of(study);
  result.arrays = {{"x0", at::tensor(at::ArrayRef<double>(kX0.data(), kX0.size()), at::kDouble)},
                   {"x_t", study.x_t},
                   {"bayes_mean", study.mean},
                   {"bayes_variance", study.variance},
                   {"bayes_evidence", study.evidence},
                   {"exact_evidence", study.exact_evidence},
                   {"unconditional_variance", study.unconditional},
                   {"on_x0", study.on_x0},
                   {"on_xt", study.on_xt},
                   {"closed_variance", study.closed_variance},
                   {"printed_on_x0", study.printed_on_x0},
                   {"printed_on_xt", study.printed_on_xt},
                   {"beta", study.beta}};
  result.numbers = {{"steps checked", static_cast<double>(study.schedule.steps() - 1)},
                    {"pairs (x_0, x_t) at each", static_cast<double>(kX0.size() * kNoise.size())}};
  result.figures = {{"", figure_of(study, formula)}};
  result.reading = reading(study);
  return result;
}

Result posterior(const Context& context) { return posterior(context, posterior_formula()); }

}  // namespace tinta::lab
