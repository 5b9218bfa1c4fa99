#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "tinta/lab/langevin_overdamped.h"
#include "tinta/lab/verdicts.h"
#include "tinta/physics/potential.h"

namespace tinta::lab {
namespace {

using physics::Overdamped;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Numbers of the row's runs, for sub_seed().
enum Run : std::uint64_t {
  kRelax = 0,
  kSettle = 16,
  kQuadratic = 32,
  kWell = 64,
  kFast = 96,
  kCoarse = 128
};

physics::PotentialPtr double_well() { return physics::double_well(1, 1); }

/// Half of the particles in each well: no crossing has to be waited for.
physics::Ensemble in_both_wells(std::int64_t count) {
  physics::Ensemble ensemble = physics::at_point(count, {1});
  ensemble.x.slice(0, 0, count, 2).neg_();
  return ensemble;
}

physics::Motion motion_of(const LangevinOverdamped& system, std::uint64_t seed) {
  physics::Motion motion;
  motion.seed = seed;
  motion.noise_factor = system.noise_factor;
  return motion;
}

/// Takes an ensemble on by `duration` of s = t / (m gamma). A friction that is infinite stands for
/// the overdamped equation, whose time is s. @param motion its step is the longest that may be
/// taken
void evolve(physics::Ensemble& ensemble, const physics::Potential& potential,
            physics::Motion motion, double duration) {
  const bool overdamped = std::isinf(motion.friction);
  const double time = overdamped ? duration : duration * motion.friction;
  const auto steps = static_cast<std::int64_t>(std::ceil(time / motion.time_step));
  motion.time_step = time / static_cast<double>(steps);
  if (!overdamped) return physics::advance_langevin(ensemble, potential, motion, steps);
  motion.friction = 1;
  physics::advance_overdamped(ensemble, potential, motion, Overdamped::leimkuhler_matthews, steps);
}

Relaxation relax(const LangevinOverdamped& system, double friction, std::uint64_t seed) {
  physics::Ensemble ensemble = physics::at_point(system.particles, {kOverdampedStart});
  const physics::PotentialPtr potential = physics::quadratic({0}, 1);
  physics::Motion motion = motion_of(system, seed);
  motion.friction = friction;
  // BAOAB's mobility is off by (gamma dt)^2 / 12 as a share, which its stationary density is not.
  motion.time_step = std::isinf(friction) ? 0.01 : std::min(0.05, 0.1 / friction);
  Relaxation seen;
  seen.friction = friction;
  for (int k = 0; k <= 20; ++k) {
    const double s = 0.2 * k;
    if (k > 0) evolve(ensemble, *potential, motion, 0.2);
    const physics::Estimate mean = physics::mean_of(ensemble.x);
    seen.times.push_back(s);
    seen.mean.push_back(mean.value);
    seen.error.push_back(mean.error);
    seen.exact.push_back(relaxing_mean(friction, s));
  }
  return seen;
}

Stationary settle(const LangevinOverdamped& system, double friction, std::uint64_t seed) {
  physics::Ensemble ensemble = in_both_wells(system.particles);
  physics::Motion motion = motion_of(system, seed);
  motion.friction = friction;
  motion.time_step = std::isinf(friction) ? 0.01 : 0.05;
  // 3 of s, or, where a velocity is remembered for longer, 25 / gamma of t.
  const double duration = std::isinf(friction) ? 3 : std::max(3.0, 25 / (friction * friction));
  evolve(ensemble, *double_well(), motion, duration);
  return {.friction = friction, .x = ensemble.x};
}

enum class Landscape { quadratic, double_well };

/// Mean of x^2, or of the double well's energy, when all is stationary.
physics::Estimate stationary_mean(const LangevinOverdamped& system, Landscape landscape,
                                  double step, Overdamped scheme, std::uint64_t seed) {
  const physics::PotentialPtr potential =
      landscape == Landscape::quadratic ? physics::quadratic({0}, 1) : double_well();
  physics::Ensemble ensemble = in_both_wells(system.bias_particles);
  physics::Motion motion = motion_of(system, seed);
  motion.time_step = step;
  const auto steps = static_cast<std::int64_t>(std::ceil(5 / step));
  physics::advance_overdamped(ensemble, *potential, motion, scheme, steps);
  const at::Tensor square = at::square(ensemble.x.to(at::kDouble));
  return physics::mean_of(landscape == Landscape::quadratic ? square : at::square(square - 1));
}

std::vector<BiasPoint> step_bias(const Context& context, const LangevinOverdamped& system,
                                 Landscape landscape, const std::vector<double>& steps,
                                 std::uint64_t first_run) {
  std::vector<BiasPoint> points;
  for (const double step : steps) {
    if (context.stopped()) break;
    const std::uint64_t run = first_run + 2 * points.size();
    points.push_back(
        {.step = step,
         .euler = stationary_mean(system, landscape, step, Overdamped::euler_maruyama,
                                  sub_seed(context.seed, run)),
         .better = stationary_mean(system, landscape, step, Overdamped::leimkuhler_matthews,
                                   sub_seed(context.seed, run + 1))});
    context.sinks.report({.what = "langevin-overdamped",
                          .done = static_cast<long long>(points.size()),
                          .total = static_cast<long long>(steps.size()),
                          .detail = "bias of a step"});
  }
  return points;
}

std::vector<physics::Estimate> euler_values(const std::vector<BiasPoint>& points) {
  std::vector<physics::Estimate> values;
  for (const BiasPoint& point : points) values.push_back(point.euler);
  return values;
}

std::vector<double> steps_of(const std::vector<BiasPoint>& points) {
  std::vector<double> steps;
  for (const BiasPoint& point : points) steps.push_back(point.step);
  return steps;
}

}  // namespace

Boltzmann overdamped_well() { return {double_well_energy(1, 1), 1, -4, 4}; }

OverdampedRecord simulate_overdamped(const Context& context, const LangevinOverdamped& system) {
  OverdampedRecord record;
  std::vector<double> frictions = system.frictions;
  frictions.push_back(kInfinite);
  for (const double friction : frictions) {
    if (context.stopped()) return record;
    const std::uint64_t run = record.relaxations.size();
    record.relaxations.push_back(relax(system, friction, sub_seed(context.seed, kRelax + run)));
    record.stationary.push_back(settle(system, friction, sub_seed(context.seed, kSettle + run)));
    context.sinks.report({.what = "langevin-overdamped",
                          .done = static_cast<long long>(run + 1),
                          .total = static_cast<long long>(frictions.size()),
                          .detail = "growing gamma"});
  }
  record.quadratic =
      step_bias(context, system, Landscape::quadratic, system.quadratic_steps, kQuadratic);
  for (BiasPoint& point : record.quadratic) point.euler_exact = 1 / (1 - point.step / 2);
  record.well = step_bias(context, system, Landscape::double_well, system.well_steps, kWell);
  for (BiasPoint& point : record.well) point.euler_exact = euler_stationary_energy(point.step);
  for (const double step : system.coarse_steps) {
    const std::uint64_t run = kCoarse + record.coarse.size();
    record.coarse.push_back(
        {.step = step,
         .euler = {},
         .better = stationary_mean(system, Landscape::double_well, step,
                                   Overdamped::leimkuhler_matthews, sub_seed(context.seed, run))});
  }
  if (context.stopped()) return record;
  record.extrapolated = extrapolate(steps_of(record.well), euler_values(record.well), 2);
  record.well_exact = overdamped_well().mean_energy();
  return record;
}

double overdamped_seconds(const Context& context, const LangevinOverdamped& system,
                          double temperature) {
  physics::Ensemble ensemble = physics::at_point(system.fast_particles, {1, 0});
  const physics::PotentialPtr potential = physics::double_well(1, 1);
  physics::Motion motion = motion_of(system, sub_seed(context.seed, kFast));
  motion.temperature = temperature;
  const auto start = std::chrono::steady_clock::now();
  physics::advance_overdamped(ensemble, *potential, motion, Overdamped::euler_maruyama,
                              system.fast_steps);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace tinta::lab
