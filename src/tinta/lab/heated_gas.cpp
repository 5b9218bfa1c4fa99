#include "tinta/lab/heated_gas.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/error.h"
#include "tinta/core/statistics.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/verdicts.h"
#include "tinta/physics/ensemble.h"
#include "tinta/physics/observables.h"
#include "tinta/physics/potential.h"

namespace tinta::lab {
namespace {

constexpr std::int64_t kFollowed = 6;
constexpr std::int64_t kScattered = 500;

/// Collects a GasRecord moment by moment.
class Watcher {
 public:
  explicit Watcher(const HeatedGas& gas) : steps_(gas.schedule.steps()), frames_(gas.frames) {}

  void see(int t, const at::Tensor& x) {
    const at::Tensor exact = x.to(at::kDouble);
    mean_.push_back(exact.mean(0));
    variance_.push_back(exact.var(0));
    followed_.push_back(exact.slice(0, 0, kFollowed).select(1, 0).clone());
    if (t == 0) record_.start = x.clone();
    if (t == steps_) record_.end = x.clone();
    if (due(t, 200)) {
      const physics::Histogram seen =
          physics::histogram(exact.select(1, 0), kGasLow, kGasHigh, kGasBins);
      density_.push_back(tensor_of(seen.density));
      record_.density_times.push_back(t);
    }
    if (frames_ > 0 && due(t, frames_)) {
      record_.scattered.push_back(x.slice(0, 0, kScattered).clone());
      record_.scattered_times.push_back(t);
    }
  }

  void expect(const std::array<double, 2>& mean, double variance) {
    record_.exact_variance.push_back(variance);
    record_.exact_mean[0].push_back(mean[0]);
    record_.exact_mean[1].push_back(mean[1]);
  }

  GasRecord finish() {
    record_.mean = at::stack(mean_);
    record_.variance = at::stack(variance_);
    record_.followed = at::stack(followed_);
    record_.density = at::stack(density_);
    return std::move(record_);
  }

 private:
  [[nodiscard]] bool due(int t, int times) const {
    return t % std::max(1, steps_ / times) == 0 || t == steps_;
  }

