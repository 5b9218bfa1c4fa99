#include "tinta/kernels/constant_weights.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/convolution.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/random.h"
#include "tinta/kernels/upsampled_convolution.h"

namespace tinta::kernels {
namespace {

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return normal(sizes, {.seed = 6, .stream = Stream::test, .sample = 0, .step = step});
}

struct Layer {
  at::Tensor x, weight, bias;
};
Layer layer(std::vector<std::int64_t> sizes, std::int64_t out, std::int64_t kernel,
            at::ScalarType dtype) {
  const auto dense = [&](const at::Tensor& t) {
    return t.to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
  };
  return {dense(drawn(sizes, 0)), dense(drawn({out, sizes[1], kernel, kernel}, 1)),
          drawn({1, out}, 2)[0].to(dtype)};
}

struct Case {
  std::vector<std::int64_t> sizes;
  std::int64_t out, kernel;
};
const std::vector<Case> kCases = {{{2, 32, 8, 8}, 16, 3}, {{1, 64, 4, 4}, 64, 3},
                                  {{3, 5, 7, 9}, 6, 3},   {{2, 48, 6, 6}, 32, 1},
                                  {{1, 3, 1, 1}, 8, 3},   {{0, 32, 8, 8}, 16, 3}};

void expect_near(const at::Tensor& got, const at::Tensor& wanted, double tolerance) {
  ASSERT_EQ(got.sizes(), wanted.sizes());
  ASSERT_EQ(got.scalar_type(), wanted.scalar_type());
  if (wanted.numel() == 0) return;
  const double largest = wanted.abs().max().item<double>();
  EXPECT_LE((got.to(at::kDouble) - wanted.to(at::kDouble)).abs().max().item<double>(),
            tolerance * largest);
}

// Twice: when a weight is first met and when it is met again. An ulp of bfloat16 is 2^-7.
TEST(ConstantWeights, GiveTheResultsOfPlainConvolutions) {
  const at::NoGradGuard no_gradients;
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kDouble}) {
    const double tolerance = dtype == at::kBFloat16 ? 0x1p-7 : 1e-5;
    for (const Case& c : kCases) {
      const Layer l = layer(c.sizes, c.out, c.kernel, dtype);
      const at::Tensor plain = convolution(l.x, l.weight, l.bias);
      const ConstantWeights constant;
      for (int time = 0; time < 2; ++time) {
        const at::Tensor got = convolution(l.x, l.weight, l.bias);
        expect_near(got, plain, tolerance);
        EXPECT_EQ(got.is_contiguous(at::MemoryFormat::ChannelsLast),
                  plain.is_contiguous(at::MemoryFormat::ChannelsLast));
        const at::Tensor plus = plain.flip(0).contiguous();
        expect_near(convolution_plus(l.x, l.weight, l.bias, plus), plain + plus, tolerance);
      }
    }
    const Layer l = layer({4, 16, 12, 12}, 8, 3, dtype);
    const at::Tensor plain = upsampled_convolution(l.x, l.weight, l.bias);
    const ConstantWeights constant;
    for (int time = 0; time < 2; ++time) {
      expect_near(upsampled_convolution(l.x, l.weight, l.bias), plain, tolerance);
    }
  }
}

TEST(ConstantWeights, LeaveWhatIsAddedAsItIs) {
  const at::NoGradGuard no_gradients;
  const Layer l = layer({2, 8, 4, 4}, 8, 3, at::kFloat);
  const at::Tensor plus = drawn({2, 8, 4, 4}, 3);
  const at::Tensor before = plus.clone();
  const ConstantWeights constant;
  convolution_plus(l.x, l.weight, l.bias, plus);
  EXPECT_TRUE(at::equal(plus, before));
}

TEST(ConvolutionPlus, RefusesAPictureOfAnotherShape) {
  const Layer l = layer({2, 8, 4, 4}, 8, 3, at::kFloat);
  const auto add = [&](const at::Tensor& plus) {
    return convolution_plus(l.x, l.weight, l.bias, plus);
  };
  EXPECT_THROW(add(drawn({2, 8, 4, 5}, 3)), ArgumentError);
  EXPECT_THROW(add(drawn({1, 8, 4, 4}, 3)), ArgumentError);
  EXPECT_THROW(add(l.x.to(at::kDouble)), ArgumentError);
}

// What a weight was when it was first met: the promise that makes it fast, and its limits.
TEST(ConstantWeights, KeepAWeightUntilTheyEnd) {
  const at::NoGradGuard no_gradients;
  Layer l = layer({2, 32, 12, 12}, 16, 3, at::kFloat);
  const at::Tensor before = convolution(l.x, l.weight, l.bias);
  const at::Tensor doubled = upsampled_convolution(l.x, l.weight, l.bias);
  {
    const ConstantWeights constant;
    expect_near(convolution(l.x, l.weight, l.bias), before, 1e-6);
    expect_near(upsampled_convolution(l.x, l.weight, l.bias), doubled, 1e-6);
    {
      const ConstantWeights inner;
      l.weight.mul_(2);
      expect_near(convolution(l.x, l.weight, l.bias), before, 1e-6);
      expect_near(upsampled_convolution(l.x, l.weight, l.bias), doubled, 1e-6);
    }
    expect_near(convolution(l.x, l.weight, l.bias), before, 1e-6);
  }
  const at::Tensor after = convolution(l.x, l.weight, l.bias);
  EXPECT_GT((after - before).abs().max().item<double>(), 1);
}

TEST(ConstantWeights, AreNotLookedAtWhereGradientsAreRecorded) {
  const ConstantWeights constant;
  EXPECT_EQ(ConstantWeights::active(), nullptr);
  const Layer l = layer({2, 32, 8, 8}, 16, 3, at::kFloat);
  const at::Tensor weight = l.weight.clone().requires_grad_(true);
  convolution(l.x, weight, l.bias).sum().backward();
  EXPECT_GT(weight.grad().abs().max().item<double>(), 0);
  const at::NoGradGuard no_gradients;
  EXPECT_NE(ConstantWeights::active(), nullptr);
}

TEST(ConstantWeights, ShapesOfPicturesMayAlternate) {
  const at::NoGradGuard no_gradients;
  const Layer small = layer({1, 32, 8, 8}, 16, 3, at::kFloat);
  const at::Tensor large = drawn({3, 32, 16, 16}, 5).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor of_small = convolution(small.x, small.weight, small.bias);
  const at::Tensor of_large = convolution(large, small.weight, small.bias);
  const ConstantWeights constant;
  for (int time = 0; time < 2; ++time) {
    expect_near(convolution(small.x, small.weight, small.bias), of_small, 1e-6);
    expect_near(convolution(large, small.weight, small.bias), of_large, 1e-6);
  }
}

}  // namespace
}  // namespace tinta::kernels
