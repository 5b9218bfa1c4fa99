#include "tinta/kernels/upsampled_convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/random.h"

namespace tinta::kernels {
namespace {

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return normal(sizes, {.seed = 3, .stream = Stream::test, .sample = 0, .step = step});
}

// Small integers, whose sums of products no float rounds.
at::Tensor integers(at::IntArrayRef sizes, std::uint32_t step) {
  return drawn(sizes, step).round().clamp(-2, 2);
}

using Convolution = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&);

struct Results {
  at::Tensor y, x, weight, bias;  // y and the gradients
};

struct Inputs {
  at::Tensor x, weight, bias, dy;
};

Inputs inputs_of(at::IntArrayRef sizes, std::int64_t out,
                 at::Tensor (*make)(at::IntArrayRef, std::uint32_t)) {
  return {make(sizes, 0), make({out, sizes[1], 3, 3}, 1), make({1, out}, 2)[0],
          make({sizes[0], out, 2 * sizes[2], 2 * sizes[3]}, 3)};
}

// Rounded to `seen` first, so that every form sees the same numbers.
Results run(Convolution convolution, const Inputs& given, at::ScalarType seen,
            at::ScalarType dtype) {
  const auto made = [&](const at::Tensor& t) {
    return t.to(seen).to(dtype).contiguous(t.dim() == 4 ? at::MemoryFormat::ChannelsLast
                                                        : at::MemoryFormat::Contiguous);
  };
  const auto leaf = [&](const at::Tensor& t) { return made(t).clone().requires_grad_(true); };
  const at::Tensor x = leaf(given.x);
  const at::Tensor weight = leaf(given.weight);
  const at::Tensor bias = leaf(given.bias);
  const at::Tensor y = convolution(x, weight, bias);
  y.backward(made(given.dy));
  return {y.detach(), x.grad(), weight.grad(), bias.grad()};
}

double error_of(const at::Tensor& got, const at::Tensor& wanted) {
  EXPECT_EQ(got.sizes(), wanted.sizes());
  if (wanted.numel() == 0) return 0;
  const double largest = std::max(wanted.abs().max().item<double>(), 1e-30);
  return (got.to(at::kDouble) - wanted).abs().max().item<double>() / largest;
}

struct Case {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> sizes;  // of x
  std::int64_t out;
  double scale;
  double tolerance;  // relative to the largest value of each result
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

class ConvolutionByPhases : public testing::TestWithParam<Case> {};

TEST_P(ConvolutionByPhases, AgreesWithTheReferenceInDouble) {
  const Case& c = GetParam();
  Inputs given = inputs_of(c.sizes, c.out, drawn);
  given.x = given.x * c.scale;
  const Results wanted = run(upsampled_convolution_reference, given, c.dtype, at::kDouble);
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa()) continue;
    force_isa(isa);
    const Results got = run(convolution_by_phases, given, c.dtype, c.dtype);
    EXPECT_LT(error_of(got.y, wanted.y), c.tolerance) << to_string(isa);
    EXPECT_LT(error_of(got.x, wanted.x), c.tolerance) << to_string(isa);
    EXPECT_LT(error_of(got.weight, wanted.weight), c.tolerance) << to_string(isa);
    EXPECT_LT(error_of(got.bias, wanted.bias), c.tolerance) << to_string(isa);
  }
  force_isa(best_isa());
}

