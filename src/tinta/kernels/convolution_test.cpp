#include "tinta/kernels/convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/isa_testing.h"
#include "tinta/kernels/random.h"

namespace tinta::kernels {
namespace {

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return normal(sizes, {.seed = 2, .stream = Stream::test, .sample = 0, .step = step});
}

struct Case {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> sizes;  // of x
  std::int64_t out;
  std::int64_t kernel;
  double tolerance;  // relative to the largest value of a gradient
};

struct IsaCase {
  Isa isa;
  Case shape;
};
std::ostream& operator<<(std::ostream& out, const IsaCase& c) {
  return out << to_string(c.isa) << " " << c.shape.name;
}

double error_of(const at::Tensor& got, const at::Tensor& wanted) {
  EXPECT_EQ(got.sizes(), wanted.sizes());
  if (wanted.numel() == 0) return 0;
  const double largest = std::max(wanted.abs().max().item<double>(), 1e-30);
  return (got.to(at::kDouble) - wanted).abs().max().item<double>() / largest;
}

using WeightGradientOf = OnIsa<IsaCase>;

// The reference is LibTorch's convolution in double, on the same numbers.
TEST_P(WeightGradientOf, AgreesWithTheReferenceInDouble) {
  const Case& c = GetParam().shape;
  if (c.dtype == at::kBFloat16 && !has_bf16()) {
    GTEST_SKIP() << "this processor lacks AVX-512 BF16";
  }
  const at::Tensor x = drawn(c.sizes, 0).to(c.dtype);
  const at::Tensor dy = drawn({c.sizes[0], c.out, c.sizes[2], c.sizes[3]}, 1).to(c.dtype);
  ASSERT_TRUE(can_take(x, c.out, c.kernel, c.kernel / 2));
  const ConvolutionGradients got = weight_gradient(x, dy, c.kernel, c.kernel / 2);
  EXPECT_TRUE(got.weight.is_contiguous(at::MemoryFormat::ChannelsLast));

  const at::Tensor weight =
      at::zeros({c.out, c.sizes[1], c.kernel, c.kernel}, at::kDouble).requires_grad_(true);
  const at::Tensor bias = at::zeros({c.out}, at::kDouble).requires_grad_(true);
  at::conv2d(x.to(at::kDouble), weight, bias, 1, c.kernel / 2).backward(dy.to(at::kDouble));
  EXPECT_LT(error_of(got.weight, weight.grad()), c.tolerance);
  EXPECT_LT(error_of(got.bias, bias.grad()), c.tolerance);
}

// Sums of products: errors grow with the root of their number, 1e-7 each in float; a result in
// bfloat16 is rounded to 2^-9.
std::vector<IsaCase> cases() {
  const std::vector<Case> shapes = {
      {"Plain", at::kFloat, {3, 32, 8, 8}, 16, 3, 1e-5},
      {"OddSizes", at::kFloat, {2, 64, 5, 7}, 8, 3, 1e-5},
      {"OnePixel", at::kFloat, {4, 32, 1, 1}, 8, 3, 1e-5},
      {"OneRow", at::kFloat, {2, 32, 1, 9}, 8, 3, 1e-5},
      {"Bands", at::kFloat, {1, 32, 40, 33}, 8, 3, 1e-5},
      {"ManyPictures", at::kFloat, {67, 32, 3, 3}, 24, 3, 1e-5},
      {"Pointwise", at::kFloat, {3, 64, 6, 6}, 16, 1, 1e-5},
      {"Empty", at::kFloat, {0, 32, 8, 8}, 8, 3, 1e-5},
      {"EmptyPointwise", at::kFloat, {0, 32, 5, 7}, 8, 1, 1e-5},
      {"HugeBatch", at::kFloat, {5000, 32, 2, 2}, 8, 3, 1e-5},
      {"Bf16", at::kBFloat16, {3, 32, 8, 8}, 16, 3, 4e-3},
      {"Bf16OddSizes", at::kBFloat16, {2, 64, 5, 7}, 8, 3, 4e-3},
      {"Bf16OnePixel", at::kBFloat16, {4, 32, 1, 1}, 8, 3, 4e-3},
      {"Bf16OneRow", at::kBFloat16, {2, 32, 1, 9}, 8, 3, 4e-3},
      {"Bf16Bands", at::kBFloat16, {1, 32, 70, 33}, 8, 3, 4e-3},
      {"Bf16ManyPictures", at::kBFloat16, {67, 32, 3, 3}, 24, 3, 4e-3},
      {"Bf16Pointwise", at::kBFloat16, {3, 64, 6, 6}, 16, 1, 4e-3},
      {"Bf16Empty", at::kBFloat16, {0, 32, 8, 8}, 8, 3, 4e-3},
      {"Bf16EmptyPointwise", at::kBFloat16, {0, 32, 5, 7}, 8, 1, 4e-3},
      {"Bf16HugeBatch", at::kBFloat16, {5000, 32, 2, 2}, 8, 3, 4e-3}};
  std::vector<IsaCase> all;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512_without_amx}) {
    for (const Case& shape : shapes) {
      if (shape.dtype == at::kFloat || isa == Isa::avx512_without_amx) all.push_back({isa, shape});
    }
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Shapes, WeightGradientOf, testing::ValuesIn(cases()),
                         [](const auto& given) {
                           return to_string(given.param.isa) + given.param.shape.name;
                         });

