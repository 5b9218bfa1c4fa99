#include "tinta/kernels/group_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/group_norm_cpu.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/random.h"

namespace tinta::kernels {
namespace {

struct Case {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> sizes;
  std::int64_t groups;
  Activation activation;
  bool with_shift;
  double scale;             // of x
  double offset;            // of x
  double tolerance;         // of every result, relative to its largest value
  bool own_affine = false;  // of each picture
};

// What GoogleTest prints for a case that fails.
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

struct Results {
  at::Tensor y, dx, dshift, dgamma, dbeta;
};

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return normal(sizes, {.seed = 1, .stream = Stream::test, .sample = 0, .step = step});
}

using Norm = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                            const at::Tensor&, const GroupNormOptions&);

// Inputs are rounded to the case's dtype first, so that both sides see the same numbers.
Results run(Norm norm, const Case& c, at::ScalarType dtype) {
  const auto make = [&](const at::Tensor& x) {
    return x.to(c.dtype).to(dtype).requires_grad_(true);
  };
  const std::int64_t channels = c.sizes[1];
  const at::Tensor x = make(drawn(c.sizes, 0) * c.scale + c.offset);
  const at::Tensor shift =
      c.with_shift ? make(drawn({c.sizes[0], channels}, 1) * c.scale) : at::Tensor();
  const auto affine = [&](std::uint32_t step) {
    return c.own_affine ? drawn({c.sizes[0], channels}, step) : drawn({1, channels}, step)[0];
  };
  const at::Tensor gamma = make(1 + 0.3 * affine(2));
  const at::Tensor beta = make(0.3 * affine(3));
  const at::Tensor dy = drawn(c.sizes, 4).to(c.dtype).to(dtype);
  const at::Tensor y =
      norm(x, shift, gamma, beta, {.groups = c.groups, .eps = 1e-5, .activation = c.activation});
  y.backward(dy);
  return {y.detach(), x.grad(), c.with_shift ? shift.grad() : at::Tensor(), gamma.grad(),
          beta.grad()};
}

class GroupNorm : public testing::TestWithParam<Case> {};

// The instruction sets that this processor has.
std::vector<Isa> isas() {
  std::vector<Isa> all = {Isa::portable, Isa::avx2, Isa::avx512_without_bf16, Isa::avx512};
  std::erase_if(all, [](Isa isa) { return isa > best_isa(); });
  return all;
}

TEST_P(GroupNorm, AgreesWithTheReferenceInDouble) {
  const Case& c = GetParam();
  const Results plain = run(group_norm_reference, c, at::kDouble);
  const auto expect_near = [&](const at::Tensor& got, const at::Tensor& wanted, const char* what) {
    if (!wanted.defined()) return;
    ASSERT_EQ(got.sizes(), wanted.sizes()) << what;
    if (wanted.numel() == 0) return;
    const double largest = std::max(wanted.abs().max().item<double>(), 1e-3);
    EXPECT_LT((got.to(at::kDouble) - wanted).abs().max().item<double>() / largest, c.tolerance)
        << what << ", " << to_string(active_isa());
  };
  for (const Isa isa : isas()) {
    force_isa(isa);
    const Results fused = run(group_norm, c, c.dtype);
    expect_near(fused.y, plain.y, "y");
    expect_near(fused.dx, plain.dx, "dx");
    expect_near(fused.dshift, plain.dshift, "dshift");
    expect_near(fused.dgamma, plain.dgamma, "dgamma");
    expect_near(fused.dbeta, plain.dbeta, "dbeta");
  }
  force_isa(best_isa());
}