// bfloat16: a sum of weights is off by 2^-8 at most, and so is a result.
INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvolutionByPhases,
    testing::Values(Case{"Fp32", at::kFloat, {3, 32, 8, 8}, 16, 1, 1e-5},
                    Case{"Fp32OddSizes", at::kFloat, {2, 5, 3, 7}, 3, 1, 1e-5},
                    Case{"Fp32OneChannel", at::kFloat, {2, 1, 4, 5}, 1, 1, 1e-5},
                    Case{"Fp32OneInput", at::kFloat, {3, 1, 5, 3}, 7, 1, 1e-5},
                    Case{"Fp32OneOutput", at::kFloat, {3, 7, 3, 5}, 1, 1, 1e-5},
                    Case{"Fp32OneOfEach", at::kFloat, {1, 1, 1, 1}, 1, 1, 1e-5},
                    Case{"Fp32OnePixel", at::kFloat, {4, 16, 1, 1}, 8, 1, 1e-5},
                    Case{"Fp32OneRow", at::kFloat, {2, 33, 1, 9}, 8, 1, 1e-5},
                    Case{"Fp32Large", at::kFloat, {40, 16, 9, 9}, 16, 1, 1e-5},
                    Case{"Fp32ExtremeValues", at::kFloat, {2, 16, 5, 5}, 8, 1e30, 1e-5},
                    Case{"Fp32Tiny", at::kFloat, {2, 16, 5, 5}, 8, 1e-30, 1e-5},
                    Case{"Fp32Empty", at::kFloat, {0, 8, 4, 4}, 8, 1, 1e-5},
                    Case{"Fp32EmptyOneChannel", at::kFloat, {0, 1, 3, 5}, 1, 1, 1e-5},
                    Case{"Fp32HugeBatch", at::kFloat, {5000, 3, 2, 2}, 2, 1, 1e-5},
                    Case{"Bf16", at::kBFloat16, {3, 32, 8, 8}, 16, 1, 1e-2},
                    Case{"Bf16OddSizes", at::kBFloat16, {2, 5, 3, 7}, 3, 1, 1e-2},
                    Case{"Bf16OneChannel", at::kBFloat16, {2, 1, 4, 5}, 1, 1, 1e-2},
                    Case{"Bf16OneInput", at::kBFloat16, {3, 1, 5, 3}, 7, 1, 1e-2},
                    Case{"Bf16OneOutput", at::kBFloat16, {3, 7, 3, 5}, 1, 1, 1e-2},
                    Case{"Bf16OneOfEach", at::kBFloat16, {1, 1, 1, 1}, 1, 1, 1e-2},
                    Case{"Bf16OnePixel", at::kBFloat16, {4, 16, 1, 1}, 8, 1, 1e-2},
                    Case{"Bf16OneRow", at::kBFloat16, {2, 33, 1, 9}, 8, 1, 1e-2},
                    Case{"Bf16ExtremeValues", at::kBFloat16, {2, 16, 5, 5}, 8, 1e30, 1e-2},
                    Case{"Bf16Empty", at::kBFloat16, {0, 8, 4, 4}, 8, 1, 1e-2},
                    Case{"Bf16EmptyOneChannel", at::kBFloat16, {0, 1, 3, 5}, 1, 1, 1e-2},
                    Case{"Bf16HugeBatch", at::kBFloat16, {5000, 3, 2, 2}, 2, 1, 1e-2}),
    [](const auto& instance) { return instance.param.name; });

// No rounding hides a wrong tap: every sum is an integer that the dtype holds.
TEST(ConvolutionByPhases, IsThePlainFormExactlyWhereNothingIsRounded) {
  const Inputs given = inputs_of({2, 3, 5, 4}, 2, integers);
  const Results wanted = run(upsampled_convolution_reference, given, at::kFloat, at::kDouble);
  const Results got = run(convolution_by_phases, given, at::kFloat, at::kFloat);
  EXPECT_TRUE(at::equal(got.y.to(at::kDouble), wanted.y));
  EXPECT_TRUE(at::equal(got.x.to(at::kDouble), wanted.x));
  EXPECT_TRUE(at::equal(got.weight.to(at::kDouble), wanted.weight));
  EXPECT_TRUE(at::equal(got.bias.to(at::kDouble), wanted.bias));
}

// Root mean square errors against double on the same bfloat16 numbers: rounding the sums of weights
// adds to the rounding of results (2^-8 of each at most), no more than by as much again.
TEST(ConvolutionByPhases, RoundsLittleMoreThanThePlainFormInBf16) {
  const Inputs given = inputs_of({4, 64, 8, 8}, 32, drawn);
  const Results exact = run(upsampled_convolution_reference, given, at::kBFloat16, at::kDouble);
  const Results plain = run(upsampled_convolution_reference, given, at::kBFloat16, at::kBFloat16);
  const Results phases = run(convolution_by_phases, given, at::kBFloat16, at::kBFloat16);
  const auto off = [](const at::Tensor& got, const at::Tensor& wanted) {
    return (got.to(at::kDouble) - wanted).square().mean().sqrt().item<double>();
  };
  EXPECT_LT(off(phases.y, exact.y), 2 * off(plain.y, exact.y));
  EXPECT_LT(off(phases.x, exact.x), 2 * off(plain.x, exact.x));
  EXPECT_LT(off(phases.weight, exact.weight), 2.5 * off(plain.weight, exact.weight));
}

TEST(ConvolutionByPhases, SumsWeightsToTheSameBitsOnEveryInstructionSet) {
  const Inputs given = inputs_of({1, 37, 2, 2}, 5, drawn);
  std::vector<Results> all;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa()) continue;
    force_isa(isa);
    all.push_back(run(convolution_by_phases, given, at::kBFloat16, at::kBFloat16));
  }
  force_isa(best_isa());
  for (const Results& other : all) {
    EXPECT_TRUE(at::equal(all.front().y, other.y));
    EXPECT_TRUE(at::equal(all.front().weight, other.weight));
  }
}

