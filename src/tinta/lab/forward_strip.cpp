#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tinta/core/statistics.h"
#include "tinta/io/pixels.h"
#include "tinta/lab/forward.h"
#include "tinta/lab/forward_figures.h"
#include "tinta/lab/picture.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/series.h"
#include "tinta/lab/words.h"

// Thesis eq. 2.1 and fig. 2.1: a picture destroyed step by step, by the recursion alone; eq. 2.7 is
// what it is held to.

namespace tinta::lab {
namespace {

constexpr std::uint64_t kSample = std::uint64_t{1} << 40;  // apart from the draws of other rows

struct Strip {
  const Context& context;
  process::VpSchedule schedule;
  at::Tensor x0;        // [C,H,W] float32
  std::set<int> shown;  // panels
  Walk walk;

  [[nodiscard]] double count() const { return static_cast<double>(x0.numel()); }
  [[nodiscard]] int last() const { return schedule.steps(); }
};

/// Steps at these shares of T: more of them where a linear schedule still shows something.
std::set<int> steps_at(int last, std::initializer_list<double> shares) {
  std::set<int> steps = {0};
  for (const double share : shares) {
    steps.insert(std::max(1, static_cast<int>(std::lround(share * last))));
  }
  return steps;
}

std::set<int> frames(int last, int count) {
  std::set<int> steps = {0};
  for (int i = 1; i <= count; ++i) {
    const double share = static_cast<double>(i) / count;
    steps.insert(std::max(1, static_cast<int>(std::lround(share * share * last))));
  }
  return steps;
}

/// Deviations from thesis eq. 2.7 in standard errors, index t.
struct Deviations {
  std::vector<double> amplitude, mean, variance;
};

Deviations deviations(const Strip& strip) {
  const double root = std::sqrt(strip.count());
  const double norm = strip.x0.to(at::kDouble).norm().item<double>();
  Deviations out{{0}, {0}, {0}};
  for (int t = 1; t <= strip.last(); ++t) {
    const auto i = static_cast<std::size_t>(t);
    const process::NoiseLevel level = strip.schedule.level(t);
    out.amplitude.push_back((strip.walk.amplitude[i] - level.a) / level.s * norm);
    out.mean.push_back(strip.walk.residual_mean[i] * root);
    out.variance.push_back(
        chi_square_deviations(strip.walk.residual_variance[i] * strip.count(), strip.count()));
  }
  return out;
}

Check moment_check(const std::string& what, const std::vector<double>& deviations,
                   const std::string& array) {
  const std::size_t count = deviations.size() - 1;
  return {.what = "greatest deviation of " + what +
                  " from thesis eq. 2.7 over all t, in "
                  "standard errors",
          .value = greatest(deviations),
          .expected = 0,
          .tolerance = critical_deviations(two_sided_error(5), count),
          .comparison = Comparison::at_most,
          .basis = "the largest of " + std::to_string(count) +
                   " normal numbers is beyond it in at most 6e-7 of runs",
          .arrays = {array, "alpha_bar", "x0"}};
}

/// sup_x |P(a x_0 + s z <= x) - P(z <= x)| for the worst x_0 with |x_0| <= highest: what is left of
/// the picture can move the distribution of x_T by no more.
double shift_of_signal(const process::NoiseLevel& level, double highest) {
  double most = 0;
  for (double x = -6; x <= 6; x += 1e-3) {
    most = std::max(most, std::abs(normal_cdf((x + level.a * highest) / level.s) - normal_cdf(x)));
  }
  return most;
}

/// Kolmogorov's test of the standardised residuals at every panel.
Check residual_check(const Strip& strip, std::vector<double>& distances) {
  for (const int t : strip.shown) {
    if (t == 0) continue;
    distances.push_back(
        distance_from_normal(residuals(strip.schedule, strip.x0, strip.walk.kept.at(t), t)));
  }
  const double rate = two_sided_error(5) / static_cast<double>(distances.size());
  return {.what = "greatest Kolmogorov distance of the standardised residuals from N(0, 1) over " +
                  std::to_string(distances.size()) + " steps",
          .value = *std::max_element(distances.begin(), distances.end()),
          .expected = 0,
          .tolerance = ks_critical(static_cast<std::size_t>(strip.x0.numel()), rate),
          .comparison = Comparison::at_most,
          .basis = "Massart's bound for " + std::to_string(strip.x0.numel()) +
                   " numbers: wrong in at most 6e-7 of runs",
          .arrays = {"x0", "x", "t", "alpha_bar"}};
}

/// x_T against N(0, 1), or, where T or the schedule leave a signal that the test would see, against
/// N(sqrt(alpha_bar_T) x_0, 1 - alpha_bar_T), which is what must hold there.
Check end_check(const Strip& strip) {
  const int last = strip.last();
  const process::NoiseLevel level = strip.schedule.level(last);
  const at::Tensor& x_last = strip.walk.kept.at(last);
  const double noise = ks_critical(static_cast<std::size_t>(strip.x0.numel()), two_sided_error(5));
  const double shift = shift_of_signal(level, strip.x0.abs().max().item<double>());
  Check check{
      .what = {}, .comparison = Comparison::at_most, .arrays = {"x0", "x", "t", "alpha_bar"}};
  if (shift <= noise) {
    check.what = "Kolmogorov distance of x_T from N(0, 1), T = " + std::to_string(last);
    check.value = distance_from_normal(x_last);
    check.tolerance = noise + shift;
    check.basis = "Massart's bound, wrong in at most 6e-7 of runs, and " + brief(shift, 2) +
                  " that the signal left in x_T can add";
  } else {
    check.what =
        "Kolmogorov distance of x_T from N(sqrt(alpha_bar_T) x_0, 1 - alpha_bar_T), as "
        "x_T still holds " +
        brief(100 * level.a) + "% of x_0's amplitude and need not look like N(0, 1)";
    check.value = distance_from_normal(residuals(strip.schedule, strip.x0, x_last, last));
    check.tolerance = noise;
    check.basis = "Massart's bound: wrong in at most 6e-7 of runs";
  }
  return check;
}

figures::Figure strip_figure(const Strip& strip) {
  figures::Figure figure{.title = "Forward process, <i>T</i> = " + std::to_string(strip.last()),
                         .panels = {},
                         .columns = 4,
                         .panel_width = 120,
                         .panel_height = 120 * static_cast<double>(strip.x0.size(1)) /
                                         static_cast<double>(strip.x0.size(2))};
  figure.panel_height = std::clamp(figure.panel_height, 20.0, 360.0);
  for (const int t : strip.shown) {
    figure.panels.push_back(panel_of(panel_title(strip.schedule, t), {}, {},
                                     {picture_of(strip.walk.kept.at(t))}, figures::Legend::none));
  }
  return figure;
}

figures::Figure moments_figure(const Strip& strip, const Deviations& off) {
  std::vector<double> predicted(off.mean.size()), low(off.mean.size()), high(off.mean.size());
  for (int t = 1; t <= strip.last(); ++t) {
    predicted[static_cast<std::size_t>(t)] = strip.schedule.level(t).a;
  }
  figures::Line theory = line_over_steps(predicted, "√ᾱ<sub>t</sub>", {.color = -1});
  theory.style.dash = figures::Dash::dashed;
  const double critical = critical_deviations(two_sided_error(5), off.mean.size() - 1);
  const figures::Axis steps{.label = "step <i>t</i>"};
  const auto limits = [&](double y) {
    return figures::Line{.x = {1, static_cast<double>(strip.last())},
                         .y = {y, y},
                         .style = {.color = -2, .dash = figures::Dash::dotted}};
  };
  figures::Panel amplitude =
      panel_of("amplitude of the picture in x<sub>t</sub>", steps,
               {.label = "⟨x<sub>t</sub>, x<sub>0</sub>⟩ / ⟨x<sub>0</sub>, x<sub>0</sub>⟩"},
               {line_over_steps(strip.walk.amplitude, "recursion", {.color = 0}), theory});
  figures::Panel moments = panel_of(
      "deviation from thesis eq. 2.7", steps, {.label = "standard errors", .low = -8, .high = 8},
      {line_over_steps(off.amplitude, "amplitude", {.color = 0}),
       line_over_steps(off.mean, "mean of residuals", {.color = 1}),
       line_over_steps(off.variance, "variance of residuals", {.color = 2}), limits(critical),
       limits(-critical)},
      figures::Legend::outside);
  const int last = strip.last();
  const at::Tensor& end = strip.walk.kept.at(last);
  return {.title = "The recursion of thesis eq. 2.1 against eq. 2.7",
          .panels = {amplitude, moments,
                     histogram_panel(end, "x<sub>T</sub>", "number", "picture's numbers"),
                     histogram_panel(residuals(strip.schedule, strip.x0, end, last),
                                     "residuals at <i>T</i>",
                                     "(x<sub>T</sub> − √ᾱ<sub>T</sub> x<sub>0</sub>) / "
                                     "√(1 − ᾱ<sub>T</sub>)",
                                     "residuals")},
          .columns = 2};
}

figures::Animation animation(const Strip& strip, const std::set<int>& steps) {
  figures::Animation out{.frames = {}, .frames_per_second = 12};
  for (const int t : steps) {
    if (strip.context.stopped()) break;
    const at::Tensor& x = strip.walk.kept.at(t);
    figures::Panel numbers = histogram_panel(x, "numbers of x<sub>t</sub>", "number", "");
    numbers.y.high = 1.5;
    numbers.legend = figures::Legend::none;
    const figures::Figure figure{
        .panels = {panel_of(panel_title(strip.schedule, t), {}, {}, {picture_of(x)}), numbers},
        .columns = 2,
        .panel_width = 200,
        .panel_height = 200};
    out.frames.push_back(figures::rasterise(figure, strip.context.pick(1.5, 1.0)));
  }
  for (int hold = 0; hold < 12 && !out.frames.empty(); ++hold) {
    out.frames.push_back(out.frames.back());
  }
  return out;
}

std::string reading(const Strip& strip, const Result& result) {
  const int last = strip.last();
  const process::NoiseLevel level = strip.schedule.level(last);
  int half = 1;
  while (half < last && strip.schedule.alpha_bar(half) > 0.5) ++half;
  const bool noise = result.checks.back().what.find("from N(0, 1)") != std::string::npos;
  return "The picture (" + std::to_string(strip.x0.size(2)) + " x " +
         std::to_string(strip.x0.size(1)) + ") fades while noise comes up, by the recursion of " +
         "thesis eq. 2.1 alone, T = " + std::to_string(last) + ". Half of the variance is noise " +
         "from t = " + std::to_string(half) + "; at T the picture's amplitude is " +
         brief(100 * level.a) +
         "% of what it was (alpha_bar_T = " + brief(strip.schedule.alpha_bar(last)) +
         "), so x_T is " +
         (noise ? "noise as far as a test of this many numbers can tell, though not exactly."
                : "not pure noise, whatever fig. 2.1 says of t = T: T and the schedule decide.") +
         " Amplitude, mean and variance follow eq. 2.7 at every t. The thesis' expansion of x_t " +
         "under eq. 2.1 keeps the last noise term alone; its variance would be beta_t = " +
         brief(strip.schedule.beta(last)) + " at T, where the recursion has " +
         brief(strip.walk.residual_variance.back() * level.s * level.s) + ".";
}

void add_arrays(const Strip& strip, Result& result) {
  std::vector<at::Tensor> states;
  std::vector<std::int64_t> steps;
  for (const int t : strip.shown) {
    steps.push_back(t);
    states.push_back(strip.walk.kept.at(t));
  }
  std::vector<double> alpha_bar;
  for (int t = 0; t <= strip.last(); ++t) alpha_bar.push_back(strip.schedule.alpha_bar(t));
  result.arrays = {{"x0", strip.x0},
                   {"x", at::stack(states)},
                   {"t", at::tensor(steps)},
                   {"alpha_bar", at::tensor(alpha_bar, at::kDouble)},
                   {"amplitude", without_first(strip.walk.amplitude)},
                   {"residual_mean", without_first(strip.walk.residual_mean)},
                   {"residual_variance", without_first(strip.walk.residual_variance)}};
}

}  // namespace

Result forward_strip(const Context& context, const ForwardFormulas& formulas) {
  const process::VpSchedule schedule(context.process({}));
  const int last = schedule.steps();
  Strip strip{.context = context,
              .schedule = schedule,
              .x0 = io::from_bytes(picture(context, context.pick<std::int64_t>(192, 64))),
              .shown = steps_at(last, {0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0}),
              .walk = {}};
  const std::set<int> moving = frames(last, context.pick(60, 24));
  std::set<int> keep = strip.shown;
  keep.insert(moving.begin(), moving.end());
  strip.walk = walk(context, {.schedule = strip.schedule,
                              .x0 = strip.x0,
                              .formulas = formulas,
                              .keep = keep,
                              .sample = kSample});
  if (context.stopped()) return {};
  const Deviations off = deviations(strip);
  std::vector<double> distances;
  Result result;
  result.checks = {moment_check("the picture's amplitude in x_t", off.amplitude, "amplitude"),
                   moment_check("the residuals' mean", off.mean, "residual_mean"),
                   moment_check("the residuals' variance", off.variance, "residual_variance"),
                   residual_check(strip, distances), end_check(strip)};
  result.numbers = {
      {"alpha_bar_T", schedule.alpha_bar(last)},
      {"amplitude left at T", schedule.level(last).a},
      {"Kolmogorov distance of x_T from N(0, 1)", distance_from_normal(strip.walk.kept.at(last))},
      {"numbers in the picture", strip.count()}};
  add_arrays(strip, result);
  result.figures = {{"", strip_figure(strip)}, {"moments", moments_figure(strip, off)}};
  result.animation = animation(strip, moving);
  result.reading = reading(strip, result);
  return result;
}

Result forward_strip(const Context& context) { return forward_strip(context, forward_formulas()); }

}  // namespace tinta::lab
