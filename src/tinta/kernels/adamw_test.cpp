#include "tinta/kernels/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/random.h"

namespace tinta::kernels {
namespace {

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return normal(sizes, {.seed = 3, .stream = Stream::test, .sample = 0, .step = step});
}

AdamwState fresh(at::IntArrayRef sizes, at::ScalarType dtype) {
  const at::Tensor start = drawn(sizes, 0);
  return {start.to(dtype, false, true), start.clone(), at::zeros(sizes), at::zeros(sizes),
          start.clone()};
}

AdamwStep numbers(int step) {
  return {.learning_rate = 1e-2f,
          .weight_decay = 0.1f,
          .correction1 = static_cast<float>(1 - std::pow(0.9, step)),
          .correction2 = static_cast<float>(1 - std::pow(0.999, step)),
          .gradient_scale = 0.7f,
          .ema_decay = 0.95f};
}

class AdamwSizes
    : public testing::TestWithParam<std::tuple<at::ScalarType, std::vector<std::int64_t>>> {};

TEST_P(AdamwSizes, AgreesWithTheReferenceInDouble) {
  const auto& [dtype, sizes] = GetParam();
  AdamwState fused = fresh(sizes, dtype);
  AdamwState plain = fresh(sizes, dtype);
  for (int i = 1; i <= 20; ++i) {
    const at::Tensor gradient = drawn(sizes, static_cast<std::uint32_t>(i)).to(dtype);
    adamw_step(fused, gradient, numbers(i));
    adamw_step_reference(plain, gradient, numbers(i));
  }
  EXPECT_TRUE(at::allclose(fused.master, plain.master, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(fused.ema, plain.ema, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(fused.v, plain.v, 1e-5, 1e-7));
  EXPECT_TRUE(at::equal(fused.weight, fused.master.to(dtype)));
}

INSTANTIATE_TEST_SUITE_P(Sizes, AdamwSizes,
                         testing::Combine(testing::Values(at::kFloat, at::kBFloat16, at::kHalf),
                                          testing::Values(std::vector<std::int64_t>{1},
                                                          std::vector<std::int64_t>{17},
                                                          std::vector<std::int64_t>{8, 4, 3, 3},
                                                          std::vector<std::int64_t>{70000})));

TEST(Adamw, FirstStepMovesByTheLearningRate) {
  AdamwState state = fresh({100}, at::kFloat);
  const at::Tensor before = state.master.clone();
  const at::Tensor gradient = drawn({100}, 1);
  adamw_step(state, gradient, {.learning_rate = 1e-3f, .correction1 = 0.1f, .correction2 = 1e-3f});
  EXPECT_TRUE(at::allclose(before - state.master, 1e-3 * gradient.sign(), 1e-3, 1e-6));
}

TEST(Adamw, IsTheSameBitsForAnyThreadsAndInstructionSet) {
  const auto run = [] {
    AdamwState state = fresh({50001}, at::kBFloat16);
    for (int i = 1; i <= 3; ++i) {
      adamw_step(state, drawn({50001}, static_cast<std::uint32_t>(i)).to(at::kBFloat16),
                 numbers(i));
    }
    return state;
  };
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  const AdamwState best = run();
  at::set_num_threads(1);
  force_isa(Isa::portable);
  const AdamwState lesser = run();
  force_isa(best_isa());
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(best.master, lesser.master));
  EXPECT_TRUE(at::equal(best.ema, lesser.ema));
  EXPECT_TRUE(at::equal(best.weight, lesser.weight));
}

TEST(Adamw, RefusesStateThatDoesNotFit) {
  AdamwState state = fresh({4, 4}, at::kFloat);
  EXPECT_THROW(adamw_step(state, at::zeros({4, 4}, at::kBFloat16), {}), ArgumentError);
  EXPECT_THROW(adamw_step(state, at::zeros({4, 5}), {}), ArgumentError);
  state.m = at::zeros({4, 8}).slice(1, 0, 8, 2);
  EXPECT_THROW(adamw_step(state, at::zeros({4, 4}), {}), ArgumentError);
}

TEST(Adamw, TakesAGradientOfAnotherLayout) {
  AdamwState plain = fresh({8, 4, 3, 3}, at::kFloat);
  AdamwState other = fresh({8, 4, 3, 3}, at::kFloat);
  const at::Tensor gradient = drawn({8, 4, 3, 3}, 1);
  adamw_step(plain, gradient, numbers(1));
  adamw_step(other, gradient.contiguous(at::MemoryFormat::ChannelsLast), numbers(1));
  EXPECT_TRUE(at::equal(plain.master, other.master));
}

TEST(SquareSum, AgreesWithDoubleArithmetic) {
  for (const std::int64_t count : {1, 15, 512, 16384, 100003}) {
    const at::Tensor x = drawn({count}, 9) + 3;
    const double wanted = x.to(at::kDouble).square().sum().item<double>();
    EXPECT_NEAR(square_sum(x) / wanted, 1, 1e-6);
    const at::Tensor rounded = x.to(at::kBFloat16);
    EXPECT_NEAR(square_sum(rounded) / rounded.to(at::kDouble).square().sum().item<double>(), 1,
                1e-6);
  }
}

}  // namespace
}  // namespace tinta::kernels