constexpr auto kSilu = Activation::silu;
constexpr auto kNone = Activation::none;
INSTANTIATE_TEST_SUITE_P(
    Sizes, GroupNorm,
    testing::Values(
        Case{"Fp32", at::kFloat, {4, 64, 14, 14}, 32, kSilu, true, 1, 0, 1e-5},
        Case{"Fp32NoActivation", at::kFloat, {4, 64, 14, 14}, 32, kNone, false, 1, 0, 1e-5},
        Case{"Fp32OddSizes", at::kFloat, {3, 15, 7, 5}, 3, kSilu, true, 1, 0, 1e-5},
        Case{"Fp32OneChannelGroups", at::kFloat, {2, 6, 9, 3}, 6, kSilu, false, 1, 0, 1e-5},
        Case{"Fp32OneGroup", at::kFloat, {2, 6, 9, 3}, 1, kNone, true, 1, 0, 1e-5},
        Case{"Fp32LargeOffset", at::kFloat, {2, 32, 16, 16}, 8, kSilu, false, 1, 1000, 1e-3},
        Case{"Fp32LargePicture", at::kFloat, {1, 8, 200, 150}, 4, kSilu, true, 1, 3, 2e-5},
        Case{"Fp32ExtremeValues", at::kFloat, {2, 32, 8, 8}, 8, kSilu, true, 1e4, 0, 1e-4},
        Case{"Fp32Tiny", at::kFloat, {2, 32, 8, 8}, 8, kSilu, true, 1e-4, 0, 1e-4},
        Case{"Fp32OnePixel", at::kFloat, {3, 8, 1, 1}, 2, kSilu, true, 1, 0, 1e-4},
        Case{"Fp32EmptyBatch", at::kFloat, {0, 8, 4, 4}, 4, kSilu, true, 1, 0, 1e-5},
        Case{"Fp32OwnAffine", at::kFloat, {4, 64, 14, 14}, 32, kSilu, false, 1, 0, 1e-5, true},
        Case{"Fp32OwnAffineOddSizes", at::kFloat, {3, 15, 7, 5}, 3, kNone, true, 1, 0, 1e-5, true},
        Case{"Fp32OwnAffineEmpty", at::kFloat, {0, 8, 4, 4}, 4, kSilu, false, 1, 0, 1e-5, true},
        Case{"Bf16OwnAffine", at::kBFloat16, {4, 64, 14, 14}, 32, kSilu, false, 1, 0, 1e-2, true},
        Case{"Bf16", at::kBFloat16, {4, 64, 14, 14}, 32, kSilu, true, 1, 0, 1e-2},
        Case{"Bf16NoActivation", at::kBFloat16, {4, 64, 14, 14}, 32, kNone, false, 1, 0, 1e-2},
        Case{"Bf16OddSizes", at::kBFloat16, {3, 15, 7, 5}, 3, kSilu, true, 1, 0, 1e-2},
        Case{"Bf16OneChannelGroups", at::kBFloat16, {2, 6, 9, 3}, 6, kSilu, false, 1, 0, 1e-2},
        Case{"Bf16OnePixel", at::kBFloat16, {3, 8, 1, 1}, 2, kSilu, true, 1, 0, 1e-2},
        Case{"Bf16ExtremeValues", at::kBFloat16, {2, 32, 8, 8}, 8, kSilu, true, 1e4, 0, 1e-2},
        Case{"Bf16EmptyBatch", at::kBFloat16, {0, 8, 4, 4}, 4, kSilu, true, 1, 0, 1e-2},
        Case{"Bf16HugeBatch", at::kBFloat16, {5000, 16, 3, 3}, 4, kSilu, true, 1, 0, 2e-2},
        Case{"Fp32HugeBatch", at::kFloat, {5000, 16, 3, 3}, 4, kSilu, true, 1, 0, 1e-4},
        Case{"Bf16Offset", at::kBFloat16, {2, 32, 16, 16}, 8, kSilu, false, 1, 4, 1e-2}),
    [](const auto& instance) { return instance.param.name; });

struct BesideCase {
  at::ScalarType dtype;
  double tolerance;  // of the gradient, relative to its largest value
};
class GroupNormBeside : public testing::TestWithParam<BesideCase> {};

