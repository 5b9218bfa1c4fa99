#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tinta/core/statistics.h"
#include "tinta/data/condor.h"
#include "tinta/io/image.h"
#include "tinta/io/pixels.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/forward.h"
#include "tinta/lab/forward_figures.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/series.h"
#include "tinta/lab/words.h"

// Lab exercise 1, thesis eqs. 2.5-2.7 and 2.15: the distribution of x_t by t steps of the recursion
// and by one jump, each over many draws, against N(sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I).

namespace tinta::lab {
namespace {

constexpr std::int64_t kSide = 4;
constexpr std::int64_t kPixels = kSide * kSide;
// Apart from the draws of other rows.
constexpr std::uint64_t kRecursionSample = std::uint64_t{3} << 40;
constexpr std::uint64_t kJumpSample = std::uint64_t{4} << 40;

/// Mean and covariance of the standardised residuals at one step: 0 and I when eq. 2.7 holds.
struct Moments {
  int t = 0;
  at::Tensor mean{};        // [16] double
  at::Tensor covariance{};  // [16,16] double, about the predicted mean
};

/// One way to reach x_t.
struct Way {
  std::string name;
  std::vector<Moments> moments{};
  std::vector<double> deviations{0};  ///< of every entry, in standard errors; [0] unused
  std::vector<double> tails{};        ///< chi-square tail of each step's entries together
};

at::Tensor small_condor() {
  const at::Tensor drawn = io::from_bytes(io::resize(data::draw_condor(64, 64), kSide, kSide));
  return drawn.mean(0).reshape({kPixels});
}

Moments moments_of(const process::VpSchedule& schedule, const at::Tensor& x0, const at::Tensor& x,
                   int t) {
  const at::Tensor r = residuals(schedule, x0, x, t);
  return {t, r.mean(0), r.t().matmul(r) / static_cast<double>(r.size(0))};
}

/// Entries of mean and covariance in standard errors: uncorrelated, and normal for many draws.
void deviate(Way& way, double draws) {
  for (const Moments& m : way.moments) {
    double sum = 0;
    const auto add = [&](double deviation) {
      way.deviations.push_back(deviation);
      sum += deviation * deviation;
    };
    for (std::int64_t i = 0; i < kPixels; ++i) {
      add(m.mean[i].item<double>() * std::sqrt(draws));
      add(chi_square_deviations(m.covariance[i][i].item<double>() * draws, draws));
      for (std::int64_t j = 0; j < i; ++j) {
        add(m.covariance[i][j].item<double>() * std::sqrt(draws));
      }
    }
    constexpr double kEntries = kPixels + kPixels * (kPixels + 1) / 2.0;
    way.tails.push_back(chi_square_survival(sum, kEntries));
  }
}

/// Mean square of the residuals at every t of the recursion, for the figure.
using Spread = std::vector<double>;

struct Study {
  process::VpSchedule schedule;
  at::Tensor x0;  // [16] float32
  std::set<int> watched;
  std::int64_t draws = 0;
  Way recursion{.name = "recursion"};
  Way jump{.name = "jump"};
  Spread spread{0};