using WithoutBf16 = OnIsa<Isa>;

// What a processor does that lacks the instructions: float32 as ever, bfloat16 by LibTorch.
TEST_P(WithoutBf16, HasNoWeightGradientOfItsOwnInBf16) {
  const at::Tensor x = drawn({2, 64, 6, 6}, 18);
  const at::Tensor dy = drawn({2, 8, 6, 6}, 19);
  EXPECT_TRUE(can_take(x, 8, 3, 1));
  EXPECT_FALSE(can_take(x.to(at::kBFloat16), 8, 3, 1));
  EXPECT_FALSE(has_own_weight_gradient(x.to(at::kBFloat16), at::zeros({8, 64, 3, 3}), 1));
  EXPECT_THROW(weight_gradient(x.to(at::kBFloat16), dy.to(at::kBFloat16), 3, 1), ArgumentError);
}
INSTANTIATE_TEST_SUITE_P(Isas, WithoutBf16,
                         testing::Values(Isa::portable, Isa::avx2, Isa::avx512_without_bf16),
                         isa_name);

TEST(ForcedIsa, WithoutBf16IsAvx512ButForItsBfloat16) {
  if (best_isa() < Isa::avx512) GTEST_SKIP() << "this processor lacks AVX-512";
  const bool processor = has_bf16();
  const at::Tensor x = drawn({3, 32, 8, 8}, 20);
  const at::Tensor dy = drawn({3, 16, 8, 8}, 21);
  const ConvolutionGradients whole = weight_gradient(x, dy, 3, 1);
  {
    const ForcedIsa forced(Isa::avx512_without_bf16);
    EXPECT_FALSE(has_bf16());
    EXPECT_EQ(best_isa(), Isa::avx512);
    EXPECT_TRUE(at::equal(weight_gradient(x, dy, 3, 1).weight, whole.weight));
  }
  EXPECT_EQ(has_bf16(), processor);
}

struct KernelCase {
  Isa isa;
  at::ScalarType dtype;
};

/// Each kernel that weight_gradient() may take for 32 channels: the last one's is AMX's where there
/// is that.
class WeightGradientOn : public OnIsa<KernelCase> {
 protected:
  void SetUp() override {
    OnIsa<KernelCase>::SetUp();
    if (!IsSkipped() && GetParam().dtype == at::kBFloat16 && !has_bf16()) {
      GTEST_SKIP() << "this processor lacks AVX-512 BF16";
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Kernels, WeightGradientOn,
                         testing::Values(KernelCase{Isa::portable, at::kFloat},
                                         KernelCase{Isa::avx2, at::kFloat},
                                         KernelCase{Isa::avx512_without_amx, at::kFloat},
                                         KernelCase{Isa::avx512_without_amx, at::kBFloat16},
                                         KernelCase{Isa::avx512, at::kBFloat16}),
                         [](const auto& given) {
                           return to_string(given.param.isa) + c10::toString(given.param.dtype);
                         });

TEST_P(WeightGradientOn, DoesNotDependOnTheNumberOfThreads) {
  const at::Tensor x = drawn({20, 32, 9, 9}, 2).to(GetParam().dtype);
  const at::Tensor dy = drawn({20, 64, 9, 9}, 3).to(GetParam().dtype);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const ConvolutionGradients one = weight_gradient(x, dy, 3, 1);
  at::set_num_threads(3);
  const ConvolutionGradients three = weight_gradient(x, dy, 3, 1);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one.weight, three.weight));
  EXPECT_TRUE(at::equal(one.bias, three.bias));
}

