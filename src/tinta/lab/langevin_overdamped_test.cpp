#include "tinta/lab/langevin_overdamped.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tinta/lab/lab_testing.h"

namespace tinta::lab {
namespace {

LangevinOverdamped small() {
  return {.particles = 20'000,
          .bias_particles = 200'000,
          .fast_particles = 1000,
          .fast_steps = 10,
          .frictions = {1, 6},
          .quadratic_steps = {0.4, 0.8},
          .well_steps = {0.01, 0.02, 0.03},
          .coarse_steps = {}};
}

Result run(const LangevinOverdamped& system) {
  return langevin_overdamped(Context{.seed = 4, .effort = Effort::quick}, system);
}

TEST(LangevinOverdamped, LimitAndBiasesAreWhatTheoryGives) {
  const Result result = run(small());
  EXPECT_EQ(failing(result), std::vector<std::string>{}) << result.checks[7].value;
}

TEST(LangevinOverdamped, TenPercentMoreNoiseBreaksTheStationaryLaws) {
  LangevinOverdamped system = small();
  system.noise_factor = 1.1;
  const Result result = run(system);
  for (const std::size_t i : {4U, 5U}) {
    EXPECT_FALSE(result.checks[i].pass()) << result.checks[i].what;
  }
}

// Of a quadratic well the same construction is known in closed form; of this one its limit is.
TEST(LangevinOverdamped, EulersOwnDensityTendsToBoltzmanns) {
  const Boltzmann law{double_well_energy(1, 1), 1, -4, 4};
  const double exact = law.mean_energy();
  const double coarse = euler_stationary_energy(0.008) - exact;
  const double fine = euler_stationary_energy(0.004) - exact;
  EXPECT_NEAR(coarse / fine, 2, 0.05);
}

TEST(LangevinOverdamped, RelaxingMeanSolvesTheEquation) {
  const double h = 1e-4;
  for (const double gamma : {0.7, 3.0, 30.0}) {
    for (const double s : {0.1, 0.9}) {
      const double before = relaxing_mean(gamma, s - h), now = relaxing_mean(gamma, s),
                   after = relaxing_mean(gamma, s + h);
      // In s = t / gamma: x'' / gamma^2 + x' + x = 0.
      const double rest =
          (after - 2 * now + before) / (h * h * gamma * gamma) + (after - before) / (2 * h) + now;
      EXPECT_NEAR(rest, 0, 1e-5);
    }
  }
  EXPECT_NEAR(relaxing_mean(1000, 1), relaxing_mean(std::numeric_limits<double>::infinity(), 1),
              1e-5);
}

TEST(LangevinOverdamped, ExtrapolationOfAParabolaIsItsConstant) {
  const std::vector<physics::Estimate> values = {{1.11, 0.1}, {1.24, 0.2}, {1.39, 0.1}};
  const Extrapolation line = extrapolate({0.1, 0.2, 0.3}, values, 2);
  EXPECT_NEAR(line.value.value, 1, 1e-9);
  EXPECT_NEAR(line.coefficients[1], 1, 1e-9);
  EXPECT_NEAR(line.coefficients[2], 1, 1e-9);
  EXPECT_GT(line.value.error, 0.1);
}

}  // namespace
}  // namespace tinta::lab
