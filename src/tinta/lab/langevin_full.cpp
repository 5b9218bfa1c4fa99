#include "tinta/lab/langevin_full.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/error.h"
#include "tinta/core/statistics.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/verdicts.h"
#include "tinta/physics/ensemble.h"
#include "tinta/physics/potential.h"

namespace tinta::lab {
namespace {

constexpr std::int64_t kGroups = 1000;
constexpr int kBins = 60;
constexpr double kFreeStep = 0.05;  // in units of 1 / gamma; the bias of D is its square over 12

physics::Motion motion_of(const LangevinFull& system, double time_step, std::uint64_t seed) {
  physics::Motion motion;
  motion.mass = system.mass;
  motion.friction = system.friction;
  motion.temperature = system.temperature;
  motion.time_step = time_step;
  motion.seed = seed;
  motion.noise_factor = system.noise_factor;
  return motion;
}

physics::PotentialPtr potential_of(const LangevinFull& system) {
  return physics::double_well(system.half_distance, system.barrier, system.stiffness);
}

/// Half of the particles in each well, so that no crossing has to be waited for.
physics::Ensemble in_both_wells(const LangevinFull& system, std::int64_t count) {
  physics::Ensemble ensemble = physics::at_point(count, {system.half_distance, 0});
  ensemble.x.slice(0, 0, count, 2).select(1, 0).neg_();
  return ensemble;
}

void follow(const LangevinFull& system, std::uint64_t seed, WellRecord& record) {
  constexpr int kMoments = 6000, kEvery = 4;
  const double step = 0.0125;
  physics::Ensemble one = in_both_wells(system, 1);
  const physics::PotentialPtr potential = potential_of(system);
  const physics::Motion motion = motion_of(system, step, seed);
  std::vector<at::Tensor> x, v;
  for (int i = 0; i < kMoments; ++i) {
    physics::advance_langevin(one, *potential, motion, kEvery);
    x.push_back(one.x[0].to(at::kDouble));
    v.push_back(one.v[0].to(at::kDouble));
  }
  record.followed_x = at::stack(x);
  record.followed_v = at::stack(v);
  record.followed_step = step * kEvery;
}

WellRecord run_well(const Context& context, const LangevinFull& system) {
  physics::Ensemble ensemble = in_both_wells(system, system.particles);
  const physics::PotentialPtr potential = potential_of(system);
  const physics::Motion motion = motion_of(system, system.well_step(), sub_seed(context.seed, 0));
  for (std::int64_t done = 0; done < system.steps && !context.stopped();) {
    const std::int64_t some = std::min<std::int64_t>(100, system.steps - done);
    physics::advance_langevin(ensemble, *potential, motion, some);
    done += some;
    context.sinks.report({.what = "langevin-full", .done = done, .total = system.steps});
  }
  WellRecord record;
  record.x = ensemble.x;
  record.v = ensemble.v;
  follow(system, sub_seed(context.seed, 1), record);
  record.edges = spaced(-1.5 * system.half_distance, 1.5 * system.half_distance, kBins + 1);
  record.shares = system.across().shares(record.edges);
  return record;
}

FreeRecord run_free(const Context& context, const LangevinFull& system) {
  constexpr int kMoments = 32, kStepsEach = 20;  // 32 / gamma in all
  constexpr int kEarly = 8;  // of the first moment's steps, for the ballistic stage
  physics::Ensemble ensemble = physics::at_point(system.free_particles, {0, 0, 0});
  const at::Tensor start = ensemble.x.clone();
  ensemble.v =
      kernels::normal(start.sizes(), {.seed = sub_seed(context.seed, 2), .stream = Stream::lab});
  ensemble.v.mul_(std::sqrt(system.temperature / system.mass));
  const at::Tensor first_v = ensemble.v.clone();
  const physics::PotentialPtr nothing = physics::free_space();
  const double step = kFreeStep / system.friction;
  const physics::Motion motion = motion_of(system, step, sub_seed(context.seed, 3));
  FreeRecord record;
  std::vector<at::Tensor> displacement, memory;
  std::int64_t taken = 0;
  const auto look_after = [&](std::int64_t steps) {
    physics::advance_langevin(ensemble, *nothing, motion, steps);
    taken += steps;
    record.times.push_back(step * static_cast<double>(taken));
    displacement.push_back(group_means(physics::square_displacement(ensemble, start), kGroups));
    memory.push_back(group_means((first_v * ensemble.v).sum(1), kGroups));
  };
  for (int i = 0; i < kEarly; ++i) look_after(i < 4 ? 1 : (i < 6 ? 3 : 5));
  for (int i = 1; i < kMoments && !context.stopped(); ++i) look_after(kStepsEach);
  for (const double t : record.times) record.fit_from += t < 8 / system.friction ? 1U : 0U;
  record.displacement = at::stack(displacement, 1);
  record.memory = at::stack(memory, 1);
  return record;
}

/// A mean over what it must be: within 1%, or within 5 standard errors where a quick run's sample
/// does not resolve 1%.
Check ratio_check(const std::string& what, physics::Estimate estimate, double law,
                  std::vector<std::string> arrays) {
  const double error = estimate.error / law;
  return {.what = what,
          .value = estimate.value / law,
          .expected = 1,
          .tolerance = std::max(0.01, kDeviations * error),
          .basis = "1%, or 5 standard errors where that is more; the standard error is " +
                   brief(100 * error, 2) + "%",
          .arrays = std::move(arrays)};
}

Check resolution_check(const std::string& what, physics::Estimate estimate, double law,
                       double limit, std::vector<std::string> arrays) {
  return {.what = "standard error of " + what + ", as a share",
          .value = estimate.error / law,
          .expected = limit,
          .comparison = Comparison::at_most,
          .basis = "so that the error bar resolves what is claimed",
          .arrays = std::move(arrays)};
}

Check shape_check(const std::string& what, const ChiSquare& chi, std::vector<std::string> arrays) {
  return {.what = what + ": chi-square of " + brief(chi.dof + 1) +
                  " cells, in standard deviations from its centre",
          .value = chi.deviations,
          .expected = 0,
          .tolerance = kDeviations,
          .basis = "Wilson and Hilferty's normal scale; wrong in 6e-7 of runs",
          .arrays = std::move(arrays)};
}

void check_velocities(const LangevinFull& system, const WellRecord& well, double limit,
                      Result& result) {
  const at::Tensor v = well.v.to(at::kDouble);
  const physics::Estimate estimate = physics::mean_of(system.mass * (v * v).sum(1));
  const double law = 2 * system.temperature;
  result.checks.push_back(
      ratio_check("equipartition: mean of m v^2 over d kT", estimate, law, {"v"}));
  result.checks.push_back(resolution_check("m v^2", estimate, law, limit, {"v"}));
  const double width = std::sqrt(system.temperature / system.mass);
  const std::vector<double> edges = spaced(-3.5 * width, 3.5 * width, kBins + 1);
  std::vector<double> shares;
  for (int i = 0; i < kBins; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const double low = i == 0 ? 0 : normal_cdf(edges[k] / width);
    const double high = i + 1 == kBins ? 1 : normal_cdf(edges[k + 1] / width);
    shares.push_back(high - low);
  }
  const at::Tensor counts = counts_between(v, edges);
  const at::Tensor expected = tensor_of(shares) * static_cast<double>(v.numel());
  result.arrays["v"] = well.v;
  result.arrays["v_edges"] = tensor_of(edges);
  result.arrays["v_expected"] = expected;
  result.checks.push_back(shape_check("velocities against Maxwell's density",
                                      chi_square(counts, expected),
                                      {"v", "v_edges", "v_expected"}));
}

void check_positions(const LangevinFull& system, const WellRecord& well, Result& result) {
  const at::Tensor x = well.x.to(at::kDouble);
  const at::Tensor across = x.select(1, 0), beside = x.select(1, 1);
  const at::Tensor counts = counts_between(across, well.edges);
  const at::Tensor expected = tensor_of(well.shares) * static_cast<double>(x.size(0));
  result.arrays["x"] = well.x;
  result.arrays["x_edges"] = tensor_of(well.edges);
  result.arrays["x_expected"] = expected;
  result.checks.push_back(shape_check("positions across the wells against Boltzmann's density",
                                      chi_square(counts, expected),
                                      {"x", "x_edges", "x_expected"}));
  const at::Tensor u = at::square(across / system.half_distance) - 1;
  const at::Tensor energy = system.barrier * u * u + system.stiffness / 2 * beside * beside;
  const double law = system.across().mean_energy() + system.temperature / 2;
  result.checks.push_back(ratio_check("mean potential energy over its quadrature",
                                      physics::mean_of(energy), law, {"x"}));
  result.numbers.emplace_back("mean potential energy by quadrature", law);
}

void check_free(const LangevinFull& system, const FreeRecord& free, double limit, Result& result) {
  const auto from = static_cast<std::int64_t>(free.fit_from);
  const std::vector<double> late(free.times.begin() + from, free.times.end());
  const double constant = system.temperature / (system.mass * system.friction);
  const physics::Estimate slope =
      physics::mean_of(at::mv(free.displacement.slice(1, from), slope_weights(late)));
  const physics::Estimate diffusion{slope.value / 6, slope.error / 6};
  result.arrays["time"] = tensor_of(free.times);
  result.arrays["displacement"] = free.displacement;
  result.arrays["velocity_memory"] = free.memory;
  result.checks.push_back(ratio_check("diffusion constant of free particles over kT / (m gamma)",
                                      diffusion, constant, {"time", "displacement"}));
  result.checks.push_back(resolution_check("the diffusion constant", diffusion, constant, limit,
                                           {"time", "displacement"}));
  const at::Tensor law =
      3 * system.temperature / system.mass * at::exp(-system.friction * tensor_of(free.times));
  const at::Tensor error = free.memory.std(0) / std::sqrt(static_cast<double>(kGroups));
  const at::Tensor deviations = ((free.memory.mean(0) - law) / error).abs();
  const auto count = static_cast<std::size_t>(deviations.numel());
  result.checks.push_back(
      {.what = "memory of velocity, mean of v(0).v(t), against (d kT / m) exp(-gamma t): largest "
               "deviation in standard errors",
       .value = deviations.max().item<double>(),
       .expected = 0,
       .tolerance = critical_deviations(kErrorRate, count),
       .basis = "exceeded in 6e-7 of runs by the largest of " + std::to_string(count),
       .arrays = {"time", "velocity_memory"}});
  result.numbers.emplace_back("diffusion constant", diffusion.value);
  result.numbers.emplace_back("its standard error", diffusion.error);
  result.numbers.emplace_back("kT / (m gamma)", constant);
}

std::string reading(const LangevinFull& system, const Result& result) {
  const auto value = [&](std::size_t i) { return brief(result.checks[i].value, 5); };
  const auto error = [&](std::size_t i) { return brief(result.checks[i].value, 2); };
  return "Langevin's equation with mass, m = " + brief(system.mass) +
         ", gamma = " + brief(system.friction) + ", kT = " + brief(system.temperature) + ": " +
         std::to_string(system.particles) +
         " independent particles in a double well with a barrier of " +
         brief(system.barrier / system.temperature, 2) + " kT, one value of each taken after " +
         std::to_string(system.steps) + " steps. Mean of m v^2 over d kT: " + value(0) + " +- " +
         error(1) +
         "; velocities are Maxwell's, positions Boltzmann's, the mean potential energy " +
         value(4) + " of its quadrature. " + std::to_string(system.free_particles) +
         " free particles move as if thrown until 1 / gamma and diffuse after it: the slope of "
         "their mean square displacement from 8 / gamma on gives D over kT / (m gamma) = " +
         value(5) + " +- " + error(6) + ". The step " + brief(system.well_step(), 3) +
         " cools BAOAB's velocities by at most omega^2 dt^2 / 4 = " +
         brief(100 * system.step_bias(), 2) +
         "%, and the free particles' step changes D by (gamma dt)^2 / 12 = 0.02%: both far below "
         "the 1% that is claimed. All of it stands on one relation, the amplitude sqrt(2 m gamma "
         "kT) of the random force: 10% more, and every ratio above is 1.21.";
}

void require_fine_step(const LangevinFull& system) {
  constexpr double kLargestBias = 0.0025;
  if (system.step_bias() <= kLargestBias) return;
  const double finest =
      LangevinFull::kWellTime * std::sqrt(system.curvature() / system.mass / (4 * kLargestBias));
  throw ArgumentError("[langevin-full] expected --steps of at least " +
                      std::to_string(static_cast<std::int64_t>(std::ceil(finest))) +
                      ", so that the step's own error stays below 0.25%, got " +
                      std::to_string(system.steps));
}

}  // namespace

double LangevinFull::curvature() const {
  return std::max(8 * barrier / (half_distance * half_distance), stiffness);
}

double LangevinFull::step_bias() const {
  return curvature() / mass * well_step() * well_step() / 4;
}

Boltzmann LangevinFull::across() const {
  return {double_well_energy(half_distance, barrier), temperature, -3 * half_distance,
          3 * half_distance};
}

Result langevin_full(const Context& context, const LangevinFull& system) {
  require_fine_step(system);
  const WellRecord well = run_well(context, system);
  const FreeRecord free = run_free(context, system);
  if (context.stopped()) return {};
  Result result;
  const double limit = context.pick(0.002, 0.01);
  check_velocities(system, well, limit, result);
  check_positions(system, well, result);
  check_free(system, free, limit, result);
  result.numbers.emplace_back("largest bias of the step, as a share", system.step_bias());
  result.reading = reading(system, result);
  result.figures.push_back({.figure = langevin_full_figure(system, well, free)});
  result.figures.push_back({.suffix = "paths", .figure = langevin_path_figure(system, well)});
  return result;
}

Result langevin_full(const Context& context) {
  LangevinFull system{.particles = context.pick<std::int64_t>(400'000, 50'000),
                      .free_particles = context.pick<std::int64_t>(600'000, 50'000)};
  if (context.steps) system.steps = *context.steps;
  return langevin_full(context, system);
}

}  // namespace tinta::lab
