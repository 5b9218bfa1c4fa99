#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "tinta/kernels/device_emulation.h"
#include "tinta/kernels/group_norm.h"
#include "tinta/kernels/random.h"

// The GPU's programs of group_norm.h, run on the CPU: see device_emulation.h.

namespace tinta::kernels {
namespace {

struct Case {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> sizes;
  std::int64_t groups;
  Activation activation;
  bool with_shift;
  double offset;            // of x
  double tolerance;         // of every result, relative to its largest value
  bool own_affine = false;  // of each picture
  bool with_plus = false;   // a gradient that dx is added to
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

struct Inputs {
  at::Tensor x, shift, gamma, beta, dy, plus;
};
struct Results {
  at::Tensor y, dx, dshift, dgamma, dbeta;
};

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return normal(sizes, {.seed = 1, .stream = Stream::test, .step = step});
}

Inputs inputs_of(const Case& c) {
  const std::int64_t channels = c.sizes[1];
  const auto last = at::MemoryFormat::ChannelsLast;
  const auto affine = [&](std::uint32_t step) {
    return c.own_affine ? drawn({c.sizes[0], channels}, step) : drawn({1, channels}, step)[0];
  };
  return {(drawn(c.sizes, 0) + c.offset).to(c.dtype).contiguous(last),
          c.with_shift ? drawn({c.sizes[0], channels}, 1).to(c.dtype) : at::Tensor(),
          (1 + 0.3 * affine(2)).to(c.dtype),
          (0.3 * affine(3)).to(c.dtype),
          drawn(c.sizes, 4).to(c.dtype).contiguous(last),
          c.with_plus ? drawn(c.sizes, 5).to(c.dtype).contiguous(last) : at::Tensor()};
}

device::Element element_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return device::Element::f32;
  return dtype == at::kHalf ? device::Element::f16 : device::Element::bf16;
}

Results emulated(const Case& c, const Inputs& in, device::Order order) {
  const std::int64_t batch = c.sizes[0];
  const std::int64_t channels = c.sizes[1];
  at::Tensor mean = at::full({batch, c.groups}, NAN);
  at::Tensor rstd = at::full({batch, c.groups}, NAN);
  GroupNormBatch b{.element = element_of(c.dtype),
                   .batch = batch,
                   .positions = c.sizes[2] * c.sizes[3],
                   .channels = channels,
                   .options = {c.groups, 1e-5, c.activation},
                   .x = in.x.const_data_ptr(),
                   .shift = c.with_shift ? in.shift.const_data_ptr() : nullptr,
                   .gamma = in.gamma.const_data_ptr(),
                   .beta = in.beta.const_data_ptr(),
                   .own_affine = c.own_affine,
                   .mean = mean.mutable_data_ptr<float>(),
                   .rstd = rstd.mutable_data_ptr<float>()};
  // One value beyond the workspace, to see that it is left alone.
  const std::int64_t length = device::norm_workspace(b);
  at::Tensor workspace = at::full({length + 1}, NAN);
  b.workspace = workspace.mutable_data_ptr<float>();
  const at::Tensor nan = at::full_like(in.gamma, NAN);
  Results out{at::full_like(in.x, NAN), at::full_like(in.x, NAN),
              c.with_shift ? at::full_like(in.shift, NAN) : at::Tensor(), nan.clone(), nan.clone()};
  device::run_group_norm_forward(b, out.y.mutable_data_ptr(), device::Emulator{order});
  workspace.slice(0, 0, length).fill_(NAN);
  device::run_group_norm_backward(b,
                                  {.dy = in.dy.const_data_ptr(),
                                   .plus = c.with_plus ? in.plus.const_data_ptr() : nullptr,
                                   .dx = out.dx.mutable_data_ptr(),
                                   .dshift = c.with_shift ? out.dshift.mutable_data_ptr() : nullptr,
                                   .dgamma = out.dgamma.mutable_data_ptr(),
                                   .dbeta = out.dbeta.mutable_data_ptr()},
                                  device::Emulator{order});
  EXPECT_TRUE(std::isnan(workspace[length].item<float>()));
  return out;
}

Results reference(const Case& c, const Inputs& in) {
  const auto make = [&](const at::Tensor& x) {
    return x.defined() ? x.to(at::kDouble).contiguous().requires_grad_(true) : x;
  };
  const at::Tensor x = make(in.x);
  const at::Tensor shift = make(in.shift);
  const at::Tensor gamma = make(in.gamma);
  const at::Tensor beta = make(in.beta);
  const at::Tensor y = group_norm_reference(x, shift, gamma, beta, {c.groups, 1e-5, c.activation});
  y.backward(in.dy.to(at::kDouble));
  const at::Tensor dx = c.with_plus ? x.grad() + in.plus.to(at::kDouble) : x.grad();
  return {y.detach(), dx, c.with_shift ? shift.grad() : at::Tensor(), gamma.grad(), beta.grad()};
}

class DeviceGroupNorm : public testing::TestWithParam<Case> {};

TEST_P(DeviceGroupNorm, AgreesWithTheReferenceInDouble) {
  const Case& c = GetParam();
  const Inputs in = inputs_of(c);
  const Results got = emulated(c, in, device::Order::rising);
  const Results wanted = reference(c, in);
  const auto expect_near = [&](const at::Tensor& a, const at::Tensor& b, const char* what) {
    if (!b.defined()) return;
    const double largest = std::max(b.abs().max().item<double>(), 1e-3);
    EXPECT_LT((a.to(at::kDouble) - b).abs().max().item<double>() / largest, c.tolerance) << what;
  };
  expect_near(got.y, wanted.y, "y");
  expect_near(got.dx, wanted.dx, "dx");
  expect_near(got.dshift, wanted.dshift, "dshift");
  expect_near(got.dgamma, wanted.dgamma, "dgamma");
  expect_near(got.dbeta, wanted.dbeta, "dbeta");
}

// A race would show as a result that depends on which thread runs first.
TEST_P(DeviceGroupNorm, DoesNotDependOnTheOrderOfThreads) {
  const Case& c = GetParam();
  const Inputs in = inputs_of(c);
  const Results rising = emulated(c, in, device::Order::rising);
  const Results falling = emulated(c, in, device::Order::falling);
  EXPECT_TRUE(at::equal(rising.y, falling.y));
  EXPECT_TRUE(at::equal(rising.dx, falling.dx));
  EXPECT_TRUE(at::equal(rising.dgamma, falling.dgamma));
  EXPECT_TRUE(at::equal(rising.dbeta, falling.dbeta));
  if (c.with_shift) {
    EXPECT_TRUE(at::equal(rising.dshift, falling.dshift));
  }
}

constexpr auto kSilu = Activation::silu;
constexpr auto kNone = Activation::none;
INSTANTIATE_TEST_SUITE_P(
    Sizes, DeviceGroupNorm,
    testing::Values(
        Case{"Fp32", at::kFloat, {4, 64, 14, 14}, 32, kSilu, true, 0, 1e-5},
        Case{"Fp32NoActivation", at::kFloat, {2, 64, 14, 14}, 32, kNone, false, 0, 1e-5},
        Case{"Fp32OddSizes", at::kFloat, {3, 15, 7, 5}, 3, kSilu, true, 0, 1e-5},
        Case{"Fp32SeveralTiles", at::kFloat, {2, 204, 3, 3}, 3, kSilu, true, 0, 1e-5},
        Case{"Fp32OddTiles", at::kFloat, {2, 37, 3, 3}, 1, kSilu, true, 0, 1e-5},
        Case{"Fp32OneChannelGroups", at::kFloat, {2, 6, 9, 3}, 6, kSilu, false, 0, 1e-5},
        Case{"Fp32OneGroup", at::kFloat, {2, 80, 9, 3}, 1, kNone, true, 0, 1e-5},
        Case{"Fp32LargeOffset", at::kFloat, {2, 32, 16, 16}, 8, kSilu, false, 1000, 1e-3},
        Case{"Fp32SeveralChunks", at::kFloat, {1, 8, 60, 50}, 4, kSilu, true, 3, 2e-5},
        Case{"Fp32OnePixel", at::kFloat, {3, 8, 1, 1}, 2, kSilu, true, 0, 1e-4},
        Case{"Fp32OwnAffine", at::kFloat, {4, 64, 14, 14}, 32, kSilu, false, 0, 1e-5, true},
        Case{"Fp32OwnAffineOddSizes", at::kFloat, {3, 15, 7, 5}, 3, kNone, true, 0, 1e-5, true},
        Case{"Fp32Plus", at::kFloat, {3, 64, 14, 14}, 32, kSilu, false, 0, 1e-5, false, true},
        Case{
            "Bf16PlusOddSizes", at::kBFloat16, {3, 15, 7, 5}, 3, kSilu, true, 0, 1e-2, false, true},
        Case{"Bf16OwnAffine", at::kBFloat16, {4, 64, 14, 14}, 32, kSilu, false, 0, 1e-2, true},
        Case{"Bf16", at::kBFloat16, {4, 64, 14, 14}, 32, kSilu, true, 0, 1e-2},
        Case{"Bf16OddSizes", at::kBFloat16, {3, 15, 7, 5}, 3, kSilu, true, 0, 1e-2},
        Case{"Fp16", at::kHalf, {4, 64, 14, 14}, 32, kSilu, true, 0, 2e-3},
        Case{"Fp16OddSizes", at::kHalf, {3, 15, 7, 5}, 3, kSilu, true, 0, 2e-3}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace tinta::kernels
