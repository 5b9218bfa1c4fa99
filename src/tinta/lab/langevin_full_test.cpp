#include "tinta/lab/langevin_full.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/error.h"
#include "tinta/lab/lab_testing.h"

namespace tinta::lab {
namespace {

constexpr LangevinFull kSmall{.particles = 20'000, .free_particles = 20'000, .steps = 600};

Result run(const LangevinFull& system) {
  return langevin_full(Context{.seed = 1, .effort = Effort::quick}, system);
}

TEST(LangevinFull, EquipartitionBoltzmannAndDiffusionHold) {
  EXPECT_EQ(failing(run(kSmall)), std::vector<std::string>{});
}

TEST(LangevinFull, ValuesAreRecomputedFromTheArrays) {
  const Result result = run(kSmall);
  const at::Tensor v = result.arrays.at("v").to(at::kDouble);
  EXPECT_NEAR(result.checks[0].value,
              kSmall.mass * (v * v).sum(1).mean().item<double>() / (2 * kSmall.temperature), 1e-9);
  const at::Tensor t = result.arrays.at("time");
  const at::Tensor late = t.ge(8 / kSmall.friction);
  const at::Tensor time = t.masked_select(late) - t.masked_select(late).mean();
  const at::Tensor y = result.arrays.at("displacement").mean(0).masked_select(late);
  const double diffusion = ((time * y).sum() / (time * time).sum()).item<double>() / 6;
  EXPECT_NEAR(result.checks[5].value,
              diffusion * kSmall.mass * kSmall.friction / kSmall.temperature, 1e-9);
}

TEST(LangevinFull, TenPercentMoreNoiseBreaksEveryLawOfTemperature) {
  LangevinFull system = kSmall;
  system.noise_factor = 1.1;
  const Result result = run(system);
  for (const std::size_t i : {0U, 2U, 3U, 4U, 5U}) {
    EXPECT_FALSE(result.checks[i].pass()) << result.checks[i].what;
  }
  EXPECT_NEAR(result.checks[0].value, 1.21, 0.03);
}

// The mean of v(0).v(t) does not feel the noise after t = 0, but it feels friction.
TEST(LangevinFull, MemoryTellsAFrictionFromOneTenPercentLarger) {
  const Result result = run(kSmall);
  const at::Tensor memory = result.arrays.at("velocity_memory");
  const at::Tensor error = memory.std(0) / std::sqrt(static_cast<double>(memory.size(0)));
  const at::Tensor other = 3 * kSmall.temperature / kSmall.mass *
                           at::exp(-1.1 * kSmall.friction * result.arrays.at("time"));
  EXPECT_GT(((memory.mean(0) - other) / error).abs().max().item<double>(), 6);
}

TEST(LangevinFull, StepsTooCoarseForTheClaimAreRefused) {
  LangevinFull system = kSmall;
  system.steps = 100;
  EXPECT_THROW(run(system), ArgumentError);
}

TEST(LangevinFull, StopsWhenAsked) {
  const Context context{.effort = Effort::quick, .stop = [] { return true; }};
  EXPECT_TRUE(langevin_full(context, kSmall).checks.empty());
}

}  // namespace
}  // namespace tinta::lab
