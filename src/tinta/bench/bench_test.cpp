#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/bench/commands.h"
#include "tinta/bench/kernel_rates.h"
#include "tinta/bench/process.h"
#include "tinta/bench/roof.h"
#include "tinta/bench/steps.h"
#include "tinta/config/config.h"
#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
#include "tinta/model/unet.h"

namespace tinta::bench {
namespace {

// Enough to see that there is a number.
constexpr Effort kLittle{.seconds = 0, .least = 1};

void expect_a_rate(const Spread& spread, const std::string& what) {
  EXPECT_TRUE(std::isfinite(spread.median)) << what;
  EXPECT_GT(spread.low, 0) << what;
  EXPECT_LE(spread.low, spread.median) << what;
  EXPECT_LE(spread.median, spread.high) << what;
}

config::RunConfig tiny() {
  config::RunConfig config = config::preset("glyphs");
  for (const char* assignment :
       {"model.channels=8", "model.groups=4", "model.multipliers=1,1", "model.attention_levels=1",
        "training.batch=2", "training.precision=fp32", "data.size=8", "sampling.guidance=2"}) {
    config::set(config, assignment);
  }
  return config;
}

TEST(Spread, QuartilesInterpolateBetweenSortedValues) {
  const Spread spread = spread_of({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(spread.low, 1.75);
  EXPECT_DOUBLE_EQ(spread.median, 2.5);
  EXPECT_DOUBLE_EQ(spread.high, 3.25);
  EXPECT_EQ(spread.count, 4U);
  EXPECT_THROW(spread_of({}), ArgumentError);
}

TEST(Spread, ARateIsLowWhereTheTimeIsHigh) {
  const Spread rate = Spread{.median = 2, .low = 1, .high = 4, .count = 9}.over(8);
  EXPECT_DOUBLE_EQ(rate.median, 4);
  EXPECT_DOUBLE_EQ(rate.low, 2);
  EXPECT_DOUBLE_EQ(rate.high, 8);
}

TEST(SecondsOf, CallsOnceMoreThanItCounts) {
  int calls = 0;
  const Spread spread = seconds_of([&] { ++calls; }, at::kCPU, {.seconds = 0, .least = 5});
  EXPECT_EQ(spread.count, 5U);
  EXPECT_EQ(calls, 6);
}

TEST(Roof, EveryPeakAndEveryBandwidthIsARate) {
  expect_a_rate(convolution_peak(at::kCPU, at::kFloat, kLittle).flops, "convolution");
  expect_a_rate(matrix_product_peak(at::kCPU, at::kFloat, kLittle).flops, "matrix product");
  const std::vector<Bandwidth> ways = memory_bandwidth(at::kCPU, 1 << 16, kLittle);
  ASSERT_EQ(ways.size(), 4U);
  for (const Bandwidth& way : ways) expect_a_rate(way.bytes, way.name);
}

// Ours and LibTorch's gradient of weights, where we have one.
std::size_t own_gradient_rates(at::ScalarType dtype) {
  const bool own = kernels::active_isa() != kernels::Isa::portable &&
                   (dtype == at::kFloat || kernels::has_bf16());
  return own ? 2 : 0;
}

TEST(KernelRates, EveryKernelHasARateInBothPrecisions) {
  std::vector<KernelRate> rates = random_kernel_rates(kLittle, 1.0 / 256);
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (KernelRate& rate : kernel_rates(at::kCPU, dtype, kLittle, 1.0 / 64)) {
      rates.push_back(std::move(rate));
    }
  }
  EXPECT_EQ(rates.size(), 15U + own_gradient_rates(at::kFloat) + own_gradient_rates(at::kBFloat16));
  for (const KernelRate& rate : rates) {
    expect_a_rate(rate.items, rate.name);
    EXPECT_EQ(rate.bytes_per_item > 0, rate.bound != Bound::none) << rate.name;
  }
}

TEST(PeakMemory, SeesAnArrayThatIsGone) {
  const PeakMemory peak(at::kCPU);
  const double before = peak.mebibytes();
  { const at::Tensor array = at::ones({std::int64_t{64} << 18}); }  // 64 MiB
  // Pages that the process held before and gave back may be used again: not all of it is new.
  EXPECT_GT(peak.mebibytes(), before + 32);
  if (peak.span() == PeakSpan::steps) {
    EXPECT_LT(PeakMemory(at::kCPU).mebibytes(), peak.mebibytes() + 1);
  }
}

TEST(Process, TimeSinceItsStartGrows) {
  const double first = seconds_since_start();
  EXPECT_GE(first, 0);
  EXPECT_GE(seconds_since_start(), first);
}

TEST(Steps, ShareIsArithmeticPerSecondOverThePeak) {
  EXPECT_DOUBLE_EQ(share_of(6e9, 0.5, 48e9), 0.25);
}

TEST(Steps, OperationsFollowFromTheNetworkAlone) {
  const config::RunConfig config = tiny();
  const Sinks sinks;
  const StopRequested stop;
  const StepTask task{
      .config = config, .compute = {}, .batch = 3, .steps = 1, .sinks = sinks, .stop = stop};
  const StepMeasurement training = measure_training(task);
  const StepMeasurement sampling = measure_sampling(task);
  const std::int64_t forward = model::UNet(config.model).multiply_adds(8, 8);
  EXPECT_DOUBLE_EQ(training.operations, 2.0 * 3 * 2 * static_cast<double>(forward));
  // Guided: the network answers twice.
  EXPECT_DOUBLE_EQ(sampling.operations, 2.0 * 2 * 3 * static_cast<double>(forward));
  for (const StepMeasurement* one : {&training, &sampling}) {
    EXPECT_GT(one->seconds.median, 0);
    EXPECT_GT(one->peak_mebibytes, 0);
    EXPECT_GT(one->seconds_to_first_step, 0);
    EXPECT_EQ(one->profile.steps, 1);
  }
  EXPECT_EQ(training.seconds.count, 1U);
}

TEST(Steps, AStopLeavesNothingToSay) {
  const config::BenchStepsOptions options{.preset_or_file = "glyphs",
                                          .overrides = {"training.batch=1"}};
  EXPECT_EQ(run_bench_steps(options, {}, [] { return true; }), "");
}

TEST(Bench, ItsJsonHoldsRoofMemoryAndKernels) {
  const auto json = nlohmann::json::parse(
      run_bench({.precision = "fp32", .seconds = 0.001, .json = true}, {}, {}));
  EXPECT_GT(json.at("peak_gflops").at("fp32").at("convolution").at("median").get<double>(), 0);
  EXPECT_EQ(json.at("memory_gigabytes_per_second").size(), 4U);
  EXPECT_EQ(json.at("kernels").size(), 9U + own_gradient_rates(at::kFloat));
  for (const auto& kernel : json.at("kernels")) {
    EXPECT_EQ(kernel.at("share_of_roof").is_null(), kernel.at("gigabytes_per_second").is_null());
  }
}

}  // namespace
}  // namespace tinta::bench
