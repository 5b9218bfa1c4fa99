#include "tinta/lab/densities.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "tinta/config/lab_rows.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/kernels/random.h"

namespace tinta::lab {
namespace {

struct Component {
  double weight, x, y, sigma;
};

PlaneDensity mixture(const std::string& name, const std::vector<Component>& components,
                     std::int64_t maxima, double half_side) {
  const auto count = static_cast<std::int64_t>(components.size());
  PlaneDensity density{.name = name,
                       .weights = at::empty({count}, at::kDouble),
                       .means = at::empty({count, 2}, at::kDouble),
                       .sigmas = at::empty({count}, at::kDouble),
                       .maxima = maxima,
                       .half_side = half_side};
  for (std::int64_t k = 0; k < count; ++k) {
    const Component& c = components[static_cast<std::size_t>(k)];
    density.weights[k] = c.weight;
    density.means[k][0] = c.x;
    density.means[k][1] = c.y;
    density.sigmas[k] = c.sigma;
  }
  density.weights /= density.weights.sum();
  density.means -= density.weights.unsqueeze(0).matmul(density.means);
  return density;
}

PlaneDensity three_wells() {
  return mixture("three-wells",
                 {{0.4, -1.1, -0.6, 0.30}, {0.35, 1.15, -0.45, 0.26}, {0.25, 0.1, 1.25, 0.22}}, 3,
                 2.75);
}

// Weights fall from the middle of each arc to its ends, so that each moon has one maximum; even
// weights would make a ridge with none.
PlaneDensity moons() {
  constexpr int kEach = 32;
  std::vector<Component> parts;
  for (int i = 0; i < kEach; ++i) {
    const double angle = std::numbers::pi * (i + 0.5) / kEach;
    const double weight = 0.25 + std::sin(angle);
    parts.push_back({weight, 1.1 * std::cos(angle) - 0.55, 1.1 * std::sin(angle) - 0.3, 0.13});
    parts.push_back({weight, 0.55 - 1.1 * std::cos(angle), 0.3 - 1.1 * std::sin(angle), 0.13});
  }
  return mixture("moons", parts, 2, 2.5);
}

// Each ring is brightest on one side, for the same reason.
PlaneDensity rings() {
  std::vector<Component> parts;
  const auto ring = [&](int count, double radius, double mass, double brightest) {
    for (int i = 0; i < count; ++i) {
      const double angle = 2 * std::numbers::pi * i / count;
      parts.push_back({mass / count * (1 + 0.6 * std::cos(angle - brightest)),
                       radius * std::cos(angle), radius * std::sin(angle), 0.12});
    }
  };
  ring(64, 1.5, 0.65, 0.7);
  ring(32, 0.65, 0.35, 3.9);
  return mixture("rings", parts, 2, 2.6);
}

PlaneDensity ring_of_eight() {
  std::vector<Component> parts;
  for (int i = 0; i < 8; ++i) {
    const double angle = 2 * std::numbers::pi * i / 8;
    parts.push_back({1, 1.4 * std::cos(angle), 1.4 * std::sin(angle), 0.16});
  }
  return mixture("ring-of-eight", parts, 8, 2.5);
}

}  // namespace

process::GaussianMixtureDenoiser PlaneDensity::denoiser() const { return {weights, means, sigmas}; }

at::Tensor PlaneDensity::covariance() const {
  return (means * weights.unsqueeze(1)).t().matmul(means) +
         at::eye(2, at::kDouble) * (weights * sigmas.square()).sum();
}

at::Tensor PlaneDensity::sample(std::int64_t count, const RandomKey& first) const {
  // Two sequences of one key must not share numbers: the choice of a component takes the step's
  // highest bit.
  at::Tensor x = kernels::normal({count, 2}, first);
  const at::Tensor upto = weights.cumsum(0).contiguous();
  at::Tensor chosen = at::empty({count}, at::kLong);
  const auto* edges = upto.const_data_ptr<double>();
  auto* k = chosen.mutable_data_ptr<std::int64_t>();
  const std::int64_t last = weights.size(0) - 1;
  for (std::int64_t i = 0; i < count; ++i) {
    RandomKey key = first;
    key.sample += static_cast<std::uint64_t>(i);
    key.step ^= 0x80000000U;
    const double u = random_uniform(key);
    k[i] = 0;
    while (k[i] < last && u >= edges[k[i]]) ++k[i];
  }
  x.mul_(sigmas.index_select(0, chosen).to(at::kFloat).unsqueeze(1));
  return x.add_(means.index_select(0, chosen).to(at::kFloat));
}

at::Tensor PlaneDensity::sample_points(std::int64_t count, const RandomKey& first) const {
  return sample(count, first).reshape({count, 2, 1, 1});
}

PlaneDensity plane_density(const std::string& name, const std::string& fallback) {
  struct Named {
    const char* name;
    PlaneDensity (*make)();
  };
  static constexpr std::array<Named, 4> kAll = {{{"three-wells", three_wells},
                                                 {"moons", moons},
                                                 {"rings", rings},
                                                 {"ring-of-eight", ring_of_eight}}};
  const std::string& wanted = name.empty() ? fallback : name;
  for (const Named& known : kAll) {
    if (wanted == known.name) return known.make();
  }
  throw ArgumentError("[lab] expected a density, got \"" + wanted + "\"" +
                      suggestion(wanted, config::lab_density_names()));
}

}  // namespace tinta::lab