  int steps_, frames_;
  GasRecord record_;
  std::vector<at::Tensor> mean_, variance_, followed_, density_;
};

/// Particles at rest with the well at beta_0: overdamped motion from its bottom until exp(-20) of
/// the start is left. Leimkuhler and Matthews's scheme is exact in a quadratic well.
at::Tensor settle(const HeatedGas& gas, const physics::Potential& well, std::uint64_t seed) {
  physics::Ensemble cold = physics::at_point(gas.particles, {gas.x0[0], gas.x0[1]});
  physics::Motion motion;
  motion.temperature = gas.beta0();
  motion.time_step = 0.1;
  motion.seed = seed;
  physics::advance_overdamped(cold, well, motion, physics::Overdamped::leimkuhler_matthews, 200);
  return cold.x;
}

/// Thesis eq. 2.1, T times.
GasRecord run_chain(const Context& context, const HeatedGas& gas, at::Tensor x) {
  const int steps = gas.schedule.steps();
  const std::uint64_t seed = sub_seed(context.seed, 1);
  Watcher watcher(gas);
  std::array<double, 2> mean = gas.x0;
  double variance = gas.beta0();
  watcher.expect(mean, variance);
  watcher.see(0, x);
  for (int t = 1; t <= steps && !context.stopped(); ++t) {
    context.sinks.report({.what = "heated-gas", .done = t, .total = 2 * steps});
    const at::Tensor noise = kernels::normal(
        x.sizes(), {.seed = seed, .stream = Stream::lab, .step = static_cast<std::uint32_t>(t)});
    x = gas.step(gas.schedule, x, t, noise);
    const double beta = gas.schedule.beta(t);
    for (double& m : mean) m *= std::sqrt(1 - beta);
    variance = (1 - beta) * variance + beta;
    watcher.expect(mean, variance);
    watcher.see(t, x);
  }
  return watcher.finish();
}

/// Overdamped Langevin motion (thesis eq. 2.21) in U with beta_t taken at its word: a temperature.
GasRecord run_literal(const Context& context, const HeatedGas& gas, const physics::Potential& well,
                      const at::Tensor& start) {
  const int steps = gas.schedule.steps();
  const auto substeps = static_cast<std::uint64_t>(gas.substeps);
  physics::Ensemble ensemble{.x = start.clone()};
  physics::Motion motion;
  motion.time_step = gas.time_step;
  motion.seed = sub_seed(context.seed, 2);
  motion.schedule = [&](std::uint64_t n) {
    return gas.schedule.beta(static_cast<int>(n / substeps) + 1);
  };
  motion.noise_factor = gas.noise_factor;
  Watcher watcher(gas);
  double variance = gas.beta0();
  watcher.expect(gas.x0, variance);
  watcher.see(0, ensemble.x);
  for (int t = 1; t <= steps && !context.stopped(); ++t) {
    context.sinks.report({.what = "heated-gas", .done = steps + t, .total = 2 * steps});
    physics::advance_overdamped(ensemble, well, motion, physics::Overdamped::euler_maruyama,
                                gas.substeps);
    for (int n = 0; n < gas.substeps; ++n) {
      const double keep = 1 - gas.time_step;
      variance = keep * keep * variance + 2 * gas.schedule.beta(t) * gas.time_step;
    }
    watcher.expect(gas.x0, variance);
    watcher.see(t, ensemble.x);
  }
  return watcher.finish();
}

/// Kolmogorov's distance of each coordinate from N(mean, variance), the larger one.
double distance(const at::Tensor& x, const std::array<double, 2>& mean, double variance) {
  double largest = 0;
  for (int axis = 0; axis < 2; ++axis) {
    const auto sorted = vector_of(std::get<0>(x.select(1, axis).to(at::kDouble).sort()));
    const auto cdf = [&](double value) {
      return normal_cdf((value - mean[static_cast<std::size_t>(axis)]) / std::sqrt(variance));
    };
    largest = std::max(largest, ks_distance(sorted, cdf));
  }
  return largest;
}

/// How far the exact density at T still is from N(0, 1): what finite T leaves of x_0.
double left_over(const GasRecord& chain) {
  double largest = 0;
  const double width = std::sqrt(chain.exact_variance.back());
  for (const auto& means : chain.exact_mean) {
    for (const double x : spaced(-5, 5, 2001)) {
      largest = std::max(largest, std::abs(normal_cdf((x - means.back()) / width) - normal_cdf(x)));
    }
  }
  return largest;
}

void check_ends(const Gases& gases, const HeatedGas& gas, Result& result) {
  const auto count = static_cast<std::size_t>(gas.particles);
  const double critical = ks_critical(count, kErrorRate / 2);
  result.arrays["chain_start"] = gases.chain.start;
  result.arrays["chain_end"] = gases.chain.end;
  result.checks.push_back(
      {.what = "Kolmogorov's distance of the settled gas, exp(-U / beta_0), from N(x_0, beta_0 I)",
       .value = distance(gases.chain.start, gas.x0, gas.beta0()),
       .expected = 0,
       .tolerance = critical,
       .basis = "larger of two coordinates, exceeded in 6e-7 of runs",
       .arrays = {"chain_start"}});
  const double left = left_over(gases.chain);
  result.checks.push_back({.what = "Kolmogorov's distance of the chain at T from N(0, I)",
                           .value = distance(gases.chain.end, {0, 0}, 1),
                           .expected = 0,
                           .tolerance = critical + left,
                           .basis = "larger of two coordinates, exceeded in 6e-7 of runs; " +
                                    brief(left, 2) +
                                    " of it is what a finite T leaves of x_0, exactly",
                           .arrays = {"chain_end"}});
}

void check_moments(const Gases& gases, double critical, Result& result) {
  const auto add = [&](const std::string& name, const std::string& who, const GasRecord& gas) {
    result.arrays[name + "_mean"] = gas.mean;
    result.arrays[name + "_variance"] = gas.variance;
    result.arrays[name + "_exact_mean"] =
        at::stack({tensor_of(gas.exact_mean[0]), tensor_of(gas.exact_mean[1])}, 1);
    result.arrays[name + "_exact_variance"] = tensor_of(gas.exact_variance);
    result.arrays[name + "_deviations"] = gas.deviations();
    result.checks.push_back(
        {.what = "mean and variance of " + who +
                 " at every t against the exact recursion, largest deviation in standard errors",
         .value = gas.deviations().abs().max().item<double>(),
         .expected = 0,
         .tolerance = critical,
         .basis = "exceeded in 6e-7 of runs by the largest of " +
                  std::to_string(gas.deviations().numel()),
         .arrays = {name + "_mean", name + "_variance", name + "_exact_mean",
                    name + "_exact_variance", name + "_deviations"}});
  };
  add("chain", "the chain", gases.chain);
  add("literal", "the literal gas", gases.literal);
}

void check_literal_end(const Gases& gases, const HeatedGas& gas, Result& result) {
  const double beta = gas.schedule.beta(gas.schedule.steps());
  const double exact = gases.literal.exact_variance.back();
  const double error = exact / std::sqrt(static_cast<double>(gas.particles));
  const double lag = std::abs(exact - beta);
  result.checks.push_back({.what = "variance of the literal gas at T over beta_T",
                           .value = gases.literal.variance[-1].mean().item<double>() / beta,
                           .expected = 1,
                           .tolerance = (kDeviations * error + lag) / beta,
                           .basis = "5 standard errors, and " + brief(lag / beta, 2) +
                                    " by which the recursion lags behind a rising temperature",
                           .arrays = {"literal_variance"}});
}

std::string reading(const Gases& gases, const HeatedGas& gas) {
  const int steps = gas.schedule.steps();
  const double beta = gas.schedule.beta(steps);
  std::string text =
      "Non-interacting particles in the well U = |x - x_0|^2 / 2 with x_0 = (2, 1) settle at "
      "temperature beta_0 = " +
      brief(gas.beta0()) +
      " (the schedule's start; the source does not say which) into N(x_0, beta_0 I), as eqs. 2.2 "
      "and 2.3 say, with beta_0 for eq. 2.2's beta_t. The chain of eqs. 2.1 and 2.4 then takes "
      "them to mean (" +
      brief(gases.chain.mean[-1][0].item<double>(), 2) + ", " +
      brief(gases.chain.mean[-1][1].item<double>(), 2) + ") and variance " +
      brief(gases.chain.variance[-1].mean().item<double>()) + " at T = " + std::to_string(steps) +
      ": N(0, I), and mean and variance are the recursion's at every t. Here the source's analogy "
      "is loose. Taken at its word, a gas in that well whose temperature is beta_t stays around "
      "x_0 and ends with variance beta_T = " +
      brief(beta) + " (measured " + brief(gases.literal.variance[-1].mean().item<double>()) +
      "): heated two hundredfold, it still feels the well and never comes near N(0, I). What the "
      "chain is: an Ornstein-Uhlenbeck process in the well |x|^2 / 2 about the origin, at "
      "temperature 1 throughout, with beta_t as its rate (a step is exactly the time "
      "-log(1 - beta_t) / 2 of dx = -x dt + sqrt(2) dW). Nothing is heated; the well at x_0 is "
      "switched off at t = 0 and a wider one, at the origin, takes over.";
  if (steps != 1000) text += " Betas are the source's times 1000 / T, so that alpha_bar_T stays.";
  return text;
}

}  // namespace

process::VpSchedule heating_schedule(std::int64_t steps) {
  const double scale = 1000.0 / static_cast<double>(steps);
  if (steps < 1 || 0.02 * scale >= 1) {
    throw ArgumentError(
        "[heated-gas] expected --steps of at least 21, so that beta_T is below 1, "
        "got " +
        std::to_string(steps));
  }
  return process::VpSchedule(process::LinearBeta{
      .steps = static_cast<int>(steps), .start = 1e-4 * scale, .end = 0.02 * scale});
}

at::Tensor GasRecord::deviations() const {
  const at::Tensor exact = tensor_of(exact_variance);
  const std::int64_t count = start.size(0);
  const double dof = static_cast<double>(count - 1);
  std::vector<at::Tensor> all;
  for (std::int64_t axis = 0; axis < 2; ++axis) {
    const at::Tensor expected = tensor_of(exact_mean[static_cast<std::size_t>(axis)]);
    const at::Tensor error = at::sqrt(exact / static_cast<double>(count));
    all.push_back((mean.select(1, axis) - expected) / error);
    // chi_square_deviations() of a whole column.
    const double width = 2 / (9 * dof);
    const at::Tensor share = variance.select(1, axis) / exact;
    all.push_back((at::pow(share, 1.0 / 3) - (1 - width)) / std::sqrt(width));
  }
  return at::stack(all, 1);
}

Result heated_gas(const Context& context, const HeatedGas& gas) {
  const physics::PotentialPtr well = physics::quadratic({gas.x0[0], gas.x0[1]}, 1);
  const at::Tensor start = settle(gas, *well, sub_seed(context.seed, 0));
  Gases gases;
  gases.chain = run_chain(context, gas, start);
  gases.literal = run_literal(context, gas, *well, start);
  if (context.stopped()) return {};
  const double critical =
      critical_deviations(kErrorRate, static_cast<std::size_t>(gases.chain.deviations().numel()));
  Result result;
  check_ends(gases, gas, result);
  check_moments(gases, critical, result);
  check_literal_end(gases, gas, result);
  result.reading = reading(gases, gas);
  result.figures.push_back({.figure = gas_figure(gases, gas)});
  result.figures.push_back(
      {.suffix = "moments", .figure = gas_deviation_figure(gases, gas, critical)});
  if (gas.frames > 0) result.animation = gas_animation(gases, gas);
  return result;
}

Result heated_gas(const Context& context) {
  const std::int64_t steps = context.steps.value_or(1000);
  // A gas that is heated faster lags further behind.
  const auto substeps =
      static_cast<int>(std::max<std::int64_t>(4000 / std::max<std::int64_t>(steps, 1), 1));
  return heated_gas(context, {.schedule = heating_schedule(steps),
                              .particles = context.pick<std::int64_t>(100'000, 10'000),
                              .substeps = substeps,
                              .frames = context.pick(60, 30)});
}

}  // namespace tinta::lab
