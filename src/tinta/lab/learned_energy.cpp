#include "tinta/lab/learned_energy.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "tinta/lab/plane_net.h"
#include "tinta/model/init.h"

namespace tinta::lab {
namespace {

at::Tensor times(const at::Tensor& x, const process::NoiseLevel& level) {
  return at::full({x.size(0)}, level.time, x.options());
}

}  // namespace

at::Tensor LearnedEnergy::energy(const at::Tensor& x) const {
  const at::NoGradGuard no_grad;
  return network_->energy(x, times(x, level_)) / level_.s;
}

at::Tensor LearnedEnergy::score(const at::Tensor& x) const {
  const at::NoGradGuard no_grad;
  return network_->forward(x, times(x, level_), {}, std::nullopt) / -level_.s;
}

std::shared_ptr<model::EnergyNet> learn_energy(const PlaneDensity& density,
                                               const process::VpSchedule& schedule,
                                               const EnergyTraining& training,
                                               const Context& context) {
  auto network = std::make_shared<model::EnergyNet>(
      model::PointNetConfig{.dimensions = 2, .width = 64, .layers = 2, .octaves = 3});
  model::initialise(*network, training.seed);
  train_on(density, *network, schedule,
           {.steps = training.steps,
            .batch = 256,
            .learning_rate = 1e-2,
            .seed = training.seed,
            .data = density.sample(training.points,
                                   {.seed = training.seed, .stream = Stream::lab, .step = 4})},
           context);
  return network;
}

at::Tensor PlaneLandscape::masses() const {
  const auto count = static_cast<std::int64_t>(wells.minima.size());
  return at::zeros({count}, at::kDouble)
      .index_add(0, wells.basins.flatten(), (log_density.exp() * grid.cell()).flatten());
}

PlaneLandscape landscape_of(const at::Tensor& log_density, const physics::PlaneGrid& grid) {
  const at::Tensor normalised =
      (log_density - log_density.logsumexp(0) - std::log(grid.cell())).view({grid.side, grid.side});
  return {.grid = grid,
          .log_density = normalised,
          .wells = physics::find_minima(-normalised, grid, kLeastDepth)};
}

double total_variation(const PlaneLandscape& p, const PlaneLandscape& q) {
  return 0.5 * p.grid.cell() *
         (p.log_density.exp() - q.log_density.exp()).abs().sum().item<double>();
}

std::vector<Well> kinds_of(const PlaneLandscape& learned, const PlaneLandscape& exact) {
  std::vector<char> claimed(exact.wells.minima.size(), 0);
  std::vector<Well> kinds;
  const at::Tensor basins = exact.wells.basins.flatten();
  // Lowest first, so that the first in a basin is the one that stands for it.
  for (const physics::Minimum& minimum : learned.wells.minima) {
    if (minimum.at_border) {
      kinds.push_back(Well::border);
      continue;
    }
    const auto basin = static_cast<std::size_t>(basins[minimum.cell].item<std::int64_t>());
    kinds.push_back(claimed[basin] != 0 ? Well::spurious : Well::own);
    claimed[basin] = 1;
  }
  return kinds;
}

std::int64_t count_of(const std::vector<Well>& kinds, Well kind) {
  return std::count(kinds.begin(), kinds.end(), kind);
}

PlaneLandscape gaussian_of_moments(const PlaneDensity& density, const process::NoiseLevel& level,
                                   const physics::PlaneGrid& grid) {
  const at::Tensor covariance =
      density.covariance() * (level.a * level.a) + at::eye(2, at::kDouble) * (level.s * level.s);
  const at::Tensor x = grid.points();
  return landscape_of((x.matmul(covariance.inverse()) * x).sum(1) / -2, grid);
}

}  // namespace tinta::lab
