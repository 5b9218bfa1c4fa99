#include "tinta/physics/ensemble.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/kernels/random.h"
#include "tinta/stepper/baoab.h"
#include "tinta/stepper/first_order.h"

namespace tinta::physics {
namespace {

// Steps whose temperatures are tabulated at a time.
constexpr std::int64_t kBatch = 1 << 16;

[[noreturn]] void refuse(const char* where, const std::string& what) {
  throw ArgumentError(std::string("[") + where + "] " + what);
}

void require_step(double time_step, double limit, const char* where, const char* formula) {
  if (time_step < limit) return;
  refuse(where, "expected time_step below " + shortest(limit) + " (" + formula + "), got " +
                    shortest(time_step) + ": larger steps are unstable");
}

void require_inside(const Ensemble& ensemble, const Walls& walls, const char* where) {
  kernels::require_fits({}, walls, ensemble.dimensions(), where);
  if (walls.kind == Walls::Kind::none || ensemble.size() == 0) return;
  for (std::int64_t d = 0; d < ensemble.dimensions(); ++d) {
    const auto side = static_cast<std::size_t>(d);
    const at::Tensor x = ensemble.x.select(1, d);
    const double least = x.min().item<double>();
    const double most = x.max().item<double>();
    // Walls are rounded to what positions are kept in.
    if (!(least >= static_cast<float>(walls.low[side]) &&
          most <= static_cast<float>(walls.high[side]))) {
      refuse(where, "expected all particles within the walls, " + shortest(walls.low[side]) +
                        " to " + shortest(walls.high[side]) + " on axis " + std::to_string(d) +
                        ", got positions from " + shortest(least) + " to " + shortest(most));
    }
  }
}

void require_possible(const Ensemble& ensemble, const Motion& motion, std::int64_t steps,
                      const char* where) {
  if (!ensemble.x.defined() || ensemble.x.dim() != 2 || ensemble.x.size(1) < 1 ||
      ensemble.x.scalar_type() != at::kFloat || !ensemble.x.is_contiguous()) {
    refuse(where, "expected contiguous float32 positions [N,D]");
  }
  const std::vector<std::string> problems = motion.problems();
  if (!problems.empty()) refuse(where, join(problems, "; "));
  if (steps < 0) refuse(where, "expected at least 0 steps, got " + std::to_string(steps));
  require_inside(ensemble, motion.walls, where);
}

double temperature_of(const Motion& motion, std::uint64_t step, const char* where) {
  if (!motion.schedule) return motion.temperature;
  const double temperature = motion.schedule(step);
  if (!(temperature >= 0) || !std::isfinite(temperature)) {
    refuse(where, "expected a temperature of at least 0, got " + shortest(temperature) +
                      " from the schedule at step " + std::to_string(step));
  }
  return temperature;
}

kernels::ParticleSteps kernel_steps(const Ensemble& ensemble, const Potential& potential,
                                    const Motion& motion, std::int64_t count, const char* where) {
  kernels::ParticleSteps steps{.terms = potential.terms(),
                               .walls = motion.walls,
                               .mass = motion.mass,
                               .friction = motion.friction,
                               .time_step = motion.time_step,
                               .noise_factor = motion.noise_factor,
                               .seed = motion.seed,
                               .first_step = ensemble.step};
  steps.temperature.reserve(static_cast<std::size_t>(count));
  for (std::int64_t n = 0; n < count; ++n) {
    const std::uint64_t step = ensemble.step + static_cast<std::uint64_t>(n);
    steps.temperature.push_back(temperature_of(motion, step, where));
  }
  return steps;
}

// Calls run(number of steps) until `steps` are taken, counting them in the ensemble.
template <class Run>
void in_batches(Ensemble& ensemble, std::int64_t steps, std::int64_t batch, Run run) {
  for (std::int64_t done = 0; done < steps;) {
    const std::int64_t count = std::min(batch, steps - done);
    run(count);
    done += count;
    ensemble.step += static_cast<std::uint64_t>(count);
  }
}

at::Tensor noise_at(const Ensemble& ensemble, const Motion& motion, std::uint64_t step) {
  return kernels::particle_noise(ensemble.size(), ensemble.dimensions(), motion.seed, step);
}

// One step with forces from outside.
void plain_overdamped(Ensemble& ensemble, const Potential& potential, const Motion& motion,
                      Overdamped scheme) {
  const double drift = motion.time_step / (motion.mass * motion.friction);
  const double temperature = temperature_of(motion, ensemble.step, "advance_overdamped");
  const stepper::FirstOrderStep step{
      .drift = drift, .amplitude = motion.noise_factor * std::sqrt(2 * drift * temperature)};
  const auto force = [&](const at::Tensor& x) { return potential.force(x); };
  at::Tensor next;
  if (temperature == 0) {
    next = stepper::euler_maruyama(force, ensemble.x, step, at::zeros_like(ensemble.x));
  } else if (scheme == Overdamped::euler_maruyama) {
    next =
        stepper::euler_maruyama(force, ensemble.x, step, noise_at(ensemble, motion, ensemble.step));
  } else {
    at::Tensor noise = noise_at(ensemble, motion, ensemble.step);
    if (ensemble.turned.defined()) noise = noise * ensemble.turned;
    next = stepper::leimkuhler_matthews(force, ensemble.x, step, noise,
                                        noise_at(ensemble, motion, ensemble.step + 1));
  }
  at::Tensor turned;
  if (scheme == Overdamped::leimkuhler_matthews && motion.walls.kind == Walls::Kind::reflecting) {
    turned = at::ones_like(next);
  }
  kernels::confine(next, turned, motion.walls);
  ensemble.turned = turned;
  ensemble.x = next;
}

void plain_langevin(Ensemble& ensemble, const Potential& potential, const Motion& motion) {
  const double temperature = temperature_of(motion, ensemble.step, "advance_langevin");
  const auto force = [&](const at::Tensor& x) { return potential.force(x); };
  const auto walls = [&](stepper::PhaseState& state) {
    kernels::confine(state.x, state.v, motion.walls);
  };
  const stepper::PhaseState next = stepper::baoab(
      force, {ensemble.x, ensemble.v},
      {.time_step = motion.time_step,
       .mass = motion.mass,
       .friction = motion.friction,
       .temperature = temperature,
       .noise_factor = motion.noise_factor},
      temperature == 0 ? at::zeros_like(ensemble.x) : noise_at(ensemble, motion, ensemble.step),
      walls);
  ensemble.x = next.x;
  ensemble.v = next.v;
}

}  // namespace

std::vector<std::string> Motion::problems() const {
  std::vector<std::string> all;
  const auto positive = [&](const char* name, double value) {
    if (!(value > 0) || !std::isfinite(value)) {
      all.push_back(std::string("expected ") + name + " above 0, got " + shortest(value));
    }
  };
  positive("mass", mass);
  positive("friction", friction);
  positive("time_step", time_step);
  if (!(temperature >= 0) || !std::isfinite(temperature)) {
    all.push_back("expected temperature of at least 0, got " + shortest(temperature));
  }
  if (!(noise_factor >= 0) || !std::isfinite(noise_factor)) {
    all.push_back("expected noise_factor of at least 0, got " + shortest(noise_factor));
  }
  return all;
}

Ensemble at_point(std::int64_t count, const std::vector<double>& point) {
  if (count < 0 || point.empty()) {
    refuse("at_point", "expected a count of at least 0 and a point of at least one coordinate");
  }
  const auto dimensions = static_cast<std::int64_t>(point.size());
  return {
      .x = at::tensor(point, at::kDouble).to(at::kFloat).expand({count, dimensions}).contiguous()};
}

at::Tensor maxwell_velocities(std::int64_t count, std::int64_t dimensions, double temperature,
                              double mass, std::uint64_t seed) {
  if (!(temperature >= 0) || !(mass > 0)) {
    refuse("maxwell_velocities", "expected temperature of at least 0 and mass above 0, got " +
                                     shortest(temperature) + " and " + shortest(mass));
  }
  // The motion's blocks never reach this step: it would be the 2^64th.
  return kernels::normal({count, dimensions}, {.seed = seed,
                                               .stream = Stream::particles,
                                               .sample = 0,
                                               .step = std::numeric_limits<std::uint32_t>::max()}) *
         std::sqrt(temperature / mass);
}

double overdamped_limit(const Potential& potential, const Motion& motion) {
  const double curvature = potential.curvature();
  if (!(curvature > 0) || std::isinf(curvature)) return std::numeric_limits<double>::infinity();
  return 2 * motion.mass * motion.friction / curvature;
}

double langevin_limit(const Potential& potential, const Motion& motion) {
  const double curvature = potential.curvature();
  if (!(curvature > 0) || std::isinf(curvature)) return std::numeric_limits<double>::infinity();
  return 2 * std::sqrt(motion.mass / curvature);
}

void advance_overdamped(Ensemble& ensemble, const Potential& potential, const Motion& motion,
                        Overdamped scheme, std::int64_t steps) {
  constexpr auto kWhere = "advance_overdamped";
  require_possible(ensemble, motion, steps, kWhere);
  require_step(motion.time_step, overdamped_limit(potential, motion), kWhere,
               "2 m gamma / curvature");
  if (potential.terms().empty()) {
    return in_batches(ensemble, steps, 1,
                      [&](std::int64_t) { plain_overdamped(ensemble, potential, motion, scheme); });
  }
  if (scheme == Overdamped::euler_maruyama) ensemble.turned = at::Tensor();
  in_batches(ensemble, steps, kBatch, [&](std::int64_t count) {
    kernels::overdamped_steps(
        ensemble.x, ensemble.turned, kernel_steps(ensemble, potential, motion, count, kWhere),
        scheme == Overdamped::euler_maruyama ? kernels::OverdampedScheme::euler_maruyama
                                             : kernels::OverdampedScheme::leimkuhler_matthews);
  });
}

void advance_langevin(Ensemble& ensemble, const Potential& potential, const Motion& motion,
                      std::int64_t steps) {
  constexpr auto kWhere = "advance_langevin";
  require_possible(ensemble, motion, steps, kWhere);
  require_step(motion.time_step, langevin_limit(potential, motion), kWhere,
               "2 sqrt(m / curvature)");
  if (!ensemble.v.defined()) {
    ensemble.v =
        maxwell_velocities(ensemble.size(), ensemble.dimensions(),
                           temperature_of(motion, ensemble.step, kWhere), motion.mass, motion.seed);
  }
  if (ensemble.v.sizes() != ensemble.x.sizes() || ensemble.v.scalar_type() != at::kFloat ||
      !ensemble.v.is_contiguous()) {
    refuse(kWhere, "expected contiguous float32 velocities of the positions' shape");
  }
  if (potential.terms().empty()) {
    return in_batches(ensemble, steps, 1,
                      [&](std::int64_t) { plain_langevin(ensemble, potential, motion); });
  }
  in_batches(ensemble, steps, kBatch, [&](std::int64_t count) {
    kernels::langevin_steps(ensemble.x, ensemble.v,
                            kernel_steps(ensemble, potential, motion, count, kWhere));
  });
}

}  // namespace tinta::physics
