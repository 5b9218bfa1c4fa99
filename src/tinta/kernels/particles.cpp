#include "tinta/kernels/particles.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/particles_cpu.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(ParticleKernels, particles)

namespace {

constexpr std::int64_t kUnit = 64;  // particles: a multiple of every register

// A ParticleForce with its own memory.
class ScaledForce {
 public:
  // Quadratic terms are summed for each coordinate: one stiffness, and the centre that it pulls to.
  ScaledForce(const std::vector<PotentialTerm>& terms, std::int64_t dimensions, double scale)
      : dimensions_(static_cast<std::size_t>(dimensions)) {
    std::vector<double> stiffness(dimensions_), pull(dimensions_);
    std::vector<double> linear(dimensions_), cubic(dimensions_);
    bool quartic = false;
    for (const PotentialTerm& term : terms) {
      switch (term.kind) {
        case PotentialTerm::Kind::quadratic:
          for (std::size_t d = 0; d < dimensions_; ++d) {
            if (d < term.coordinates.size() && !term.coordinates[d]) continue;
            stiffness[d] += term.strength;
            pull[d] += term.strength * (term.center.empty() ? 0 : term.center[d]);
          }
          break;
        case PotentialTerm::Kind::double_well: {
          const double square = term.width * term.width;
          const auto axis = static_cast<std::size_t>(term.axis);
          linear[axis] += 4 * term.strength / square;
          cubic[axis] += 4 * term.strength / (square * square);
          quartic = true;
          break;
        }
        case PotentialTerm::Kind::gaussian_well:
          add_well(term, scale);
      }
    }
    for (std::size_t d = 0; d < dimensions_; ++d) {
      stiffness_.push_back(static_cast<float>(scale * stiffness[d]));
      center_.push_back(stiffness[d] == 0 ? 0 : static_cast<float>(pull[d] / stiffness[d]));
      linear_.push_back(static_cast<float>(scale * linear[d]));
      cubic_.push_back(static_cast<float>(scale * cubic[d]));
    }
    if (!quartic) linear_.clear();
  }

  [[nodiscard]] ParticleForce view() const {
    return {.stiffness = stiffness_.data(),
            .center = center_.data(),
            .linear = linear_.empty() ? nullptr : linear_.data(),
            .cubic = cubic_.data(),
            .wells = static_cast<std::int64_t>(strength_.size()),
            .well = well_.data(),
            .strength = strength_.data(),
            .rate = rate_.data()};
  }

 private:
  void add_well(const PotentialTerm& term, double scale) {
    const double square = term.width * term.width;
    strength_.push_back(static_cast<float>(scale * term.strength / square));
    rate_.push_back(static_cast<float>(-0.5 / square));
    for (std::size_t d = 0; d < dimensions_; ++d) {
      well_.push_back(term.center.empty() ? 0.0f : static_cast<float>(term.center[d]));
    }
  }