  [[nodiscard]] int last() const { return schedule.steps(); }
};

void run_recursion(const Context& context, const ForwardFormulas& formulas, Study& study) {
  at::Tensor x = study.x0.expand({study.draws, kPixels}).contiguous();
  for (int t = 1; t <= study.last() && !context.stopped(); ++t) {
    const at::Tensor noise = kernels::normal(x.sizes(), {.seed = context.seed,
                                                         .stream = Stream::lab,
                                                         .sample = kRecursionSample,
                                                         .step = static_cast<std::uint32_t>(t)});
    x = formulas.step(study.schedule, x, t, noise);
    const process::NoiseLevel level = study.schedule.level(t);
    const double square = (x - study.x0 * level.a).square().mean().item<double>();
    study.spread.push_back(square);
    if (study.watched.contains(t)) {
      study.recursion.moments.push_back(moments_of(study.schedule, study.x0, x, t));
    }
    context.sinks.report({.what = "closed-form", .done = t, .total = study.last()});
  }
}

void run_jumps(const Context& context, const ForwardFormulas& formulas, Study& study) {
  const at::Tensor x0 = study.x0.expand({study.draws, kPixels}).contiguous();
  for (const int t : study.watched) {
    const at::Tensor noise = kernels::normal(x0.sizes(), {.seed = context.seed,
                                                          .stream = Stream::lab,
                                                          .sample = kJumpSample,
                                                          .step = static_cast<std::uint32_t>(t)});
    const at::Tensor x = formulas.jump(study.schedule, x0, t, noise);
    study.jump.moments.push_back(moments_of(study.schedule, study.x0, x, t));
  }
}

std::vector<std::string> arrays_of(const Way& way) {
  return {way.name + "_mean", way.name + "_covariance", "draws"};
}

Check entries_check(const Way& way) {
  const std::size_t count = way.deviations.size() - 1;
  return {.what = "greatest deviation of an entry of mean or covariance by the " + way.name +
                  " from thesis eq. 2.7, in standard errors",
          .value = greatest(way.deviations),
          .expected = 0,
          .tolerance = critical_deviations(two_sided_error(5), count),
          .comparison = Comparison::at_most,
          .basis = "the largest of " + std::to_string(count) +
                   " normal numbers is beyond it in at most 6e-7 of runs",
          .arrays = arrays_of(way)};
}

Check tail_check(const Way& way) {
  return {.what = "smallest chi-square tail of all entries of a step together, by the " + way.name,
          .value = *std::min_element(way.tails.begin(), way.tails.end()),
          .expected = two_sided_error(5) / static_cast<double>(way.tails.size()),
          .tolerance = 0,
          .comparison = Comparison::at_least,
          .basis = "smaller in 6e-7 of runs",
          .arrays = arrays_of(way)};
}

/// Differences of the two ways' entries, which are independent, need no theory of either.
Check agreement_check(const Study& study) {
  std::vector<double> differences = {0};
  const double root = std::sqrt(static_cast<double>(study.draws) / 2);
  for (std::size_t k = 0; k < study.recursion.moments.size(); ++k) {
    const Moments& a = study.recursion.moments[k];
    const Moments& b = study.jump.moments[k];
    const at::Tensor mean = (a.mean - b.mean) * root;
    const at::Tensor covariance = (a.covariance - b.covariance) * root;
    for (std::int64_t i = 0; i < kPixels; ++i) {
      differences.push_back(mean[i].item<double>());
      differences.push_back(covariance[i][i].item<double>() / std::sqrt(2));
      for (std::int64_t j = 0; j < i; ++j) {
        differences.push_back(covariance[i][j].item<double>());
      }
    }
  }
  std::vector<std::string> arrays = arrays_of(study.recursion);
  const std::vector<std::string> others = arrays_of(study.jump);
  arrays.insert(arrays.end(), others.begin(), others.end());
  return {.what =
              "greatest difference of an entry by the recursion and by the jump, in standard "
              "errors",
          .value = greatest(differences),
          .expected = 0,
          .tolerance = critical_deviations(two_sided_error(5), differences.size() - 1),
          .comparison = Comparison::at_most,
          .basis = "the largest of " + std::to_string(differences.size() - 1) +
                   " normal numbers is beyond it in at most 6e-7 of runs",
          .arrays = arrays};
}

/// The recursion unrolled, x_t = sqrt(alpha_bar_t) x_0 + sum_s sqrt(beta_s alpha_bar_t /
/// alpha_bar_s) eps_s, has the variance of all its terms; in extended precision, by logarithms.
Check unrolled_check(const Study& study) {
  double worst = 0;
  for (const int t : study.watched) {
    std::vector<long double> log_alpha_bar = {0};
    for (int s = 1; s <= t; ++s) {
      const auto beta = static_cast<long double>(study.schedule.beta(s));
      log_alpha_bar.push_back(log_alpha_bar.back() + std::log1p(-beta));
    }
    long double sum = 0;
    for (std::size_t s = 1; s < log_alpha_bar.size(); ++s) {
      sum += static_cast<long double>(study.schedule.beta(static_cast<int>(s))) *
             std::exp(log_alpha_bar.back() - log_alpha_bar[s]);
    }
    const double s = study.schedule.level(t).s;
    worst = std::max(worst, std::abs(static_cast<double>(sum) / (s * s) - 1));
  }
  return {.what =
              "sum over all noise terms of beta_s alpha_bar_t / alpha_bar_s against "
              "1 - alpha_bar_t, greatest relative difference",
          .value = worst,
          .expected = 0,
          .tolerance = 1e-12,
          .comparison = Comparison::at_most,
          .basis = "rounding",
          .arrays = {"beta", "t"}};
}

/// The expansion that the thesis prints under eq. 2.1 keeps sqrt(beta_t) eps alone.
Check printed_check(const Study& study) {
  const int last = study.last();
  const double s = study.schedule.level(last).s, beta = study.schedule.beta(last);
  const double expected = s * s / beta;
  const double count = static_cast<double>(study.draws) * kPixels;
  return {.what =
              "variance of x_T about its mean, in units of the beta_T that the thesis' "
              "expansion under eq. 2.1 leaves",
          .value = study.spread.back() / beta,
          .expected = expected,
          .tolerance = 5 * expected * std::sqrt(2 / count),
          .basis = "5 standard errors: wrong in 6e-7 of runs; 1 if the expansion held",
          .arrays = {"spread", "beta", "draws"}};
}

figures::Panel covariance_panel(const Study& study, const Way& way) {
  figures::Panel panel = panel_of(
      way.name + ": covariance at <i>t</i> = " + std::to_string(study.last()),
      {.label = "pixel <i>i</i>", .low = -0.5, .high = kPixels - 0.5},
      {.label = "pixel <i>j</i>", .low = -0.5, .high = kPixels - 0.5},
      {figures::HeatMap{.values = way.moments.back().covariance,
                        .x_low = -0.5,
                        .x_high = kPixels - 0.5,
                        .y_low = -0.5,
                        .y_high = kPixels - 0.5,
                        .map = figures::ColorMap::diverging,
                        .low = -1,
                        .high = 1,
                        .bar_label = "Cov(x<sub>i</sub>, x<sub>j</sub>) / (1 − ᾱ<sub>t</sub>)"}},
      figures::Legend::none);
  panel.equal_aspect = true;
  return panel;
}

figures::Panel spread_panel(const Study& study) {
  Spread predicted = {0}, printed = {0};
  for (int t = 1; t <= study.last(); ++t) {
    const double s = study.schedule.level(t).s;
    predicted.push_back(s * s);
    printed.push_back(study.schedule.beta(t));
  }
  return panel_of("variance of x<sub>t</sub> about its mean", {.label = "step <i>t</i>"},
                  {.label = "variance", .scale = figures::Scale::log},
                  {line_over_steps(study.spread, "recursion", {.color = 0, .width = 2.4}),
                   line_over_steps(predicted, "1 − ᾱ<sub>t</sub>",
                                   {.color = -1, .dash = figures::Dash::dashed}),
                   line_over_steps(printed, "β<sub>t</sub>, as printed under 2.1",
                                   {.color = 1, .dash = figures::Dash::dotted})},
                  figures::Legend::lower_right);
}

figures::Figure figure_of(const Study& study) {
  const auto entries = [](const Way& way) {
    return at::tensor(std::vector<double>(way.deviations.begin() + 1, way.deviations.end()),
                      at::kDouble);
  };
  return {.title = std::to_string(study.draws) + " draws of x<sub>t</sub>, by steps and by a jump",
          .panels = {covariance_panel(study, study.recursion), covariance_panel(study, study.jump),
                     spread_panel(study),
                     histogram_panel(at::cat({entries(study.recursion), entries(study.jump)}),
                                     "entries of mean and covariance",
                                     "deviation in standard errors", "all entries")},
          .columns = 2};
}

void add_arrays(const Study& study, Result& result) {
  for (const Way* way : {&study.recursion, &study.jump}) {
    std::vector<at::Tensor> means, covariances;
    for (const Moments& m : way->moments) {
      means.push_back(m.mean);
      covariances.push_back(m.covariance);
    }
    result.arrays[way->name + "_mean"] = at::stack(means);
    result.arrays[way->name + "_covariance"] = at::stack(covariances);
  }
  std::vector<double> beta;
  for (int t = 1; t <= study.last(); ++t) beta.push_back(study.schedule.beta(t));
  result.arrays["x0"] = study.x0;
  result.arrays["draws"] = at::tensor(std::vector<std::int64_t>{study.draws});
  result.arrays["t"] =
      at::tensor(std::vector<std::int64_t>(study.watched.begin(), study.watched.end()));
  result.arrays["beta"] = at::tensor(beta, at::kDouble);
  result.arrays["spread"] = without_first(study.spread);
}

std::string reading(const Study& study) {
  const int last = study.last();
  return "From one picture of 4 x 4 grey pixels, " + std::to_string(study.draws) +
         " chains of the recursion (thesis eq. 2.1) and as many single jumps (eqs. 2.7, 2.15). "
         "At " +
         std::to_string(study.watched.size()) + " steps up to T = " + std::to_string(last) +
         " both have mean sqrt(alpha_bar_t) x_0 and covariance (1 - alpha_bar_t) I: every entry of "
         "the whole 16 x 16 matrix within sampling error, a relative " +
         brief(std::sqrt(2 / static_cast<double>(study.draws)), 2) +
         " on the diagonal. The expansion that the thesis prints under eq. 2.1 keeps the last "
         "noise "
         "term alone; the variance it would give, beta_T = " +
         brief(study.schedule.beta(last)) + ", is " +
         brief(study.spread.back() / study.schedule.beta(last)) +
         " times too small: each earlier noise term is still there, shrunk.";
}

}  // namespace

Result closed_form(const Context& context, const ForwardFormulas& formulas) {
  const process::VpSchedule schedule(context.process({.steps = 200}));
  const int last = schedule.steps();
  Study study{.schedule = schedule,
              .x0 = small_condor(),
              .watched = {1, std::max(1, last / 10), std::max(1, last / 2), last},
              .draws = context.pick<std::int64_t>(200'000, 20'000)};
  run_recursion(context, formulas, study);
  run_jumps(context, formulas, study);
  if (context.stopped()) return {};
  deviate(study.recursion, static_cast<double>(study.draws));
  deviate(study.jump, static_cast<double>(study.draws));
  Result result;
  result.checks = {entries_check(study.recursion),
                   entries_check(study.jump),
                   tail_check(study.recursion),
                   tail_check(study.jump),
                   agreement_check(study),
                   unrolled_check(study),
                   printed_check(study)};
  const process::NoiseLevel level = schedule.level(last);
  result.numbers = {{"draws", static_cast<double>(study.draws)},
                    {"alpha_bar_T", schedule.alpha_bar(last)},
                    {"variance of x_T by the recursion", study.spread.back()},
                    {"1 - alpha_bar_T", level.s * level.s}};
  add_arrays(study, result);
  result.figures = {{"", figure_of(study)}};
  result.reading = reading(study);
  return result;
}

Result closed_form(const Context& context) { return closed_form(context, forward_formulas()); }

}  // namespace tinta::lab