TEST_P(WeightGradientOn, KeepsNotANumberAndLargeValuesWhereTheyBelong) {
  const at::Tensor x = drawn({3, 32, 6, 6}, 4).to(GetParam().dtype);
  at::Tensor dy = (drawn({3, 32, 6, 6}, 5) * 1e15).to(GetParam().dtype);
  dy[1][3][2][2] = std::numeric_limits<float>::quiet_NaN();
  const ConvolutionGradients got = weight_gradient(x, dy, 3, 1);
  EXPECT_TRUE(got.weight[3].isnan().all().item<bool>());
  EXPECT_TRUE(got.bias[3].isnan().item<bool>());
  EXPECT_TRUE(got.weight.slice(0, 0, 3).isfinite().all().item<bool>());
  EXPECT_TRUE(got.weight.slice(0, 4).isfinite().all().item<bool>());
}

TEST(WeightGradient, RefusesWhatItCannotTake) {
  const at::Tensor x = drawn({2, 32, 6, 6}, 6);
  EXPECT_THROW(weight_gradient(x, drawn({2, 12, 6, 6}, 7), 3, 1), ArgumentError);
  EXPECT_THROW(weight_gradient(x, drawn({2, 8, 6, 6}, 7), 5, 2), ArgumentError);
  EXPECT_THROW(weight_gradient(x, drawn({2, 8, 5, 6}, 7), 3, 1), ArgumentError);
  EXPECT_THROW(weight_gradient(drawn({2, 3, 6, 6}, 6), drawn({2, 8, 6, 6}, 7), 3, 1),
               ArgumentError);
  EXPECT_THROW(weight_gradient(x.to(at::kDouble), drawn({2, 8, 6, 6}, 7).to(at::kDouble), 3, 1),
               ArgumentError);
}

struct Gradients {
  at::Tensor y, dx, weight, bias;
};

template <class Convolve>
Gradients gradients_of(const Convolve& convolve, const at::Tensor& x, const at::Tensor& weight,
                       const at::Tensor& bias, const at::Tensor& dy) {
  const at::Tensor leaf_x = x.clone().requires_grad_(true);
  const at::Tensor leaf_weight = weight.clone().requires_grad_(true);
  const at::Tensor leaf_bias = bias.clone().requires_grad_(true);
  const at::Tensor y = convolve(leaf_x, leaf_weight, leaf_bias);
  y.backward(dy);
  return {y.detach(), leaf_x.grad(), leaf_weight.grad(), leaf_bias.grad()};
}

struct WholeCase {
  Isa isa;
  at::ScalarType dtype;
  std::int64_t pictures;
  double tolerance;  // relative to the largest value of each result
};
std::ostream& operator<<(std::ostream& out, const WholeCase& c) {
  return out << to_string(c.isa) << " " << c.dtype << " " << c.pictures;
}

using ConvolutionOn = OnIsa<WholeCase>;

