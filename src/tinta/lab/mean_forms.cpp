#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"
#include "tinta/lab/forward_figures.h"
#include "tinta/lab/reverse_forms.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/series.h"
#include "tinta/lab/words.h"

// Lab eqs. 4-7, thesis eqs. 2.16-2.18: the mean of the reverse step by (x_t, x_0) and by (x_t,
// eps), with x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps.

namespace tinta::lab {
namespace {

constexpr std::uint64_t kSample = std::uint64_t{5} << 40;  // apart from the draws of other rows
constexpr std::int64_t kPairs = 64;
constexpr double kAgreement = 1e-12;

/// Pairs (x_0, eps): x_0 uniform in [-1, 1], eps standard normal. [P] double each
struct Pairs {
  at::Tensor x0, eps;
};

Pairs draw_pairs(std::uint64_t seed) {
  std::vector<double> x0, eps;
  for (std::uint64_t i = 0; i < kPairs; ++i) {
    const RandomKey key{.seed = seed, .stream = Stream::lab, .sample = kSample + i};
    x0.push_back(2 * random_uniform(key) - 1);
    eps.push_back(
        random_normal({.seed = seed, .stream = Stream::lab, .sample = key.sample, .step = 1}));
  }
  return {at::tensor(x0, at::kDouble), at::tensor(eps, at::kDouble)};
}

/// The coefficients of every form, each index t. A mean by (x_t, x_0) has on_x0 and on_xt; a mean
/// by (x_t, eps) on_xt and on_eps.
struct Forms {
  std::vector<double> posterior_x0{0}, posterior_xt{0};  ///< lab eq. 4
  std::vector<double> eps_xt{0}, eps_eps{0};             ///< lab eq. 6, the program's
  std::vector<double> typed_xt{0}, typed_eps{0};         ///< thesis eqs. 2.17, 2.18 as printed
  std::vector<double> misprint_eps{0};               ///< thesis eq. 2.23: alpha_t for alpha_bar_t
  std::vector<double> printed_x0{0}, printed_xt{0};  ///< thesis eq. 2.11 as printed
  std::vector<double> a{1}, s{0};                    ///< x_t = a x_0 + s eps
};

Forms forms_of(const process::VpSchedule& schedule, const MeanFormulas& formulas) {
  Forms forms;
  for (int t = 1; t <= schedule.steps(); ++t) {
    const process::PosteriorCoefficients posterior = formulas.by_x0(schedule, t);
    const process::EpsMeanCoefficients eps = formulas.by_eps(schedule, t);
    const process::PosteriorCoefficients printed = printed_posterior(schedule, t);
    const process::NoiseLevel level = schedule.level(t);
    const double alpha = schedule.alpha(t), beta = schedule.beta(t);
    forms.posterior_x0.push_back(posterior.on_x0);
    forms.posterior_xt.push_back(posterior.on_xt);
    forms.eps_xt.push_back(eps.on_xt);
    forms.eps_eps.push_back(eps.on_eps);
    forms.typed_xt.push_back(1 / std::sqrt(alpha));
    forms.typed_eps.push_back(-beta / std::sqrt(1 - schedule.alpha_bar(t)) / std::sqrt(alpha));
    forms.misprint_eps.push_back(-beta / std::sqrt(1 - alpha) / std::sqrt(alpha));
    forms.printed_x0.push_back(printed.on_x0);
    forms.printed_xt.push_back(printed.on_xt);
    forms.a.push_back(level.a);
    forms.s.push_back(level.s);
  }
  return forms;
}

/// The greatest |difference| from the program's mean by (x_t, eps) over the pairs, index t.
struct Errors {
  std::vector<double> posterior{0};     ///< lab eq. 4
  std::vector<double> substituted{0};   ///< thesis eq. 2.16: x_0 = (x_t - s eps) / a put into 4
  std::vector<double> typed{0};         ///< thesis eqs. 2.17-2.18 as printed
  std::vector<double> misprint{0};      ///< thesis eq. 2.23 as printed
  std::vector<double> printed{0};       ///< thesis eq. 2.16 with 2.11 as printed
  std::vector<double> identity_xt{0};   ///< a on_xt + on_x0 = a / sqrt(alpha_t), relative
  std::vector<double> identity_eps{0};  ///< s on_x0 / a = beta_t / (s sqrt(alpha_t)), relative
};

Errors errors_of(const Forms& forms, const Pairs& pairs) {
  Errors errors;
  for (std::size_t t = 1; t < forms.a.size(); ++t) {
    const double a = forms.a[t], s = forms.s[t];
    const at::Tensor x_t = pairs.x0 * a + pairs.eps * s;
    const at::Tensor again = (x_t - pairs.eps * s) / a;
    const at::Tensor mean = x_t * forms.eps_xt[t] + pairs.eps * forms.eps_eps[t];
    const auto off = [&](const at::Tensor& other) {
      return (other - mean).abs().max().item<double>();
    };
    errors.posterior.push_back(off(pairs.x0 * forms.posterior_x0[t] + x_t * forms.posterior_xt[t]));
    errors.substituted.push_back(off(again * forms.posterior_x0[t] + x_t * forms.posterior_xt[t]));
    errors.typed.push_back(off(x_t * forms.typed_xt[t] + pairs.eps * forms.typed_eps[t]));
    errors.misprint.push_back(off(x_t * forms.eps_xt[t] + pairs.eps * forms.misprint_eps[t]));
    errors.printed.push_back(off(again * forms.printed_x0[t] + x_t * forms.printed_xt[t]));
    errors.identity_xt.push_back(
        (forms.posterior_xt[t] + forms.posterior_x0[t] / a) / forms.eps_xt[t] - 1);
    errors.identity_eps.push_back(-forms.posterior_x0[t] * (s / a) / forms.eps_eps[t] - 1);
  }
  return errors;
}

Check agrees(const std::string& what, const std::vector<double>& errors,
             std::vector<std::string> arrays) {
  arrays.insert(arrays.end(), {"a", "s"});
  return {.what = what + ", greatest over all t",
          .value = greatest(errors),
          .expected = 0,
          .tolerance = kAgreement,
          .comparison = Comparison::at_most,
          .basis = "rounding in double",
          .arrays = std::move(arrays)};
}

Check differs(const std::string& what, const std::vector<double>& errors,
              std::vector<std::string> arrays) {
  arrays.insert(arrays.end(), {"a", "s", "x0", "eps", "eps_on_xt", "eps_on_eps"});
  return {.what = what + ", greatest over all t",
          .value = greatest(errors),
          .expected = 100 * kAgreement,
          .tolerance = 0,
          .comparison = Comparison::at_least,
          .basis = "a hundred times the agreement asked of the right forms",
          .arrays = std::move(arrays)};
}

std::vector<Check> checks_of(const Errors& errors) {
  const std::vector<std::string> by_eps = {"x0", "eps", "eps_on_xt", "eps_on_eps"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), by_eps.begin(), by_eps.end());
    return more;
  };
  return {agrees("mean by (x_t, x_0), lab eq. 4, against (x_t, eps), lab eq. 6", errors.posterior,
                 with({"posterior_on_x0", "posterior_on_xt"})),
          agrees("the same with x_0 eliminated by lab eq. 5 (thesis eq. 2.16)", errors.substituted,
                 with({"posterior_on_x0", "posterior_on_xt"})),
          agrees("thesis eqs. 2.17 and 2.18 as printed against lab eq. 6", errors.typed,
                 with({"typed_on_xt", "typed_on_eps"})),
          agrees("coefficients of x_t: on_xt + on_x0 / sqrt(alpha_bar_t) over 1 / sqrt(alpha_t), "
                 "less 1",
                 errors.identity_xt, {"posterior_on_x0", "posterior_on_xt", "eps_on_xt"}),
          agrees("coefficients of eps: on_x0 sqrt(1 - alpha_bar_t) / sqrt(alpha_bar_t) over beta_t "
                 "/ sqrt(alpha_t (1 - alpha_bar_t)), less 1",
                 errors.identity_eps, {"posterior_on_x0", "eps_on_eps"}),
          differs("thesis eq. 2.23 as printed, with alpha_t for alpha_bar_t", errors.misprint,
                  {"misprint_on_eps"}),
          differs("thesis eq. 2.16 with 2.11 as printed", errors.printed,
                  {"printed_on_x0", "printed_on_xt"})};
}

