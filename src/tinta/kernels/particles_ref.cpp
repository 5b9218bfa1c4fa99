#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "tinta/core/philox.h"
#include "tinta/kernels/particles.h"

namespace tinta::kernels {
namespace {

// Normal `number` of a particle's sequence from its definition; see particle_noise.h.
double reference_normal(std::uint64_t seed, std::uint64_t particle, std::uint64_t number) {
  const std::uint64_t block = number / 4;
  const auto words = random_block({.seed = seed,
                                   .stream = Stream::particles,
                                   .sample = particle,
                                   .step = static_cast<std::uint32_t>(block >> 32)},
                                  static_cast<std::uint32_t>(block));
  const std::size_t pair = number % 4 / 2 * 2;
  const double u = static_cast<double>(words[pair] >> 1 | 1u) * 0x1p-31;
  const double angle = std::numbers::pi / 2 *
                       static_cast<double>(static_cast<std::int32_t>(words[pair + 1])) * 0x1p-31;
  const double radius = std::sqrt(-2 * std::log(u));
  if (number % 2 == 1) return radius * std::sin(angle);
  return radius * std::cos(angle) * ((words[pair + 1] & 1u) == 0 ? 1 : -1);
}

}  // namespace

at::Tensor particle_noise_reference(std::int64_t count, std::int64_t dimensions, std::uint64_t seed,
                                    std::uint64_t step) {
  at::Tensor out = at::empty({count, dimensions}, at::kDouble);
  auto* data = out.mutable_data_ptr<double>();
  const auto width = static_cast<std::uint64_t>(dimensions);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count); ++i) {
    for (std::uint64_t j = 0; j < width; ++j) {
      data[i * width + j] = reference_normal(seed, i, step * width + j);
    }
  }
  return out;
}

void overdamped_steps_reference(at::Tensor& x, const ParticleSteps& steps,
                                OverdampedScheme scheme) {
  require_fits(steps.terms, steps.walls, x.size(1), "overdamped_steps_reference");
  const double drift = steps.time_step / (steps.mass * steps.friction);
  at::Tensor position = x.to(at::kDouble);
  at::Tensor turned = at::ones_like(position);
  const auto noise = [&](std::size_t n) {
    return particle_noise_reference(x.size(0), x.size(1), steps.seed, steps.first_step + n);
  };
  for (std::size_t n = 0; n < steps.temperature.size(); ++n) {
    const double amplitude = steps.noise_factor * std::sqrt(2 * drift * steps.temperature[n]);
    const at::Tensor force = potential_force(position, steps.terms);
    const at::Tensor random = scheme == OverdampedScheme::euler_maruyama
                                  ? noise(n)
                                  : (turned * noise(n) + noise(n + 1)) / 2;
    position = position + drift * force + amplitude * random;
    turned = at::ones_like(position);
    confine(position, turned, steps.walls);
  }
  x.copy_(position);
}

void langevin_steps_reference(at::Tensor& x, at::Tensor& v, const ParticleSteps& steps) {
  require_fits(steps.terms, steps.walls, x.size(1), "langevin_steps_reference");
  const double half = steps.time_step / 2;
  const double decay = std::exp(-steps.friction * steps.time_step);
  at::Tensor position = x.to(at::kDouble);
  at::Tensor velocity = v.to(at::kDouble);
  const auto kick = [&] {
    velocity = velocity + half / steps.mass * potential_force(position, steps.terms);
  };
  const auto drift = [&] {
    position = position + half * velocity;
    confine(position, velocity, steps.walls);
  };
  for (std::size_t n = 0; n < steps.temperature.size(); ++n) {
    const double spread =
        std::sqrt((1 - decay * decay) * steps.temperature[n] / steps.mass) * steps.noise_factor;
    kick();
    drift();
    velocity =
        decay * velocity +
        spread * particle_noise_reference(x.size(0), x.size(1), steps.seed, steps.first_step + n);
    drift();
    kick();
  }
  x.copy_(position);
  v.copy_(velocity);
}

}  // namespace tinta::kernels
