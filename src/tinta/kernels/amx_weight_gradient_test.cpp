#include "tinta/kernels/amx_weight_gradient.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
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
  return normal(sizes, {.seed = 12, .stream = Stream::test, .sample = 0, .step = step})
      .to(at::kBFloat16);
}

struct Case {
  std::string name;
  std::vector<std::int64_t> sizes;  // of x
  std::int64_t out, kernel, padding;
  double tolerance;  // relative to the largest value of a gradient
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

double error_of(const at::Tensor& got, const at::Tensor& wanted) {
  EXPECT_EQ(got.sizes(), wanted.sizes());
  EXPECT_EQ(got.scalar_type(), at::kBFloat16);
  const double largest = std::max(wanted.abs().max().item<double>(), 1e-30);
  return (got.to(at::kDouble) - wanted).abs().max().item<double>() / largest;
}

class AmxWeightGradient : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_amx()) GTEST_SKIP() << "this processor lacks AMX, or the system withholds it";
  }
};
class AmxWeightGradientOf : public AmxWeightGradient, public testing::WithParamInterface<Case> {};

// The reference is LibTorch's convolution in double, on the same numbers.
TEST_P(AmxWeightGradientOf, AgreesWithTheReferenceInDouble) {
  const Case& c = GetParam();
  const at::Tensor x = drawn(c.sizes, 0);
  const std::int64_t more = 2 * c.padding - c.kernel + 1;
  const at::Tensor dy = drawn({c.sizes[0], c.out, c.sizes[2] + more, c.sizes[3] + more}, 1);
  ASSERT_TRUE(has_amx_weight_gradient(x, c.out, c.kernel, c.padding));
  const ConvolutionGradients got = amx_weight_gradient(x, dy, c.kernel, c.padding);
  EXPECT_TRUE(got.weight.is_contiguous(at::MemoryFormat::ChannelsLast));

  const at::Tensor weight =
      at::zeros({c.out, c.sizes[1], c.kernel, c.kernel}, at::kDouble).requires_grad_(true);
  const at::Tensor bias = at::zeros({c.out}, at::kDouble).requires_grad_(true);
  at::conv2d(x.to(at::kDouble), weight, bias, 1, c.padding).backward(dy.to(at::kDouble));
  EXPECT_LT(error_of(got.weight, weight.grad()), c.tolerance);
  EXPECT_LT(error_of(got.bias, bias.grad()), c.tolerance);
}

// Sums of float32, rounded once, by at most 2^-8 of themselves.
INSTANTIATE_TEST_SUITE_P(
    Shapes, AmxWeightGradientOf,
    testing::Values(Case{"Plain", {3, 32, 8, 8}, 32, 3, 1, 4e-3},
                    Case{"Wide", {2, 96, 6, 6}, 160, 3, 1, 4e-3},
                    Case{"SharesOfOutputs", {5, 256, 4, 4}, 512, 3, 1, 4e-3},
                    Case{"OddSizes", {2, 64, 5, 7}, 32, 3, 1, 4e-3},
                    Case{"OnePixel", {4, 32, 1, 1}, 64, 3, 1, 4e-3},
                    Case{"OneRow", {2, 32, 1, 9}, 32, 3, 1, 4e-3},
                    Case{"OneColumn", {2, 32, 37, 1}, 32, 3, 1, 4e-3},
                    Case{"BandsOfOnePicture", {1, 64, 61, 67}, 32, 3, 1, 4e-3},
                    Case{"BandsOfSome", {9, 256, 40, 33}, 32, 3, 1, 4e-3},
                    Case{"ManyPictures", {67, 32, 3, 3}, 32, 3, 1, 4e-3},
                    Case{"Empty", {0, 32, 8, 8}, 32, 3, 1, 4e-3},
                    Case{"HugeBatch", {5000, 32, 2, 2}, 32, 3, 1, 4e-3},
                    Case{"Phases", {5, 32, 7, 9}, 64, 2, 1, 4e-3},
                    Case{"PhasesOfManyPictures", {40, 64, 4, 4}, 32, 2, 1, 4e-3},
                    Case{"PhasesInBands", {2, 64, 50, 64}, 32, 2, 1, 4e-3},
                    Case{"EvenUnpadded", {19, 32, 6, 5}, 32, 2, 0, 4e-3},
                    Case{"Unpadded", {7, 32, 6, 5}, 32, 3, 0, 4e-3},
                    Case{"FullyPadded", {7, 32, 6, 5}, 32, 3, 2, 4e-3},
                    Case{"Pointwise", {3, 64, 6, 7}, 96, 1, 0, 4e-3}),
    [](const auto& given) { return given.param.name; });

TEST_F(AmxWeightGradient, RefusesWhatItCannotTake) {
  const at::Tensor x = drawn({2, 32, 6, 6}, 10);
  const auto refused = [](const at::Tensor& of, const at::Tensor& dy, std::int64_t kernel) {
    EXPECT_THROW(amx_weight_gradient(of, dy, kernel, kernel / 2), ArgumentError);
  };
  refused(x, drawn({2, 16, 6, 6}, 11), 3);
  refused(x, drawn({2, 32, 6, 6}, 11), 5);
  refused(x, drawn({2, 32, 5, 6}, 11), 3);
  refused(x, drawn({3, 32, 6, 6}, 11), 3);
  refused(x, drawn({2, 32, 6, 6}, 11).to(at::kFloat), 3);
  refused(x.to(at::kFloat), drawn({2, 32, 6, 6}, 11).to(at::kFloat), 3);
  refused(drawn({2, 48, 6, 6}, 10), drawn({2, 32, 6, 6}, 11), 3);
}

TEST_F(AmxWeightGradient, IsNotTakenWhereItIsForcedAway) {
  const at::Tensor x = drawn({2, 32, 6, 6}, 12);
  EXPECT_TRUE(has_amx_weight_gradient(x, 32, 3, 1));
  const ForcedIsa forced(Isa::avx512_without_amx);
  EXPECT_FALSE(has_amx_weight_gradient(x, 32, 3, 1));
  EXPECT_TRUE(has_bf16());
}

}  // namespace
}  // namespace tinta::kernels