// The gradient of a penalty on a gradient: both linear maps are differentiated again.
TEST(ConvolutionByPhases, IsDifferentiableTwice) {
  const Inputs given = inputs_of({2, 4, 3, 3}, 3, drawn);
  const auto second = [&](Convolution convolution, at::ScalarType dtype) {
    const at::Tensor x = given.x.to(dtype).requires_grad_(true);
    const at::Tensor weight = given.weight.to(dtype).requires_grad_(true);
    const at::Tensor y = convolution(x, weight, given.bias.to(dtype)).square().sum();
    const at::Tensor dx = torch::autograd::grad({y}, {x}, {}, true, true).front();
    return torch::autograd::grad({dx.square().sum()}, {weight}).front();
  };
  EXPECT_LT(error_of(second(convolution_by_phases, at::kFloat),
                     second(upsampled_convolution_reference, at::kDouble)),
            1e-5);
}

TEST(UpsampledConvolutionReference, GradientsAgreeWithFiniteDifferences) {
  Inputs given = inputs_of({1, 2, 3, 2}, 2, drawn);
  const Results got = run(upsampled_convolution_reference, given, at::kDouble, at::kDouble);
  const auto value = [&] {
    return (upsampled_convolution_reference(given.x, given.weight, given.bias) * given.dy)
        .sum()
        .item<double>();
  };
  for (at::Tensor* each : {&given.x, &given.weight, &given.bias, &given.dy}) {
    *each = each->to(at::kDouble);
  }
  constexpr double kStep = 1e-4;  // the value is linear in each: only rounding counts
  const auto expect_differences = [&](const at::Tensor& at, const at::Tensor& gradient) {
    const at::Tensor flat = gradient.contiguous().view(-1);
    for (std::int64_t i = 0; i < at.numel(); ++i) {
      at::Tensor place = at.view(-1)[i];
      place += kStep;
      const double up = value();
      place -= 2 * kStep;
      const double down = value();
      place += kStep;
      EXPECT_NEAR((up - down) / (2 * kStep), flat[i].item<double>(), 1e-8);
    }
  };
  expect_differences(given.x, got.x);
  expect_differences(given.weight, got.weight);
  expect_differences(given.bias, got.bias);
}

TEST(ConvolutionByPhases, JoinsAndSumsTheSameBitsOnAnyNumberOfThreads) {
  const Inputs given = inputs_of({5, 32, 6, 6}, 48, integers);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Results one = run(convolution_by_phases, given, at::kFloat, at::kFloat);
  at::set_num_threads(3);
  const Results three = run(convolution_by_phases, given, at::kFloat, at::kFloat);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one.y, three.y));
  EXPECT_TRUE(at::equal(one.x, three.x));
  EXPECT_TRUE(at::equal(one.weight, three.weight));
}

TEST(UpsampledConvolution, TakesThePhasesWhereTheyPay) {
  EXPECT_TRUE(has_phases(at::zeros({32, 1, 4, 4})));
  EXPECT_TRUE(has_phases(at::zeros({2, 1, 16, 16}, at::kBFloat16)));
  EXPECT_FALSE(has_phases(at::zeros({1, 1, 16, 16})));
  EXPECT_FALSE(has_phases(at::zeros({512, 1, 2, 2})));
  EXPECT_FALSE(has_phases(at::zeros({32, 1, 4, 4}, at::kDouble)));
}

TEST(UpsampledConvolution, RefusesShapesThatDoNotFit) {
  const at::Tensor x = at::zeros({1, 4, 2, 2});
  const at::Tensor weight = at::zeros({3, 4, 3, 3});
  const at::Tensor bias = at::zeros({3});
  EXPECT_THROW(upsampled_convolution(x[0], weight, bias), ArgumentError);
  EXPECT_THROW(upsampled_convolution(x, at::zeros({3, 5, 3, 3}), bias), ArgumentError);
  EXPECT_THROW(upsampled_convolution(x, at::zeros({3, 4, 1, 1}), bias), ArgumentError);
  EXPECT_THROW(upsampled_convolution(x, weight, at::zeros({4})), ArgumentError);
  EXPECT_THROW(upsampled_convolution(x, weight.to(at::kDouble), bias), ArgumentError);
  EXPECT_THROW(
      convolution_by_phases(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble)),
      ArgumentError);
}

}  // namespace
}  // namespace tinta::kernels