TEST_P(ConvolutionOn, IsLibTorchsWithItsGradients) {
  const auto& [isa, dtype, pictures, tolerance] = GetParam();
  const at::Tensor x = drawn({pictures, 32, 7, 8}, 8).to(dtype);
  const at::Tensor weight = (0.1 * drawn({16, 32, 3, 3}, 9)).to(dtype);
  const at::Tensor bias = drawn({1, 16}, 10)[0].to(dtype);
  const at::Tensor dy = drawn({pictures, 16, 7, 8}, 11).to(dtype);
  // Sixteen outputs are none of the tiles', and with AMX the vectors are not the faster ones.
  const bool own_in_bf16 = isa >= Isa::avx512_without_amx && has_bf16() && !has_amx();
  EXPECT_EQ(has_own_weight_gradient(x, weight, 1),
            isa != Isa::portable && (dtype == at::kFloat || own_in_bf16));
  const auto plain = [](const at::Tensor& a, const at::Tensor& w, const at::Tensor& b) {
    return at::conv2d(a, w, b, 1, 1);
  };
  const Gradients got = gradients_of(convolution, x, weight, bias, dy);
  const Gradients wanted = gradients_of(plain, x.to(at::kDouble), weight.to(at::kDouble),
                                        bias.to(at::kDouble), dy.to(at::kDouble));
  EXPECT_LT(error_of(got.y, wanted.y), tolerance);
  EXPECT_LT(error_of(got.dx, wanted.dx), tolerance);
  EXPECT_LT(error_of(got.weight, wanted.weight), tolerance);
  EXPECT_LT(error_of(got.bias, wanted.bias), tolerance);
}

// Tolerances as of cases(); LibTorch's sums of bfloat16 are rounded more than once.
std::vector<WholeCase> whole_cases() {
  std::vector<WholeCase> all;
  for (const Isa isa :
       {Isa::portable, Isa::avx2, Isa::avx512_without_bf16, Isa::avx512_without_amx, Isa::avx512}) {
    for (const std::int64_t pictures : {3, 0}) {
      all.push_back({isa, at::kFloat, pictures, 1e-5});
      all.push_back({isa, at::kBFloat16, pictures, 1e-2});
    }
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Isas, ConvolutionOn, testing::ValuesIn(whole_cases()),
                         [](const auto& given) {
                           const WholeCase& c = given.param;
                           return to_string(c.isa) + c10::toString(c.dtype) +
                                  (c.pictures == 0 ? "Empty" : "");
                         });

TEST(Convolution, LeavesOutGradientsThatNobodyAsksFor) {
  const at::Tensor x = drawn({2, 32, 5, 5}, 12);
  const at::Tensor weight = drawn({8, 32, 3, 3}, 13).requires_grad_(true);
  const at::Tensor bias = drawn({1, 8}, 14)[0];
  convolution(x, weight, bias).sum().backward();
  EXPECT_TRUE(weight.grad().defined());
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(bias.grad().defined());
}

TEST(Convolution, CanBeDifferentiatedTwice) {
  const at::Tensor x = drawn({2, 32, 4, 4}, 16).requires_grad_(true);
  const at::Tensor weight = drawn({8, 32, 3, 3}, 17).requires_grad_(true);
  const at::Tensor bias = drawn({1, 8}, 18)[0].requires_grad_(true);
  const auto twice = [&](const auto& convolve) {
    const at::Tensor y = convolve(x, weight, bias);
    const auto once = torch::autograd::grad({(y * y).sum()}, {weight}, {}, /*retain_graph=*/true,
                                            /*create_graph=*/true);
    return torch::autograd::grad({(once[0] * once[0]).sum()}, {x})[0];
  };
  const at::Tensor wanted = twice([](const at::Tensor& a, const at::Tensor& w,
                                     const at::Tensor& b) { return at::conv2d(a, w, b, 1, 1); });
  EXPECT_LT(error_of(twice(convolution), wanted.to(at::kDouble)), 1e-4);
}

TEST(Convolution, RefusesShapesThatDoNotFit) {
  const at::Tensor x = drawn({2, 32, 5, 5}, 15);
  const at::Tensor bias = at::zeros({8});
  EXPECT_THROW(convolution(x, at::zeros({8, 16, 3, 3}), bias), ArgumentError);
  EXPECT_THROW(convolution(x, at::zeros({8, 32, 2, 2}), bias), ArgumentError);
  EXPECT_THROW(convolution(x, at::zeros({8, 32, 3, 3}), at::zeros({4})), ArgumentError);
}

}  // namespace
}  // namespace tinta::kernels