  std::size_t dimensions_;
  std::vector<float> stiffness_, center_, linear_, cubic_, well_, strength_, rate_;
};

void require_state(const at::Tensor& x, const char* where) {
  if (!x.defined() || x.dim() != 2 || x.size(1) < 1 || x.scalar_type() != at::kFloat ||
      !x.is_cpu() || !x.is_contiguous()) {
    throw ArgumentError(std::string("[") + where +
                        "] expected contiguous float32 CPU tensors [N,D] with D >= 1");
  }
  if (x.size(0) > std::int64_t{1} << 32) {
    throw ArgumentError(std::string("[") + where + "] expected at most 2^32 particles, got " +
                        std::to_string(x.size(0)));
  }
}

std::vector<float> rounded(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// Runs `kernel` over all particles, in parallel.
void run(const ParticleTask& whole, std::int64_t particles, void (*kernel)(const ParticleTask&)) {
  const std::int64_t units = (particles + kUnit - 1) / kUnit;
  const std::int64_t work = std::max<std::int64_t>(1, whole.steps * whole.dimensions * kUnit);
  const std::int64_t grain = std::max<std::int64_t>(1, 65536 / work);
  at::parallel_for(0, units, grain, [&](std::int64_t first, std::int64_t last) {
    constexpr std::size_t kLine = 16;  // floats of 64 bytes
    std::vector<float> scratch(static_cast<std::size_t>(particle_scratch(whole.dimensions)) +
                               kLine);
    const auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
    ParticleTask task = whole;
    task.scratch = scratch.data() + (64 - address % 64) % 64 / sizeof(float);
    task.begin = first * kUnit;
    task.count = std::min(particles, last * kUnit) - task.begin;
    task.x = whole.x + task.begin * whole.dimensions;
    task.v = whole.v == nullptr ? nullptr : whole.v + task.begin * whole.dimensions;
    kernel(task);
  });
}

ParticleWalls walls_of(const Walls& walls) {
  switch (walls.kind) {
    case Walls::Kind::none:
      return ParticleWalls::none;
    case Walls::Kind::reflecting:
      return ParticleWalls::reflecting;
    case Walls::Kind::periodic:
      return ParticleWalls::periodic;
  }
  return ParticleWalls::none;
}

// amplitude_n = factor sqrt(kT_n): the random force of each step.
std::vector<float> amplitudes(const ParticleSteps& steps, double factor) {
  std::vector<float> all;
  all.reserve(steps.temperature.size());
  for (const double temperature : steps.temperature) {
    all.push_back(static_cast<float>(steps.noise_factor * factor * std::sqrt(temperature)));
  }
  return all;
}

}  // namespace

void overdamped_steps(at::Tensor& x, const ParticleSteps& steps, OverdampedScheme scheme) {
  at::Tensor turned;
  overdamped_steps(x, turned, steps, scheme);
}

void overdamped_steps(at::Tensor& x, at::Tensor& turned, const ParticleSteps& steps,
                      OverdampedScheme scheme) {
  require_state(x, "overdamped_steps");
  require_fits(steps.terms, steps.walls, x.size(1), "overdamped_steps");
  const double drift = steps.time_step / (steps.mass * steps.friction);
  const bool average = scheme == OverdampedScheme::leimkuhler_matthews;
  const bool mirrors = average && steps.walls.kind == Walls::Kind::reflecting;
  if (mirrors && !turned.defined()) turned = at::ones_like(x);
  if (mirrors) require_state(turned, "overdamped_steps");
  if (mirrors && turned.sizes() != x.sizes()) {
    throw ArgumentError("[overdamped_steps] expected `turned` of the positions' shape");
  }
  const ScaledForce force(steps.terms, x.size(1), drift);
  const std::vector<float> amplitude =
      amplitudes(steps, std::sqrt(2 * drift) * (average ? 0.5 : 1));
  const std::vector<float> low = rounded(steps.walls.low);
  const std::vector<float> high = rounded(steps.walls.high);
  run({.dimensions = x.size(1),
       .steps = static_cast<std::int64_t>(amplitude.size()),
       .seed = steps.seed,
       .first_step = steps.first_step,
       .x = x.mutable_data_ptr<float>(),
       .v = mirrors ? turned.mutable_data_ptr<float>() : nullptr,
       .force = force.view(),
       .walls = walls_of(steps.walls),
       .low = low.data(),
       .high = high.data(),
       .amplitude = amplitude.data(),
       .average = average},
      x.size(0), particles_kernels().overdamped);
}

void langevin_steps(at::Tensor& x, at::Tensor& v, const ParticleSteps& steps) {
  require_state(x, "langevin_steps");
  require_state(v, "langevin_steps");
  if (x.sizes() != v.sizes()) {
    throw ArgumentError("[langevin_steps] expected velocities of the positions' shape");
  }
  require_fits(steps.terms, steps.walls, x.size(1), "langevin_steps");
  const ScaledForce force(steps.terms, x.size(1), steps.time_step / (2 * steps.mass));
  const double decay = std::exp(-steps.friction * steps.time_step);
  // 1 - decay^2 without cancellation at small steps.
  const double spread = -std::expm1(-2 * steps.friction * steps.time_step) / steps.mass;
  const std::vector<float> amplitude = amplitudes(steps, std::sqrt(spread));
  const std::vector<float> low = rounded(steps.walls.low);
  const std::vector<float> high = rounded(steps.walls.high);
  run({.dimensions = x.size(1),
       .steps = static_cast<std::int64_t>(amplitude.size()),
       .seed = steps.seed,
       .first_step = steps.first_step,
       .x = x.mutable_data_ptr<float>(),
       .v = v.mutable_data_ptr<float>(),
       .force = force.view(),
       .walls = walls_of(steps.walls),
       .low = low.data(),
       .high = high.data(),
       .amplitude = amplitude.data(),
       .half_step = static_cast<float>(steps.time_step / 2),
       .decay = static_cast<float>(decay)},
      x.size(0), particles_kernels().langevin);
}

at::Tensor particle_noise(std::int64_t count, std::int64_t dimensions, std::uint64_t seed,
                          std::uint64_t step) {
  at::Tensor out = at::empty({count, dimensions}, at::kFloat);
  require_state(out, "particle_noise");
  auto* data = out.mutable_data_ptr<float>();
  const std::uint64_t first = step * static_cast<std::uint64_t>(dimensions);
  at::parallel_for(0, (count + kUnit - 1) / kUnit, 64, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t from = begin * kUnit;
    const std::int64_t part = std::min(count, end * kUnit) - from;
    particles_kernels().noise(data + from * dimensions, from, part, seed, first, dimensions);
  });
  return out;
}

double make_particle_noise_only(std::int64_t count, std::int64_t dimensions, std::uint64_t seed,
                                std::int64_t steps) {
  at::Tensor x = at::empty({count, dimensions}, at::kFloat);
  require_state(x, "make_particle_noise_only");
  const std::vector<float> amplitude(static_cast<std::size_t>(steps), 1.0f);
  run({.dimensions = dimensions,
       .steps = steps,
       .seed = seed,
       .x = x.mutable_data_ptr<float>(),
       .amplitude = amplitude.data()},
      count, particles_kernels().noise_only);
  return count > 0 ? x.const_data_ptr<float>()[0] : 0;
}

}  // namespace tinta::kernels