figures::Line error_line(const std::vector<double>& errors, const std::string& label,
                         const figures::Style& style) {
  return greatest_so_far(line_over_steps(errors, label, style));
}

figures::Figure figure_of(const Forms& forms, const Errors& errors) {
  const auto last = static_cast<double>(forms.a.size() - 1);
  const figures::Axis steps{.label = "step <i>t</i>", .scale = figures::Scale::log};
  using enum figures::Dash;
  figures::Panel agreement = panel_of(
      "difference from lab eq. 6", steps,
      {.label = "greatest up to <i>t</i>, 64 pairs", .scale = figures::Scale::log, .low = 1e-18},
      {error_line(errors.misprint, "2.23 as printed", {.color = 2}),
       error_line(errors.printed, "2.16 with 2.11 as printed", {.color = 3, .dash = dashed}),
       figures::Line{.x = {1, last},
                     .y = {kAgreement, kAgreement},
                     .label = "asked for",
                     .style = {.color = -2, .dash = dotted}},
       error_line(errors.posterior, "lab eq. 4", {.color = 0}),
       error_line(errors.substituted, "thesis eq. 2.16", {.color = 1, .dash = dashed}),
       error_line(errors.typed, "thesis eq. 2.18", {.color = -1, .dash = dotted})},
      figures::Legend::outside);
  std::vector<double> against(forms.eps_eps.size());
  std::transform(forms.eps_eps.begin(), forms.eps_eps.end(), against.begin(),
                 [](double c) { return -c; });
  figures::Panel coefficients =
      panel_of("coefficients of the mean", steps, {.label = "coefficient", .low = 0},
               {line_over_steps(forms.posterior_x0, "on x<sub>0</sub>, lab eq. 4", {.color = 0}),
                line_over_steps(forms.posterior_xt, "on x<sub>t</sub>, lab eq. 4",
                                {.color = 1, .dash = dashed}),
                line_over_steps(forms.eps_xt, "on x<sub>t</sub>, lab eq. 6", {.color = 2}),
                line_over_steps(against, "on −ε, lab eq. 6", {.color = 3, .dash = dashed})},
               figures::Legend::outside);
  return {.title = "The mean of the reverse step, by x<sub>0</sub> and by ε",
          .panels = {agreement, coefficients},
          .columns = 1,
          .panel_width = 300};
}

