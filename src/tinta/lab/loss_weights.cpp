#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/statistics.h"
#include "tinta/lab/bound_study.h"
#include "tinta/lab/forward_figures.h"
#include "tinta/lab/reverse_forms.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/words.h"
#include "tinta/process/variational.h"

// Thesis eqs. 2.9, 2.13 and 2.19: every term of the variational bound of a mixture of two Gaussians
// on the line, by integration and as the program has it, and what the simple loss makes of them.

namespace tinta::lab {
namespace {

using process::ReverseVariance;
using process::VariationalBound;

constexpr double kAgreement = 1e-9;
constexpr double kFloor = 1e-4;  // nats; differences are relative to at least this

/// The greatest difference of what two ways give, relative to the larger of b and kFloor.
double difference(double a, double b) { return std::abs(a - b) / std::max(std::abs(b), kFloor); }

template <class Left, class Right>
double worst(const BoundStudy& study, Left&& left, Right&& right) {
  double most = 0;
  for (const BoundModel& model : study.models) {
    for (std::size_t i = 0; i < study.watched.size(); ++i) {
      const double off = difference(left(model, i), right(model, i));
      if (std::isnan(off)) return off;
      most = std::max(most, off);
    }
  }
  return most;
}

/// Arrays of one quantity of both models.
std::vector<std::string> of_models(const std::vector<std::string>& names) {
  std::vector<std::string> out = {"t"};
  for (const std::string& name : names) {
    out.push_back("exact_" + name);
    out.push_back("perturbed_" + name);
  }
  return out;
}

Check agrees(const std::string& what, double value, std::vector<std::string> arrays) {
  return {.what = what,
          .value = value,
          .expected = 0,
          .tolerance = kAgreement,
          .comparison = Comparison::at_most,
          .basis = "quadrature in double; relative to the term, or to 1e-4 nats where it is less",
          .arrays = std::move(arrays)};
}

std::vector<Check> term_checks(const BoundStudy& study) {
  const auto kl = [](const BoundModel& model, std::size_t i) { return model.kl[i]; };
  const auto program = [](const BoundModel& model, std::size_t i) { return model.program[i]; };
  const auto weighted = [&](const BoundModel& model, std::size_t i) {
    return study.weight[i] * model.simple[i] + study.constant[i];
  };
  const BoundModel& exact = study.models[0];
  const BoundModel& perturbed = study.models[1];
  std::vector<std::string> weighted_arrays = of_models({"kl", "simple"});
  weighted_arrays.insert(weighted_arrays.end(), {"weight", "constant"});
  return {agrees("L_{t-1} of the program against integration, greatest relative difference over t, "
                 "exact and perturbed denoiser",
                 worst(study, program, kl), of_models({"program", "kl"})),
          agrees("L_T of the program against integration, relative difference",
                 difference(exact.prior, exact.prior_integral), {"ends"}),
          agrees("L_0 of the program against integration, greatest relative difference",
                 std::max(difference(exact.reconstruction, exact.reconstruction_integral),
                          difference(perturbed.reconstruction, perturbed.reconstruction_integral)),
                 {"ends"}),
          agrees("beta_t / (2 alpha_t (1 - alpha_bar_t)) times the simple loss (thesis eq. 2.19), "
                 "and the constant that 2.13 drops, against L_{t-1} by integration",
                 worst(study, weighted, kl), weighted_arrays)};
}

/// Thesis below eq. 2.14: the squared difference of gradients of log q and log p is the divergence
/// only up to the factor v/2, and only where both have the variance v.
std::vector<Check> gradient_checks(const BoundStudy& study) {
  const auto equal = [&](const BoundModel& model, std::size_t i) {
    return study.schedule.posterior(study.watched[i]).variance / 2 * model.equal_gradients[i];
  };
  const auto equal_kl = [](const BoundModel& model, std::size_t i) { return model.equal_kl[i]; };
  const auto unequal = [&](const BoundModel& model, std::size_t i) {
    return study.schedule.beta(study.watched[i]) / 2 * model.gradients[i];
  };
  const auto kl = [](const BoundModel& model, std::size_t i) { return model.kl[i]; };
  std::vector<std::string> equal_arrays = of_models({"equal_gradients", "equal_kl"});
  equal_arrays.emplace_back("posterior_variance");
  std::vector<std::string> unequal_arrays = of_models({"gradients", "kl"});
  unequal_arrays.emplace_back("beta");
  return {agrees("variance/2 times the squared difference of gradients of log q and log p, equal "
                 "variances, against their divergence, greatest relative difference",
                 worst(study, equal, equal_kl), equal_arrays),
          {.what = "the same with variances beta-tilde_t and beta_t and the factor beta_t/2",
           .value = worst(study, unequal, kl),
           .expected = 100 * kAgreement,
           .tolerance = 0,
           .comparison = Comparison::at_least,
           .basis = "a hundred times the agreement asked at equal variances",
           .arrays = unequal_arrays}};
}

Check sampling_check(const BoundStudy& study, std::int64_t draws) {
  double most = 0;
  for (const BoundModel& model : study.models) {
    for (std::size_t i = 0; i < study.watched.size(); ++i) {
      const double off = std::abs(model.sampled[i] - model.kl[i]) / model.error[i];
      most = std::isnan(off) ? off : std::max(most, off);
    }
  }
  const std::size_t count = 2 * study.watched.size();
  return {.what = "greatest deviation of the program's L_{t-1} over " + std::to_string(draws) +
                  " draws from integration, in standard errors",
          .value = most,
          .expected = 0,
          .tolerance = critical_deviations(two_sided_error(5), count),
          .comparison = Comparison::at_most,
          .basis = "the largest of " + std::to_string(count) +
                   " nearly normal numbers is beyond it in about 1e-6 of runs",
          .arrays = of_models({"sampled", "error", "kl"})};
}

std::vector<Check> bound_checks(const BoundStudy& study) {
  const double entropy = study.mixture.entropy();
  const auto above = [&](const std::string& variance, double bound) {
    return Check{.what = "bound less the entropy of the data, exact denoiser, variance " + variance,
                 .value = bound - entropy,
                 .expected = 0,
                 .tolerance = 1e-9,
                 .comparison = Comparison::at_least,
                 .basis = "no bound on -log p lies below the entropy; rounding",
                 .arrays = {"bounds"}};
  };
  return {above("beta_t", study.models[0].bound),
          above("beta-tilde_t", study.models[0].bound_posterior)};
}

figures::Line curve(const BoundStudy& study, const std::vector<double>& values,
                    const std::string& label, const figures::Style& style) {
  return {.x = {study.watched.begin(), study.watched.end()},
          .y = values,
          .label = label,
          .style = style};
}

std::vector<double> scaled(const std::vector<double>& values, const std::vector<double>& factors) {
  std::vector<double> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i] * factors[i];
  return out;
}

/// Shares of a sum, as a density over t.
std::vector<double> shares(std::vector<double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  for (double& value : values) value /= sum;
  return values;
}

figures::Panel terms_panel(const BoundStudy& study) {
  const BoundModel& exact = study.models[0];
  figures::Markers integrals{.x = {},
                             .y = {},
                             .label = "by integration",
                             .style = {.color = -1},
                             .size = 4,
                             .marker = figures::Marker::circle};
  const std::size_t every = std::max<std::size_t>(1, study.watched.size() / 12);
  for (std::size_t i = 0; i < study.watched.size(); i += every) {
    integrals.x.push_back(study.watched[i]);
    integrals.y.push_back(exact.kl[i]);
  }
  return panel_of("terms of the bound, variance β<sub>t</sub>",
                  {.label = "step <i>t</i>", .scale = figures::Scale::log},
                  {.label = "L<sub>t−1</sub> (nats)", .scale = figures::Scale::log},
                  {curve(study, exact.program, "exact denoiser", {.color = 0}),
                   curve(study, study.models[1].program, "perturbed",
                         {.color = 1, .dash = figures::Dash::dashed}),
                   curve(study, study.constant, "constant that 2.13 drops",
                         {.color = 2, .dash = figures::Dash::dotted}),
                   integrals},
                  figures::Legend::lower_left);
}

figures::Panel weights_panel(const BoundStudy& study) {
  double mean = 0;
  for (const double w : study.weight) mean += w / static_cast<double>(study.weight.size());
  return panel_of("weight of |ε − ε<sub>θ</sub>|²",
                  {.label = "step <i>t</i>", .scale = figures::Scale::log},
                  {.label = "weight", .scale = figures::Scale::log},
                  {curve(study, study.weight, "β<sub>t</sub> / 2α<sub>t</sub>(1 − ᾱ<sub>t</sub>)",
                         {.color = 0}),
                   curve(study, std::vector<double>(study.watched.size(), mean),
                         "simple loss, to scale", {.color = 1, .dash = figures::Dash::dashed})},
                  figures::Legend::upper_right);
}

figures::Panel losses_panel(const BoundStudy& study) {
  const BoundModel& exact = study.models[0];
  return panel_of(
      "where the exact denoiser's loss lies",
      {.label = "step <i>t</i>", .scale = figures::Scale::log},
      {.label = "share of the steps shown", .low = 0},
      {curve(study, shares(scaled(exact.simple, study.weight)), "bound, eq. 2.19", {.color = 0}),
       curve(study, shares(exact.simple), "simple loss",
             {.color = 1, .dash = figures::Dash::dashed})},
      figures::Legend::upper_right);
}

figures::Panel gradients_panel(const BoundStudy& study) {
  std::vector<double> equal, unequal;
  const BoundModel& model = study.models[1];
  for (std::size_t i = 0; i < study.watched.size(); ++i) {
    const int t = study.watched[i];
    equal.push_back(study.schedule.posterior(t).variance / 2 * model.equal_gradients[i] /
                    model.equal_kl[i]);
    unequal.push_back(study.schedule.beta(t) / 2 * model.gradients[i] / model.kl[i]);
  }
  return panel_of("gradients against divergence, perturbed",
                  {.label = "step <i>t</i>", .scale = figures::Scale::log},
                  {.label = "(variance/2) |∇log q − ∇log p|² / KL"},
                  {curve(study, equal, "equal variances", {.color = 0}),
                   curve(study, unequal, "β̃<sub>t</sub> and β<sub>t</sub>",
                         {.color = 1, .dash = figures::Dash::dashed})},
                  figures::Legend::upper_right);
}

std::string reading(const BoundStudy& study) {
  const BoundModel& exact = study.models[0];
  const double entropy = study.mixture.entropy();
  double dropped = 0;
  const VariationalBound bound(study.schedule, ReverseVariance::beta);
  for (int t = 2; t <= study.schedule.steps(); ++t) dropped += bound.constant(t, 1);
  return "For two Gaussians on the line and T = " + std::to_string(study.schedule.steps()) +
         ", the terms of the bound as the program has them are their integrals, for the exact "
         "denoiser and for a perturbed one. With the exact denoiser and variance beta_t the bound "
         "is " +
         brief(exact.bound, 4) + " nats, above an entropy of " + brief(entropy, 4) +
         " (L_T = " + brief(exact.prior, 3) + ", L_0 = " + brief(exact.reconstruction, 3) +
         "): what is between is that the reverse steps of a mixture are not Gaussian. With "
         "variance "
         "beta-tilde_t it is " +
         brief(exact.bound_posterior, 4) +
         ": right for data that are points, it is too small at the first steps for data with a "
         "density. Thesis eq. 2.13 leaves out a constant, as beta-tilde_t is not beta_t: " +
         brief(dropped, 3) +
         " nats in all, most of it at the first steps. The weight of eq. 2.19 is " +
         brief(study.weight.front(), 3) + " at t = 2 and at its least " +
         brief(*std::min_element(study.weight.begin(), study.weight.end()), 2) +
         "; the simple loss makes every t alike, and so moves the effort from the smallest noise, "
         "where the bound puts it, to larger noise. The divergence is the squared difference of "
         "the gradients of log q and log p (below eq. 2.14) only times half the variance, and only "
         "where both have the same.";
}

at::Tensor array(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

void add_arrays(const BoundStudy& study, Result& result) {
  std::vector<double> beta, posterior;
  for (const int t : study.watched) {
    beta.push_back(study.schedule.beta(t));
    posterior.push_back(study.schedule.posterior(t).variance);
  }
  std::vector<double> ends, bounds = {study.mixture.entropy()};
  for (const BoundModel& model : study.models) {
    ends.insert(ends.end(), {model.prior, model.prior_integral, model.reconstruction,
                             model.reconstruction_integral});
    bounds.insert(bounds.end(), {model.bound, model.bound_posterior});
    const std::string prefix = model.name + "_";
    result.arrays[prefix + "kl"] = array(model.kl);
    result.arrays[prefix + "program"] = array(model.program);
    result.arrays[prefix + "simple"] = array(model.simple);
    result.arrays[prefix + "gradients"] = array(model.gradients);
    result.arrays[prefix + "equal_kl"] = array(model.equal_kl);
    result.arrays[prefix + "equal_gradients"] = array(model.equal_gradients);
    result.arrays[prefix + "sampled"] = array(model.sampled);
    result.arrays[prefix + "error"] = array(model.error);
  }
  result.arrays["t"] =
      at::tensor(std::vector<std::int64_t>(study.watched.begin(), study.watched.end()));
  result.arrays["weight"] = array(study.weight);
  result.arrays["constant"] = array(study.constant);
  result.arrays["beta"] = array(beta);
  result.arrays["posterior_variance"] = array(posterior);
  result.arrays["ends"] = array(ends).reshape({2, 4});
  result.arrays["bounds"] = array(bounds);
}

}  // namespace

LossFormulas loss_formulas() {
  return {
      .weight = [](const process::VpSchedule& schedule,
                   int t) { return VariationalBound(schedule, ReverseVariance::beta).weight(t); },
      .transition =
          [](const process::VpSchedule& schedule, int t, const at::Tensor& x0,
             const at::Tensor& x_t, const at::Tensor& eps) {
            return VariationalBound(schedule, ReverseVariance::beta).transition(t, x0, x_t, eps);
          }};
}

Result loss_weights(const Context& context, const LossFormulas& formulas) {
  BoundStudy study{.context = context,
                   .formulas = formulas,
                   .schedule = process::VpSchedule(context.process({.steps = 200}))};
  if (study.schedule.steps() < 2) {
    throw ArgumentError(
        "[loss-weights] expected a process of at least 2 steps, got 1, which has no "
        "term L_{t-1}");
  }
  const auto draws = context.pick<std::int64_t>(100'000, 20'000);
  work_out(study, context.pick(200, 24), draws);
  if (context.stopped()) return {};
  Result result;
  for (const auto& part : {term_checks(study), gradient_checks(study), bound_checks(study)}) {
    result.checks.insert(result.checks.end(), part.begin(), part.end());
  }
  result.checks.push_back(sampling_check(study, draws));
  const BoundModel& exact = study.models[0];
  result.numbers = {{"L_T (nats)", exact.prior},
                    {"L_0 (nats)", exact.reconstruction},
                    {"bound, exact denoiser (nats)", exact.bound},
                    {"bound, exact denoiser, variance beta-tilde_t (nats)", exact.bound_posterior},
                    {"bound, perturbed denoiser (nats)", study.models[1].bound},
                    {"entropy of the data (nats)", study.mixture.entropy()}};
  add_arrays(study, result);
  result.figures = {{"",
                     {.title = "The variational bound, term by term",
                      .panels = {terms_panel(study), weights_panel(study), losses_panel(study),
                                 gradients_panel(study)},
                      .columns = 2}}};
  result.reading = reading(study);
  return result;
}

Result loss_weights(const Context& context) { return loss_weights(context, loss_formulas()); }

}  // namespace tinta::lab