// Both uses of x, one of them, and the other.
TEST_P(GroupNormBeside, AddsTheGradientsOfBothUses) {
  const BesideCase& c = GetParam();
  const GroupNormOptions options{.groups = 4, .eps = 1e-5, .activation = kSilu};
  const at::Tensor start = drawn({3, 20, 7, 5}, 0).to(c.dtype);
  const at::Tensor on_y = drawn({3, 20, 7, 5}, 1).to(c.dtype);
  const at::Tensor on_x = drawn({3, 20, 7, 5}, 2).to(c.dtype);
  const at::Tensor gamma = drawn({1, 20}, 3)[0].to(c.dtype);
  for (const auto& [weight_y, weight_x] : {std::pair{1, 1}, {1, 0}, {0, 1}}) {
    const at::Tensor exact = start.to(at::kDouble).requires_grad_(true);
    const at::Tensor y =
        group_norm_reference(exact, {}, gamma.to(at::kDouble), gamma.to(at::kDouble), options);
    (weight_y * (y * on_y).sum() + weight_x * (exact * on_x).sum()).backward();
    for (const Isa isa : isas()) {
      force_isa(isa);
      const at::Tensor x = start.clone().requires_grad_(true);
      const NormedAndInput both = group_norm_beside(x, gamma, gamma, options);
      EXPECT_TRUE(at::equal(both.x, x));
      at::Tensor sum = at::zeros({}, at::kFloat);
      if (weight_y != 0) sum = sum + (both.y * on_y).sum().to(at::kFloat);
      if (weight_x != 0) sum = sum + (both.x * on_x).sum().to(at::kFloat);
      sum.backward();
      const double largest = exact.grad().abs().max().item<double>();
      EXPECT_LT((x.grad().to(at::kDouble) - exact.grad()).abs().max().item<double>() / largest,
                c.tolerance)
          << to_string(isa) << ' ' << weight_y << ' ' << weight_x;
    }
  }
  force_isa(best_isa());
}
INSTANTIATE_TEST_SUITE_P(Dtypes, GroupNormBeside,
                         testing::Values(BesideCase{at::kFloat, 1e-5},
                                         BesideCase{at::kBFloat16, 1e-2},
                                         BesideCase{at::kHalf, 1e-2}));

// Central differences on the reference in double: the derivative formulas themselves.
TEST(GroupNormReference, GradientsAgreeWithFiniteDifferences) {
  const GroupNormOptions options{.groups = 2, .eps = 1e-5, .activation = kSilu};
  const auto made = [](const at::Tensor& x) { return x.to(at::kDouble).requires_grad_(true); };
  const std::vector<at::Tensor> inputs = {made(drawn({2, 4, 3, 2}, 0)), made(drawn({2, 4}, 1)),
                                          made(drawn({1, 4}, 2)[0]), made(drawn({1, 4}, 3)[0])};
  const at::Tensor dy = drawn({2, 4, 3, 2}, 4).to(at::kDouble);
  const auto norm = [&](const std::vector<at::Tensor>& in) {
    return group_norm_reference(in[0], in[1], in[2], in[3], options);
  };
  norm(inputs).backward(dy);
  constexpr double kStep = 1e-5;
  const auto value = [&](std::size_t which, std::int64_t i, double step) {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> moved = inputs;
    moved[which] = inputs[which].detach().clone();
    moved[which].view(-1)[i] += step;
    return (norm(moved) * dy).sum().item<double>();
  };
  for (std::size_t which = 0; which < inputs.size(); ++which) {
    const at::Tensor flat = inputs[which].grad().flatten();
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      EXPECT_NEAR((value(which, i, kStep) - value(which, i, -kStep)) / (2 * kStep),
                  flat[i].item<double>(), 1e-8)
          << "input " << which;
    }
  }
}

