#include "tinta/lab/langevin_overdamped.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/statistics.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/verdicts.h"

namespace tinta::lab {
namespace {

constexpr int kBins = 60;

/// The largest of deviations |seen - exact| / error.
double largest(const at::Tensor& seen, const at::Tensor& exact, const at::Tensor& error) {
  return ((seen - exact) / error).abs().max().item<double>();
}

Check largest_check(const std::string& what, double value, std::int64_t count,
                    std::vector<std::string> arrays) {
  return {.what = what + ": largest deviation in standard errors",
          .value = value,
          .expected = 0,
          .tolerance = critical_deviations(kErrorRate, static_cast<std::size_t>(count)),
          .basis = "exceeded in 6e-7 of runs by the largest of " + std::to_string(count),
          .arrays = std::move(arrays)};
}

void check_relaxation(const OverdampedRecord& record, Result& result) {
  std::vector<at::Tensor> mean, error, exact;
  for (const Relaxation& seen : record.relaxations) {
    // At s = 0 nothing has moved and the error is zero.
    mean.push_back(tensor_of(seen.mean).slice(0, 1));
    error.push_back(tensor_of(seen.error).slice(0, 1));
    exact.push_back(tensor_of(seen.exact).slice(0, 1));
  }
  const at::Tensor means = at::stack(mean), errors = at::stack(error), laws = at::stack(exact);
  result.arrays["relaxing_mean"] = means;
  result.arrays["relaxing_error"] = errors;
  result.arrays["relaxing_exact"] = laws;
  result.checks.push_back(largest_check(
      "relaxation in U = x^2 / 2 at every gamma, and overdamped, against its closed form",
      largest(means, laws, errors), means.numel(),
      {"relaxing_mean", "relaxing_error", "relaxing_exact"}));
  const at::Tensor apart = (means.slice(0, 0, -1) - laws[-1]).abs();
  const at::Tensor furthest = std::get<0>(apart.max(1));
  const double gamma = record.relaxations[record.relaxations.size() - 2].friction;
  result.checks.push_back(
      {.what = "distance of the full equation's mean from the overdamped law at the largest gamma",
       .value = furthest[-1].item<double>(),
       .expected = 0,
       .tolerance = kOverdampedStart / (gamma * gamma) +
                    critical_deviations(kErrorRate, 20) * errors.max().item<double>(),
       .basis = "x(0) / gamma^2, the order of what is left out, and the largest of 20 errors",
       .arrays = {"relaxing_mean", "relaxing_exact"}});
  result.checks.push_back({.what = "the same distance at the smallest gamma",
                           .value = furthest[0].item<double>(),
                           .expected = 0.2,
                           .comparison = Comparison::at_least,
                           .basis = "m = gamma = 1 is a choice of units, not the limit",
                           .arrays = {"relaxing_mean", "relaxing_exact"}});
}

void check_stationary(const OverdampedRecord& record, Result& result) {
  const std::vector<double> edges = spaced(-1.8, 1.8, kBins + 1);
  const at::Tensor shares = tensor_of(overdamped_well().shares(edges));
  std::vector<at::Tensor> counts;
  double furthest = 0;
  at::Tensor expected;
  for (const Stationary& seen : record.stationary) {
    counts.push_back(counts_between(seen.x, edges));
    expected = shares * static_cast<double>(seen.x.size(0));
    furthest = std::max(furthest, std::abs(chi_square(counts.back(), expected).deviations));
  }
  result.arrays["well_edges"] = tensor_of(edges);
  result.arrays["well_counts"] = at::stack(counts);
  result.arrays["well_expected"] = expected;
  result.checks.push_back(largest_check(
      "one stationary density in the double well at every gamma, chi-square of " +
          std::to_string(kBins) + " cells on the normal scale",
      furthest, static_cast<std::int64_t>(counts.size()), {"well_counts", "well_expected"}));
}

struct BiasArrays {
  at::Tensor step, euler, euler_error, better, better_error, euler_exact;
};

BiasArrays keep(const std::string& name, const std::vector<BiasPoint>& points, Result& result) {
  std::vector<double> step, euler, euler_error, better, better_error, exact;
  for (const BiasPoint& point : points) {
    step.push_back(point.step);
    euler.push_back(point.euler.value);
    euler_error.push_back(point.euler.error);
    better.push_back(point.better.value);
    better_error.push_back(point.better.error);
    exact.push_back(point.euler_exact);
  }
  const BiasArrays arrays{tensor_of(step),   tensor_of(euler),        tensor_of(euler_error),
                          tensor_of(better), tensor_of(better_error), tensor_of(exact)};
  result.arrays[name + "_step"] = arrays.step;
  result.arrays[name + "_euler"] = arrays.euler;
  result.arrays[name + "_euler_error"] = arrays.euler_error;
  result.arrays[name + "_better"] = arrays.better;
  result.arrays[name + "_better_error"] = arrays.better_error;
  result.arrays[name + "_euler_exact"] = arrays.euler_exact;
  return arrays;
}

void check_quadratic(const OverdampedRecord& record, Result& result) {
  const BiasArrays seen = keep("quadratic", record.quadratic, result);
  result.checks.push_back(largest_check(
      "Euler-Maruyama's variance in U = x^2 / 2 at every step against 1 / (1 - dt / 2)",
      largest(seen.euler, seen.euler_exact, seen.euler_error), seen.step.numel(),
      {"quadratic_euler", "quadratic_euler_error", "quadratic_euler_exact"}));
  result.checks.push_back(
      largest_check("Leimkuhler and Matthews's variance there at every step against 1",
                    largest(seen.better, at::ones_like(seen.better), seen.better_error),
                    seen.step.numel(), {"quadratic_better", "quadratic_better_error"}));
}

void check_well(const OverdampedRecord& record, Result& result) {
  const BiasArrays seen = keep("well", record.well, result);
  const std::vector<std::string> euler = {"well_step", "well_euler", "well_euler_error"};
  result.checks.push_back(
      largest_check("Euler-Maruyama's mean energy in the double well at every step against its own "
                    "stationary density's",
                    largest(seen.euler, seen.euler_exact, seen.euler_error), seen.step.numel(),
                    {"well_euler", "well_euler_error", "well_euler_exact"}));
  std::vector<double> steps, values, errors;
  for (const BiasPoint& point : record.coarse) {
    steps.push_back(point.step);
    values.push_back(point.better.value);
    errors.push_back(point.better.error);
  }
  result.arrays["coarse_step"] = tensor_of(steps);
  result.arrays["coarse_better"] = tensor_of(values);
  result.arrays["coarse_better_error"] = tensor_of(errors);
  const BiasPoint& coarse = record.well.back();
  const double bias = coarse.euler.value - record.well_exact;
  result.checks.push_back({.what = "that mean's bias at the largest step, in standard errors",
                           .value = std::abs(bias) / coarse.euler.error,
                           .expected = 10,
                           .comparison = Comparison::at_least,
                           .basis = "the bias is there, and is seen",
                           .arrays = euler});
  const physics::Estimate limit = record.extrapolated.value;
  result.checks.push_back({.what = "that mean taken to dt = 0 by a parabola, over its quadrature",
                           .value = limit.value / record.well_exact,
                           .expected = 1,
                           .tolerance = kDeviations * limit.error / record.well_exact,
                           .basis = "5 standard errors of the fit: wrong in 6e-7 of runs",
                           .arrays = euler});
  const double better_error = coarse.better.error / std::abs(bias);
  result.checks.push_back({.what = "bias of Leimkuhler and Matthews's scheme at the largest step "
                                   "over Euler-Maruyama's",
                           .value = std::abs((coarse.better.value - record.well_exact) / bias),
                           .expected = 0.2,
                           .tolerance = kDeviations * better_error,
                           .comparison = Comparison::at_most,
                           .basis = "second order against first, and 5 standard errors",
                           .arrays = {"well_euler", "well_better", "well_better_error"}});
  result.numbers.emplace_back("mean energy in the double well by quadrature", record.well_exact);
  result.numbers.emplace_back("extrapolated", limit.value);
  result.numbers.emplace_back("its standard error", limit.error);
}

void measure_speed(const Context& context, const LangevinOverdamped& system, Result& result) {
  const double seconds = overdamped_seconds(context, system, 1);
  const double work =
      static_cast<double>(system.fast_particles) * static_cast<double>(system.fast_steps);
  result.numbers.emplace_back("particles in the plane", static_cast<double>(system.fast_particles));
  result.numbers.emplace_back("steps", static_cast<double>(system.fast_steps));
  result.numbers.emplace_back("steps x particles per second", work / seconds);
  // At temperature zero none is drawn, and all else is the same.
  const double without = overdamped_seconds(context, system, 0);
  result.numbers.emplace_back("share of the time that random numbers take", 1 - without / seconds);
}

std::string reading(const OverdampedRecord& record, const Result& result) {
  const BiasPoint& coarse = record.well.back();
  const physics::Estimate limit = record.extrapolated.value;
  const std::string gamma = brief(record.relaxations[record.relaxations.size() - 2].friction);
  return "The full equation at gamma = 1 to " + gamma +
         " beside the overdamped one, in its own time s = "
         "t / (m gamma), so that D = kT / (m gamma) is 1. The stationary density in a double well "
         "is the same at every gamma; what gamma changes is the way there. In U = x^2 / 2 the mean "
         "swings at gamma = 1, up to " +
         brief(result.checks[2].value, 3) +
         " away from the overdamped law exp(-s), and lies within " +
         brief(result.checks[1].value, 2) + " of it at gamma = " + gamma +
         ": the distance falls as m U'' / (m gamma)^2, and that ratio being "
         "small is the limit. The source's m = gamma = 1 in eq. 2.21 is a choice of units, in "
         "which it writes the result; it is not what makes the acceleration negligible. A finite "
         "step has a bias of its own: Euler-Maruyama's variance is kT / k / (1 - k dt / 2), at "
         "every step tried, and in the double well its mean energy at dt = " +
         brief(coarse.step) + " is " + brief(coarse.euler.value) + " +- " +
         brief(coarse.euler.error, 1) + " for " + brief(record.well_exact, 5) +
         ". A parabola through four steps taken to dt = 0 gives " + brief(limit.value, 5) + " +- " +
         brief(limit.error, 1) +
         ". Leimkuhler and Matthews's scheme, for the same one force and one random number a "
         "step, has no bias at all in the quadratic well, and in the double well one of " +
         brief(std::abs(coarse.better.value - record.well_exact), 1) + " +- " +
         brief(coarse.better.error, 1) + " at the same step.";
}

}  // namespace

Result langevin_overdamped(const Context& context, const LangevinOverdamped& system) {
  const OverdampedRecord record = simulate_overdamped(context, system);
  if (context.stopped()) return {};
  Result result;
  check_relaxation(record, result);
  check_stationary(record, result);
  check_quadratic(record, result);
  check_well(record, result);
  measure_speed(context, system, result);
  result.reading = reading(record, result);
  result.figures.push_back({.figure = overdamped_figure(record)});
  return result;
}

Result langevin_overdamped(const Context& context) {
  LangevinOverdamped system{.particles = context.pick<std::int64_t>(100'000, 20'000),
                            .bias_particles = context.pick<std::int64_t>(1'000'000, 200'000),
                            .fast_particles = context.pick<std::int64_t>(1'000'000, 100'000),
                            .fast_steps = context.pick<std::int64_t>(1000, 200)};
  if (context.steps) system.fast_steps = *context.steps;
  return langevin_overdamped(context, system);
}

}  // namespace tinta::lab
