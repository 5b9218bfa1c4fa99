// What must hold of many particles at once: statistical tests, each with a fixed seed. Unless a
// test says otherwise, bounds are 5 standard errors, two-sided: a correct program fails one with
// probability 6e-7 over seeds.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tinta/physics/ensemble.h"
#include "tinta/physics/observables.h"

namespace tinta::physics {
namespace {

// Chi-square of `values` in equal cells against the Boltzmann density of a potential of one
// coordinate, as a normal deviate (Wilson and Hilferty 1931).
double boltzmann_deviate(const at::Tensor& values, const Potential& potential, double temperature,
                         double low, double high) {
  constexpr std::int64_t kCells = 40;
  constexpr std::int64_t kFine = 500;  // midpoints in each cell
  const double step = (high - low) / (kCells * kFine);
  const at::Tensor grid =
      (low + (at::arange(kCells * kFine, at::kDouble) + 0.5) * step).unsqueeze(1);
  const at::Tensor weight =
      (-potential.energy(grid) / temperature).exp().view({kCells, kFine}).sum(1);
  const at::Tensor share = weight / weight.sum();
  const Histogram seen = histogram(values, low, high, kCells);
  const auto inside = static_cast<double>(seen.count - seen.outside);
  const double width = (high - low) / kCells;
  double chi_square = 0;
  double cells = -1;
  for (std::int64_t c = 0; c < kCells; ++c) {
    const double expected = share[c].item<double>() * inside;
    if (expected < 10) continue;
    const double got =
        seen.density[static_cast<std::size_t>(c)] * width * static_cast<double>(seen.count);
    chi_square += (got - expected) * (got - expected) / expected;
    ++cells;
  }
  const double spread = 2 / (9 * cells);
  return (std::cbrt(chi_square / cells) - (1 - spread)) / std::sqrt(spread);
}

struct Landscape {
  std::string name;
  PotentialPtr potential;
  double low;
  double high;
  Walls walls{};
};

std::vector<Landscape> landscapes() {
  const Walls box{.kind = Walls::Kind::reflecting, .low = {-2}, .high = {2}};
  const Walls ring{.kind = Walls::Kind::periodic, .low = {-2}, .high = {2}};
  const at::Tensor centers = at::tensor({-1.0, 0.2, 1.1}, at::kDouble).view({3, 1});
  return {{"quadratic", quadratic({0.3}, 2), -2.2, 2.8},
          {"gaussian_well", gaussian_well({0}, 1.5, 0.7), -2, 2, box},
          {"gaussian_well on a ring", gaussian_well({0}, 1.5, 0.4), -2, 2, ring},
          {"double_well", double_well(1, 1.5), -2, 2},
          {"multi_well", multi_well(centers, 1, 0.3, 1), -3, 3}};
}

// 4e4 particles, each cell known to 3 percent; the discretisation moves densities by some
// (h curvature)^2 / 10 = 1e-3 of themselves.
TEST(Equilibrium, HistogramsAreBoltzmannsInEachPotential) {
  for (const auto& [name, potential, low, high, walls] : landscapes()) {
    const Motion motion{.temperature = 0.8, .time_step = 0.01, .walls = walls, .seed = 11};
    Ensemble overdamped = at_point(40'000, {0.1});
    advance_overdamped(overdamped, *potential, motion, Overdamped::leimkuhler_matthews, 2000);
    EXPECT_LT(std::abs(boltzmann_deviate(overdamped.x, *potential, 0.8, low, high)), 5) << name;
  }
}

TEST(Equilibrium, FullLangevinHasBoltzmannsPositionsAndMaxwellsVelocities) {
  const PotentialPtr potential = double_well(1, 1.5);
  const Motion motion{
      .mass = 0.5, .friction = 2, .temperature = 0.8, .time_step = 0.02, .seed = 12};
  Ensemble ensemble = at_point(100'000, {0.1});
  advance_langevin(ensemble, *potential, motion, 1000);
  EXPECT_LT(std::abs(boltzmann_deviate(ensemble.x, *potential, 0.8, -2, 2)), 5);
  EXPECT_LT(std::abs(boltzmann_deviate(ensemble.v, *quadratic({}, 0.5), 0.8, -5, 5)), 5);
}

TEST(Equilibrium, FreeParticlesDiffuseAsTwoDTimesDTimesTime) {
  constexpr std::int64_t kCount = 100'000;
  const Motion motion{.mass = 2, .friction = 1.5, .temperature = 0.6, .time_step = 0.05, .seed = 5};
  const double diffusion = motion.temperature / (motion.mass * motion.friction);
  const at::Tensor start = at_point(kCount, {0, 1, 2}).x;
  Ensemble overdamped{.x = start.clone()};
  advance_overdamped(overdamped, *free_space(), motion, Overdamped::euler_maruyama, 200);
  const Estimate one = mean_of(square_displacement(overdamped, start));
  EXPECT_NEAR(one.value, 2 * 3 * diffusion * 10, 5 * one.error);
  EXPECT_LT(one.error / one.value, 3e-3);
  // With mass, from Maxwell's velocities: 2 d D (t - (1 - exp(-gamma t)) / gamma), in the scheme's
  // own time correlation, gamma h / 2 / tanh(gamma h / 2) of it, 5e-4 here.
  Ensemble massive{.x = start.clone()};
  advance_langevin(massive, *free_space(), motion, 200);
  const Estimate two = mean_of(square_displacement(massive, start));
  const double time = 10 - (1 - std::exp(-15.0)) / 1.5;
  EXPECT_NEAR(two.value, 6 * diffusion * time, 5 * two.error + 1e-3 * two.value);
}

// The overdamped step's own stationary variance on the quadratic well, and its limit.
TEST(Equilibrium, EulerIsOffByItsOwnBiasAndLeimkuhlerMatthewsByNone) {
  constexpr std::int64_t kCount = 200'000;
  const auto variance = [](Overdamped scheme) {
    Ensemble ensemble = at_point(kCount, {0});
    advance_overdamped(ensemble, *quadratic({}, 1), {.time_step = 0.4, .seed = 6}, scheme, 100);
    return ensemble.x.to(at::kDouble).square().mean().item<double>();
  };
  const double error = std::sqrt(2.0 / kCount);
  EXPECT_NEAR(variance(Overdamped::euler_maruyama), 1.25, 5 * 1.25 * error);
  EXPECT_NEAR(variance(Overdamped::leimkuhler_matthews), 1, 5 * error);
}

// (value - expected) / error of the mean kinetic and potential energy of 1e5 oscillators in a
// plane.
struct Deviates {
  double kinetic;
  double potential;
};
Deviates equipartition(double noise_factor) {
  constexpr double kT = 1.3;
  const PotentialPtr well = quadratic({}, 2);
  Ensemble ensemble = at_point(100'000, {0, 0});
  // BAOAB's velocities are cold by h^2 k / (4 m) = 1e-4.
  advance_langevin(ensemble, *well,
                   {.mass = 1.5,
                    .friction = 1,
                    .temperature = kT,
                    .time_step = 0.02,
                    .seed = 7,
                    .noise_factor = noise_factor},
                   600);
  const Estimate kinetic = mean_of(kinetic_energy(ensemble, 1.5));
  const Estimate energy = mean_of(well->energy(ensemble.x.to(at::kDouble)));
  return {(kinetic.value - kT) / kinetic.error, (energy.value - kT) / energy.error};
}

TEST(Equilibrium, EnergyIsSharedEqually) {
  const Deviates seen = equipartition(1);
  EXPECT_LT(std::abs(seen.kinetic), 5);
  EXPECT_LT(std::abs(seen.potential), 5);
}

// Energies rise by 21 percent, which is 55 standard errors.
TEST(Equilibrium, ABrokenFluctuationDissipationRelationIsSeen) {
  const Deviates seen = equipartition(1.1);
  EXPECT_GT(seen.kinetic, 30);
  EXPECT_GT(seen.potential, 30);
}

// Reflecting walls lose no particle, and in the end all places are alike.
TEST(Equilibrium, AClosedBoxFillsEvenly) {
  const Walls walls{.kind = Walls::Kind::reflecting, .low = {-1, 0}, .high = {1, 3}};
  Ensemble ensemble = at_point(100'000, {0.5, 0.5});
  advance_overdamped(ensemble, *free_space(), {.time_step = 0.05, .walls = walls, .seed = 8},
                     Overdamped::euler_maruyama, 400);
  const at::Tensor counts = histogram2d(ensemble.x, -1, 1, 0, 3, 8, 6);
  EXPECT_EQ(counts.sum().item<std::int64_t>(), 100'000);
  const double expected = 100'000.0 / 48;
  const double chi_square =
      ((counts.to(at::kDouble) - expected).square() / expected).sum().item<double>();
  EXPECT_NEAR(chi_square, 47, 5 * std::sqrt(2 * 47.0));
}

// Two halves of a box, all particles in the left one: as many cross as are found on the right.
TEST(Equilibrium, FluxCountsWhatCrossed) {
  const Walls walls{.kind = Walls::Kind::reflecting, .low = {-1}, .high = {1}};
  Ensemble ensemble = at_point(20'000, {-0.5});
  std::int64_t crossed = 0;
  for (int block = 0; block < 20; ++block) {
    const at::Tensor before = ensemble.x.clone();
    advance_overdamped(ensemble, *free_space(), {.time_step = 0.01, .walls = walls, .seed = 9},
                       Overdamped::euler_maruyama, 20);
    crossed += flux(before, ensemble.x, 0, 0);
  }
  EXPECT_EQ(crossed, (ensemble.x >= 0).sum().item<std::int64_t>());
  EXPECT_NEAR(static_cast<double>(crossed), 10'000, 5 * std::sqrt(20'000 * 0.25));
}

}  // namespace
}  // namespace tinta::physics