// Squares beyond float's range: a network that diverges must not be hidden behind finite results.
TEST(GroupNormFused, ValuesWhoseSquaresOverflowGiveNoFiniteResult) {
  for (const Isa isa : isas()) {
    force_isa(isa);
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      const at::Tensor x = (drawn({2, 8, 4, 4}, 0) * 1e25).to(dtype);
      const at::Tensor y = group_norm(x, {}, at::ones({8}, dtype), at::ones({8}, dtype),
                                      {.groups = 2, .eps = 1e-5, .activation = kNone});
      EXPECT_FALSE(y.isfinite().any().item<bool>()) << to_string(isa) << " " << dtype;
    }
  }
  force_isa(best_isa());
}

TEST(GroupNormFused, IsBitwiseIndependentOfTheNumberOfThreads) {
  const Case c{"", at::kBFloat16, {7, 32, 9, 9}, 8, kSilu, true, 1, 0, 0};
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Results one = run(group_norm, c, c.dtype);
  at::set_num_threads(2);
  const Results two = run(group_norm, c, c.dtype);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one.y, two.y));
  EXPECT_TRUE(at::equal(one.dx, two.dx));
  EXPECT_TRUE(at::equal(one.dgamma, two.dgamma));
  EXPECT_TRUE(at::equal(one.dbeta, two.dbeta));
  EXPECT_TRUE(at::equal(one.dshift, two.dshift));
}

TEST(GroupNormFused, SigmoidStaysWithinItsStatedErrorOnEveryInstructionSet) {
  const at::Tensor x = at::linspace(-86, 100, 1 << 16, at::kFloat);
  const at::Tensor exact = at::sigmoid(x.to(at::kDouble));
  const at::Tensor bound = 4e-7 + 8e-8 * x.to(at::kDouble).abs();
  at::Tensor got = at::empty_like(x);
  for (const Isa isa : isas()) {
    force_isa(isa);
    group_norm_kernels().sigmoid_row(x.const_data_ptr<float>(), got.mutable_data_ptr<float>(),
                                     x.numel());
    const at::Tensor error = (got.to(at::kDouble) - exact).abs() / exact;
    EXPECT_TRUE((error < bound).all().item<bool>())
        << to_string(isa) << ": " << (error / bound).max().item<double>() << " of the bound";
  }
  force_isa(best_isa());
}

TEST(GroupNormFused, SigmoidAndRoundingTakeEveryFloatOnEveryInstructionSet) {
  const at::Tensor ends =
      at::tensor({-INFINITY, INFINITY, NAN, -1e30f, 1e30f, -200.0f, 200.0f, 0.0f, -0.0f, 3.3895e38f,
                  -89.0f, 89.0f, -126.0f, 126.0f, 1e-45f, 1.00390625f});
  const at::Tensor sigmoids = at::sigmoid(ends);
  const at::Tensor x = at::cat({drawn({1, 4080}, 9).flatten() * 1e3, ends});
  const at::Tensor rounded = x.to(at::kBFloat16).to(at::kFloat);
  at::Tensor got = at::empty_like(ends);
  at::Tensor halves = at::empty_like(x, at::kBFloat16);
  for (const Isa isa : isas()) {
    force_isa(isa);
    const GroupNormKernels& kernels = group_norm_kernels();
    kernels.sigmoid_row(ends.const_data_ptr<float>(), got.mutable_data_ptr<float>(), ends.numel());
    EXPECT_TRUE(at::allclose(got, sigmoids, 1e-5, 1e-37, /*equal_nan=*/true)) << to_string(isa);
    kernels.to_bf16_row(x.const_data_ptr<float>(),
                        static_cast<std::uint16_t*>(halves.mutable_data_ptr()), x.numel());
    EXPECT_TRUE(at::allclose(halves.to(at::kFloat), rounded, 0, 0, /*equal_nan=*/true))
        << to_string(isa);
  }
  force_isa(best_isa());
}