std::string reading(const process::VpSchedule& schedule, const Errors& errors) {
  return "For all " + std::to_string(schedule.steps()) +
         " steps and 64 pairs (x_0, eps), the mean of the reverse step written by (x_t, x_0) (lab "
         "eq. 4) and by (x_t, eps) (lab eq. 6, thesis eqs. 2.16-2.18) is the same number to " +
         brief(std::max({greatest(errors.posterior), greatest(errors.substituted),
                         greatest(errors.typed)}),
               2) +
         ", and so are the coefficients to a relative " +
         brief(std::max(greatest(errors.identity_xt), greatest(errors.identity_eps)), 2) +
         ". Eq. 2.18 as printed is right; eq. 2.23, which repeats it, has alpha_t where "
         "alpha_bar_t belongs and is off by up to " +
         brief(greatest(errors.misprint), 2) +
         "; and the step from 2.16 to 2.17 does not follow from 2.11 as printed, which gives a "
         "mean off by up to " +
         brief(greatest(errors.printed), 2) + ".";
}

}  // namespace

MeanFormulas mean_formulas() {
  return {.by_x0 = posterior_formula(), .by_eps = [](const process::VpSchedule& schedule, int t) {
            return schedule.eps_mean(t);
          }};
}

Result mean_forms(const Context& context, const MeanFormulas& formulas) {
  const process::VpSchedule schedule(context.process({}));
  if (schedule.steps() < 2) {
    throw ArgumentError(
        "[mean-forms] expected a process of at least 2 steps, got 1: at t = 1 the misprints do not "
        "show");
  }
  if (schedule.alpha_bar(schedule.steps()) < 1e-280) {
    throw ArgumentError(
        "[mean-forms] expected a process that leaves x_T some of x_0, got "
        "alpha_bar_T = " +
        brief(schedule.alpha_bar(schedule.steps())) +
        ", which x_0 = (x_t - sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_bar_t) "
        "cannot be divided by; take a smaller process.beta_end or fewer steps");
  }
  const Forms forms = forms_of(schedule, formulas);
  const Pairs pairs = draw_pairs(context.seed);
  const Errors errors = errors_of(forms, pairs);
  Result result;
  result.checks = checks_of(errors);
  result.arrays = {{"x0", pairs.x0},
                   {"eps", pairs.eps},
                   {"a", without_first(forms.a)},
                   {"s", without_first(forms.s)},
                   {"posterior_on_x0", without_first(forms.posterior_x0)},
                   {"posterior_on_xt", without_first(forms.posterior_xt)},
                   {"eps_on_xt", without_first(forms.eps_xt)},
                   {"eps_on_eps", without_first(forms.eps_eps)},
                   {"typed_on_xt", without_first(forms.typed_xt)},
                   {"typed_on_eps", without_first(forms.typed_eps)},
                   {"misprint_on_eps", without_first(forms.misprint_eps)},
                   {"printed_on_x0", without_first(forms.printed_x0)},
                   {"printed_on_xt", without_first(forms.printed_xt)}};
  result.numbers = {{"steps checked", static_cast<double>(schedule.steps())},
                    {"pairs (x_0, eps)", static_cast<double>(kPairs)}};
  result.figures = {{"", figure_of(forms, errors)}};
  result.reading = reading(schedule, errors);
  return result;
}

Result mean_forms(const Context& context) { return mean_forms(context, mean_formulas()); }

}  // namespace tinta::lab
