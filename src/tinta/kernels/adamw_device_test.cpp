#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tinta/kernels/adamw.h"
#include "tinta/kernels/device_emulation.h"
#include "tinta/kernels/gpu.h"
#include "tinta/kernels/random.h"

// The GPU's programs of adamw.h, run on the CPU: see device_emulation.h.

namespace tinta::kernels {
namespace {

constexpr AdamwStep kStep{.learning_rate = 1e-2f,
                          .weight_decay = 0.1f,
                          .correction1 = 0.19f,
                          .correction2 = 0.002f,
                          .gradient_scale = 0.7f,
                          .ema_decay = 0.95f};

at::Tensor drawn(std::int64_t count, std::uint32_t step) {
  return normal({1, count}, {.seed = 3, .stream = Stream::test, .step = step})[0];
}

AdamwState fresh(std::int64_t count, at::ScalarType dtype, std::uint32_t step) {
  const at::Tensor start = drawn(count, step);
  return {start.to(dtype, false, true), start.clone(), drawn(count, step + 1) * 0.1,
          drawn(count, step + 2).square(), start + 0.1};
}

device::AdamwTensor view(AdamwState& s, const at::Tensor& gradient) {
  return {.gradient = gradient.defined() ? gradient.const_data_ptr() : nullptr,
          .weight = s.weight.mutable_data_ptr(),
          .master = s.master.mutable_data_ptr<float>(),
          .m = s.m.mutable_data_ptr<float>(),
          .v = s.v.mutable_data_ptr<float>(),
          .ema = s.ema.mutable_data_ptr<float>(),
          .count = s.weight.numel()};
}

class DeviceAdamw : public testing::TestWithParam<at::ScalarType> {};

// Tensors shorter and longer than a block, one empty, one without a gradient.
TEST_P(DeviceAdamw, IsTheSameBitsAsTheCpuForEveryTensorOfALaunch) {
  const std::vector<std::int64_t> counts{1, 4096, 0, 10000, 300};
  std::vector<AdamwState> wanted;
  std::vector<AdamwState> got;
  AdamwBatch batch{.element = element_of(GetParam())};
  batch.numbers = kStep;
  std::vector<at::Tensor> gradients;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto step = static_cast<std::uint32_t>(10 * i);
    wanted.push_back(fresh(counts[i], GetParam(), step));
    got.push_back(fresh(counts[i], GetParam(), step));
    const bool without = i == 4;
    gradients.push_back(without ? at::Tensor() : drawn(counts[i], step + 3).to(GetParam()));
    batch.tensors[batch.count++] = view(got.back(), gradients.back());
    adamw_step(wanted.back(), without ? at::zeros_like(wanted.back().weight) : gradients.back(),
               kStep);
  }
  device::run_adamw(batch, device::Emulator{});
  for (std::size_t i = 0; i < counts.size(); ++i) {
    EXPECT_TRUE(at::equal(got[i].master, wanted[i].master)) << i;
    EXPECT_TRUE(at::equal(got[i].m, wanted[i].m)) << i;
    EXPECT_TRUE(at::equal(got[i].v, wanted[i].v)) << i;
    EXPECT_TRUE(at::equal(got[i].ema, wanted[i].ema)) << i;
    EXPECT_TRUE(at::equal(got[i].weight, wanted[i].weight)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, DeviceAdamw, testing::Values(at::kFloat, at::kBFloat16, at::kHalf));

struct Sum {
  double total = 0;
  AdamwStep step;
};

// The sum of squares of some tensors, and the scale that follows, as a whole step on a GPU has it.
Sum sum_of(const std::vector<at::Tensor>& tensors, double clip_norm, device::Order order,
           float loss_scale = 1) {
  std::vector<double> partial(1000, NAN);
  SquareSumBatch batch{.element = device::Element::f32, .partial = partial.data()};
  std::int64_t blocks = 0;
  for (const at::Tensor& x : tensors) {
    batch.values[batch.count] = x.const_data_ptr();
    batch.counts[batch.count++] = x.numel();
    blocks += blocks_of(x.numel());
  }
  Sum sum{.total = NAN, .step = {.gradient_scale = -1, .loss_scale = loss_scale}};
  device::run_square_sum(batch, device::Emulator{order});
  device::run_gradient_scale({partial.data(), blocks, &sum.total, clip_norm, &sum.step},
                             device::Emulator{order});
  return sum;
}

TEST(DeviceSquareSum, AgreesWithDoubleArithmeticInAnyOrderOfThreads) {
  const std::vector<at::Tensor> tensors{drawn(5, 1), drawn(100003, 2) + 3, drawn(4096, 3)};
  double wanted = 0;
  for (const at::Tensor& x : tensors) wanted += x.to(at::kDouble).square().sum().item<double>();
  const Sum rising = sum_of(tensors, 0, device::Order::rising);
  EXPECT_NEAR(rising.total / wanted, 1, 1e-6);
  EXPECT_EQ(rising.total, sum_of(tensors, 0, device::Order::falling).total);
  EXPECT_EQ(rising.step.gradient_scale, 1);
}

TEST(DeviceGradientScale, ClipsToTheNorm) {
  const at::Tensor x = drawn(1000, 4);
  const double norm = std::sqrt(sum_of({x}, 0, device::Order::rising).total);
  EXPECT_EQ(sum_of({x}, 2 * norm, device::Order::rising).step.gradient_scale, 1);
  EXPECT_FLOAT_EQ(sum_of({x}, norm / 4, device::Order::rising).step.gradient_scale, 0.25f);
}

TEST(DeviceGradientScale, TakesBackTheLossScaleBeforeItClips) {
  const at::Tensor x = drawn(1000, 4);
  const double norm = std::sqrt(sum_of({x}, 0, device::Order::rising).total);
  const auto scale = [&](double clip_norm) {
    return sum_of({x * 1024}, clip_norm, device::Order::rising, 1024).step.gradient_scale;
  };
  EXPECT_EQ(scale(0), 1.0f / 1024);
  EXPECT_EQ(scale(2 * norm), 1.0f / 1024);
  EXPECT_FLOAT_EQ(scale(norm / 4), 0.25f / 1024);
}

TEST(DeviceAdamwStep, LeavesEverythingAloneWhereTheNormIsNotFinite) {
  at::Tensor gradient = drawn(1000, 5);
  gradient[500] = INFINITY;
  Sum sum = sum_of({gradient}, 1, device::Order::rising);
  EXPECT_TRUE(std::isnan(sum.step.gradient_scale));
  AdamwState state = fresh(1000, at::kFloat, 6);
  const at::Tensor before = state.master.clone();
  AdamwBatch batch{.element = device::Element::f32, .count = 1, .live = &sum.step};
  batch.tensors[0] = view(state, gradient);
  device::run_adamw(batch, device::Emulator{});
  EXPECT_TRUE(at::equal(state.master, before));
  EXPECT_TRUE(at::equal(state.weight, before));
}

}  // namespace
}  // namespace tinta::kernels
