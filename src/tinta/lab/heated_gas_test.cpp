#include "tinta/lab/heated_gas.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/error.h"
#include "tinta/lab/lab_testing.h"

namespace tinta::lab {
namespace {

HeatedGas small() {
  return {.schedule = heating_schedule(100), .particles = 5000, .substeps = 40, .frames = 0};
}

Result run(const HeatedGas& gas) {
  return heated_gas(Context{.seed = 2, .effort = Effort::quick}, gas);
}

// beta_t where its square root belongs.
at::Tensor step_without_the_root(const process::VpSchedule& schedule, const at::Tensor& x, int t,
                                 const at::Tensor& noise) {
  return x * std::sqrt(1 - schedule.beta(t)) + noise * schedule.beta(t);
}

// Thesis's expansion of x_t under eq. 2.1 read backwards: the mean is not shrunk.
at::Tensor step_without_shrinking(const process::VpSchedule& schedule, const at::Tensor& x, int t,
                                  const at::Tensor& noise) {
  return x + noise * std::sqrt(schedule.beta(t));
}

TEST(HeatedGas, ChainReachesTheNormalAndTheLiteralGasDoesNot) {
  const Result result = run(small());
  EXPECT_EQ(failing(result), std::vector<std::string>{});
  EXPECT_NEAR(result.arrays.at("chain_variance")[-1].mean().item<double>(), 1, 0.1);
  EXPECT_LT(result.arrays.at("literal_variance")[-1].mean().item<double>(), 0.25);
}

TEST(HeatedGas, MomentsAreRecomputedFromTheArrays) {
  const Result result = run(small());
  const at::Tensor exact = result.arrays.at("chain_exact_variance").unsqueeze(1);
  const at::Tensor away = (result.arrays.at("chain_mean") - result.arrays.at("chain_exact_mean")) /
                          at::sqrt(exact / 5000);
  const at::Tensor kept = result.arrays.at("chain_deviations");
  EXPECT_TRUE(at::allclose(kept.select(1, 0), away.select(1, 0)));
  EXPECT_TRUE(at::allclose(kept.select(1, 2), away.select(1, 1)));
  EXPECT_NEAR(kept.abs().max().item<double>(), result.checks[2].value, 1e-12);
}

TEST(HeatedGas, WrongStepsOfTheChainAreSeen) {
  HeatedGas gas = small();
  for (const ForwardStep step : {step_without_the_root, step_without_shrinking}) {
    gas.step = step;
    const Result result = run(gas);
    EXPECT_FALSE(result.checks[1].pass());
    EXPECT_FALSE(result.checks[2].pass());
    EXPECT_TRUE(result.checks[3].pass());
  }
}

TEST(HeatedGas, TenPercentMoreNoiseBreaksTheLiteralGas) {
  HeatedGas gas = small();
  gas.noise_factor = 1.1;
  const Result result = run(gas);
  EXPECT_TRUE(result.checks[2].pass());
  EXPECT_FALSE(result.checks[3].pass());
}

TEST(HeatedGas, ScheduleAtAnyLengthLeavesAsMuchOfTheStart) {
  const double left = heating_schedule(1000).alpha_bar(1000);
  EXPECT_NEAR(heating_schedule(1000).beta(1000), 0.02, 1e-15);
  EXPECT_NEAR(std::log(heating_schedule(4000).alpha_bar(4000)) / std::log(left), 1, 0.01);
  EXPECT_THROW(heating_schedule(20), ArgumentError);
  EXPECT_THROW(heating_schedule(0), ArgumentError);
}

}  // namespace
}  // namespace tinta::lab
