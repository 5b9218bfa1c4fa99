#include "tinta/training/loss_scale.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

TEST(LossScale, IsForFloat16Alone) {
  LossScale scale;
  scale.begin(at::kBFloat16);
  EXPECT_EQ(scale.factor(), 1);
  scale.count_taken();
  EXPECT_FALSE(scale.lower());
  EXPECT_EQ(scale, LossScale{});
  scale.begin(at::kHalf);
  EXPECT_EQ(scale.factor(), LossScale::kFirst);
  scale.begin(at::kFloat);
  EXPECT_EQ(scale, LossScale{});
}

TEST(LossScale, HalvesDownToOneAndDoublesAfterManyGoodSteps) {
  LossScale scale;
  scale.begin(at::kHalf);
  for (double wanted = LossScale::kFirst / 2; wanted >= 1; wanted /= 2) {
    EXPECT_TRUE(scale.lower());
    EXPECT_EQ(scale.value, wanted);
  }
  EXPECT_FALSE(scale.lower()) << "the gradients themselves are not finite";
  scale.begin(at::kHalf);
  EXPECT_EQ(scale.value, 1) << "a run that goes on keeps what it had";
  for (std::uint64_t step = 1; step < LossScale::kGrowAfter; ++step) scale.count_taken();
  EXPECT_EQ(scale.value, 1);
  scale.count_taken();
  EXPECT_EQ(scale, (LossScale{.value = 2, .good = 0}));
  for (std::uint64_t step = 0; step < 40 * LossScale::kGrowAfter; ++step) scale.count_taken();
  EXPECT_EQ(scale.value, LossScale::kMost);
}

TEST(LossScale, IsReadAsItWasWritten) {
  const LossScale scale{.value = 512, .good = 3};
  EXPECT_EQ(loss_scale_from(to_json(scale)), scale);
  EXPECT_EQ(loss_scale_from(nlohmann::json::object()), LossScale{}) << "of an earlier version";
}

// A float16 toy whose gradients are far below what float16 can hold.
void shrink(TinyRun& run, double by) {
  run.network.spoil = [by](const at::Tensor& out, const Line&) { return out * by; };
  run.config.clip_norm = 0;
}

// AdamW does not care how large gradients are, so that the toy learns with tiny ones as with any.
TEST(LossScaling, KeepsGradientsThatFloat16WouldLose) {
  TinyRun half(0, at::kHalf);
  TinyRun full;
  for (TinyRun* run : {&half, &full}) {
    shrink(*run, 1e-7);
    run->config.adam_eps = 1e-16;
    run->train(50);
  }
  const double start = 0.3;
  const auto moved = [&](const TinyRun& run) {
    return run.state.parameters[0].master.item<double>() - start;
  };
  EXPECT_GT(std::abs(moved(full)), 0.05);
  EXPECT_NEAR(moved(half) / moved(full), 1, 0.05);
  EXPECT_EQ(half.state.skips.total, 0u);
}

TEST(LossScaling, OverflowLowersTheScaleAndChangesNothingElse) {
  TinyRun run(0, at::kHalf);
  std::vector<std::string> told;
  run.hooks.sinks.log = [&](LogLevel, const std::string& text) { told.push_back(text); };
  // The loss is in float32; its gradient, about 1, overflows in float16 times 65536 and more.
  run.train(12);
  ASSERT_GT(run.state.skips.total, 0u);
  EXPECT_LT(run.state.loss_scale.value, LossScale::kFirst);
  EXPECT_EQ(run.state.skips.in_row, 0u) << "a scale that is too high is no bad step";
  EXPECT_EQ(run.state.updates(), 12 - run.state.skips.total);
  EXPECT_EQ(told.size(), run.state.skips.total);
  EXPECT_THAT(told.at(0), testing::HasSubstr("the loss scale is 32768 from now on"));

  TinyRun same;
  same.config = run.config;
  same.train(12);
  EXPECT_NEAR(run.state.parameters[0].master.item<double>(),
              same.state.parameters[0].master.item<double>(), 0.05);
}

TEST(LossScaling, GradientsThatAreNotFiniteOfThemselvesAreBadSteps) {
  TinyRun run(0, at::kHalf);
  run.state.loss_scale = {.value = 2, .good = 0};
  run.config.max_skipped = 100;
  run.network.spoil = [](const at::Tensor& out, const Line&) {
    return out + (out - out.detach()).abs().sqrt();  // 0, of no finite slope
  };
  run.train(4);
  EXPECT_EQ(run.state.loss_scale.value, 1);
  EXPECT_EQ(run.state.skips.total, 4u);
  EXPECT_EQ(run.state.skips.in_row, 3u) << "the first may have been the scale's";
}

TEST(LossScaling, ARunThatGoesOnIsBitForBitTheOneLeftAlone) {
  TinyRun whole(0, at::kHalf);
  whole.train(12);
  TinyRun parted(0, at::kHalf);
  parted.train(3);
  const auto newest = newest_valid(parted.folder.path(), nullptr);
  ASSERT_TRUE(newest);
  parted.state = load_checkpoint(*newest);
  parted.train(12);
  expect_same_state(parted.state, whole.state);
}

}  // namespace
}  // namespace tinta::training