// Every sign, exponent and upper half of a float, and lower halves that round down, tie and round
// up.
TEST(GroupNormFused, TheProcessorRoundsToTheSameBitsWhereItRounds) {
  const GroupNormKernels& kernels = group_norm_kernels();
  if (kernels.to_hardware_bf16_row == nullptr || !has_bf16()) {
    GTEST_SKIP() << "this processor lacks AVX-512 BF16";
  }
  constexpr std::int64_t kHighs = 1 << 16;
  at::Tensor x = at::empty({kHighs});
  at::Tensor plain = at::empty({kHighs}, at::kShort);
  at::Tensor rounded = at::empty({kHighs}, at::kShort);
  for (const std::int32_t low : {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF}) {
    const at::Tensor words = at::arange(kHighs, at::kInt) * 65536 + low;
    x = words.view(at::kFloat).contiguous();
    kernels.to_bf16_row(x.const_data_ptr<float>(),
                        static_cast<std::uint16_t*>(plain.mutable_data_ptr()), kHighs);
    kernels.to_hardware_bf16_row(x.const_data_ptr<float>(),
                                 static_cast<std::uint16_t*>(rounded.mutable_data_ptr()), kHighs);
    const at::Tensor nan = x.isnan();
    const at::Tensor tiny = x.abs() < 0x1p-126f;
    EXPECT_TRUE((plain == rounded).logical_or(nan).logical_or(tiny).all().item<bool>()) << low;
    const at::Tensor values = rounded.view(at::kBFloat16).to(at::kFloat);
    EXPECT_TRUE(at::equal(values.isnan(), nan)) << low;
    EXPECT_TRUE((values == 0).logical_or(tiny.logical_not()).all().item<bool>()) << low;
  }
}

// Half precision has no fused kernel; as with other devices, the plain operations stand in.
TEST(GroupNormWithoutAKernel, KeepsItsStatisticsInFloat32) {
  const at::Tensor x = (drawn({2, 8, 6, 6}, 0) + 30).to(at::kHalf);
  const at::Tensor gamma = at::ones({8}, at::kHalf);
  const at::Tensor beta = at::zeros({8}, at::kHalf);
  const GroupNormOptions options{.groups = 2, .eps = 1e-5, .activation = kSilu};
  const at::Tensor got = group_norm(x, {}, gamma, beta, options);
  const at::Tensor wanted = group_norm_reference(x.to(at::kDouble), {}, gamma.to(at::kDouble),
                                                 beta.to(at::kDouble), options);
  EXPECT_EQ(got.scalar_type(), at::kHalf);
  EXPECT_LT((got.to(at::kDouble) - wanted).abs().max().item<double>(), 2e-3);  // half an ulp at 4
}

TEST(GroupNormFused, RefusesShapesThatDoNotFit) {
  const at::Tensor x = at::zeros({1, 6, 2, 2});
  const at::Tensor c6 = at::ones({6});
  EXPECT_THROW(group_norm(x, {}, c6, c6, {.groups = 4}), ArgumentError);
  EXPECT_THROW(group_norm(x, {}, at::ones({5}), c6, {.groups = 3}), ArgumentError);
  EXPECT_THROW(group_norm(x, at::ones({6}), c6, c6, {.groups = 3}), ArgumentError);
  EXPECT_THROW(group_norm(x, {}, at::ones({1, 6}), c6, {.groups = 3}), ArgumentError);
  EXPECT_THROW(group_norm(x, {}, at::ones({2, 6}), at::ones({2, 6}), {.groups = 3}), ArgumentError);
  EXPECT_THROW(group_norm(x.to(at::kDouble), {}, c6, c6, {.groups = 3}), ArgumentError);
  EXPECT_THROW(group_norm(x.to(at::kLong), {}, c6, c6, {.groups = 3}), ArgumentError);
}

}  // namespace
}  // namespace tinta::kernels
