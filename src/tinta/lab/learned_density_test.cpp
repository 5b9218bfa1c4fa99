#include "tinta/lab/learned_density.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/lab/rows.h"
#include "tinta/lab/stochastic_force.h"

namespace tinta::lab {
namespace {

// Every rounding's ripple counts, on a grid that has been shaken a little.
PlaneLandscape rough_landscape(const at::Tensor& log_density, const physics::PlaneGrid& grid) {
  const at::Tensor ripple = at::arange(grid.side * grid.side, at::kDouble).mul(12.9898).sin();
  return landscape_of(log_density + ripple, grid);
}

TEST(LearnedDensity, PassesAndTheVariationFollowsFromItsArrays) {
  const Result result = learned_density({.effort = Effort::quick, .steps = 400, .repeats = 1});
  for (const Check& check : result.checks) {
    EXPECT_TRUE(check.pass()) << check.what << ": " << check.value << ", " << check.tolerance;
  }
  const auto& a = result.arrays;
  const at::Tensor difference = a.at("log_densities")[0].exp() - a.at("log_density").exp();
  const double cell = 1 / a.at("log_density").exp().sum().item<double>();
  EXPECT_NEAR(0.5 * difference.abs().sum().item<double>() * cell,
              a.at("total_variations")[0].item<double>(), 1e-9);
}

TEST(LearnedDensity, FailsWhereMinimaAreTheGridsOwn) {
  const Result result =
      learned_density_by({.effort = Effort::quick, .steps = 20, .repeats = 1}, rough_landscape);
  EXPECT_FALSE(result.checks[0].pass());
}

TEST(KindsOf, TheLowestOfEachBasinIsItsOwn) {
  const physics::PlaneGrid grid{.half_side = 3, .side = 121};
  const at::Tensor x = grid.points();
  const auto wells = [&](const std::vector<std::array<double, 3>>& all) {
    at::Tensor log_density = at::full({x.size(0)}, -1e3, at::kDouble);
    for (const auto& [cx, cy, weight] : all) {
      const at::Tensor center = at::tensor({cx, cy}, at::kDouble);
      log_density =
          at::logaddexp(log_density, (x - center).square().sum(1) / -0.08 + std::log(weight));
    }
    return landscape_of(log_density, grid);
  };
  const PlaneLandscape exact = wells({{-1, 0, 0.5}, {1, 0, 0.5}});
  const PlaneLandscape learned = wells({{-1, 0, 0.5}, {1.1, 0.1, 0.4}, {2, 1, 0.1}});
  EXPECT_EQ(kinds_of(exact, exact), (std::vector<Well>{Well::own, Well::own}));
  EXPECT_EQ(kinds_of(learned, exact), (std::vector<Well>{Well::own, Well::own, Well::spurious}));
  EXPECT_NEAR(learned.masses()[2].item<double>(), 0.1, 1e-3);
  EXPECT_NEAR(total_variation(exact, exact), 0, 1e-15);
}

TEST(LearnedEnergy, ItsScoreIsMinusTheGradientOfItsEnergy) {
  const PlaneDensity density = plane_density("moons");
  const process::VpSchedule schedule = one_low_noise();
  const auto network = learn_energy(density, schedule, {.steps = 20, .seed = 1}, {});
  network->to(at::kDouble);
  const LearnedEnergy energy(*network, schedule.level(1));
  const at::Tensor x = physics::PlaneGrid{.side = 6}.points();
  const at::Tensor slopes = physics::gradient_by_differences(
      [&](const at::Tensor& at) { return energy.energy(at); }, x, 1e-3);
  EXPECT_LT((slopes + energy.score(x)).abs().max().item<double>(), 1e-6);
}

TEST(StochasticForce, Passes) {
  const Result result = stochastic_force({.effort = Effort::quick, .steps = 600});
  ASSERT_EQ(result.checks.size(), 3U);
  for (const Check& check : result.checks) {
    EXPECT_TRUE(check.pass()) << check.what << ": " << check.value << ", " << check.tolerance;
  }
}

TEST(StochasticForce, FailsWithANoiseThatIsTenPercentTooStrong) {
  const Result result = stochastic_force_by({.effort = Effort::quick, .steps = 600}, 1.1);
  EXPECT_FALSE(result.checks[2].pass()) << result.checks[2].value;
}

}  // namespace
}  // namespace tinta::lab
