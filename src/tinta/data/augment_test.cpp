// EDM's augmentations, one by one where the result is known exactly, and what they are drawn from.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"
#include "tinta/core/statistics.h"
#include "tinta/data/augment.h"
#include "tinta/data/loader.h"

namespace tinta::data {
namespace {

using ::testing::ElementsAre;

at::Tensor noise(at::IntArrayRef sizes) {
  at::Tensor x = at::empty(sizes, at::kFloat);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    x.mutable_data_ptr<float>()[i] =
        static_cast<float>(2 * random_uniform({.seed = 8}, static_cast<std::uint32_t>(i)) - 1);
  }
  return x;
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(Augmentation, OfNothingIsThePictureAndNineZeros) {
  const at::Tensor x = noise({3, 7, 5});
  EXPECT_TRUE(at::equal(augmented(x, Augmentation{}), x));
  EXPECT_THAT(Augmentation{}.labels(), testing::Each(0.0));
}

TEST(Augmentation, FlipsExchangePixelsBitForBit) {
  const at::Tensor x = noise({3, 7, 5});
  EXPECT_TRUE(at::equal(augmented(x, {.mirrored = 1}), x.flip({2})));
  EXPECT_TRUE(at::equal(augmented(x, {.upended = 1}), x.flip({1})));
  EXPECT_TRUE(at::equal(augmented(x, {.mirrored = 1, .upended = 1}), x.flip({1, 2})));
}

// 0.125 of 16 is two pixels; what enters at an edge is the picture, reflected about its last pixel.
TEST(Augmentation, MovesByWholePixelsExchangePixelsBitForBit) {
  const at::Tensor x = noise({2, 8, 16});
  const at::Tensor right = augmented(x, {.right = 1});
  EXPECT_TRUE(at::equal(right.slice(2, 2), x.slice(2, 0, 14)));
  EXPECT_TRUE(at::equal(right.select(2, 1), x.select(2, 1)));  // -1 is 1
  EXPECT_TRUE(at::equal(right.select(2, 0), x.select(2, 2)));
  const at::Tensor up = augmented(x, {.down = -3});
  EXPECT_TRUE(at::equal(up.slice(1, 0, 5), x.slice(1, 3)));
}

TEST(Augmentation, TurnsByARightAngleExchangePixels) {
  const at::Tensor x = noise({3, 9, 9});
  const double quarter = std::numbers::pi / 2;
  EXPECT_LT(difference(augmented(x, {.angle = quarter}), x.rot90(1, {1, 2})), 1e-6);
  EXPECT_LT(difference(augmented(x, {.angle = -quarter}), x.rot90(-1, {1, 2})), 1e-6);
  EXPECT_LT(difference(augmented(x, {.angle = 2 * quarter}), x.flip({1, 2})), 1e-6);
}

// Keys' kernel gives back polynomials up to the second degree, between pixels too.
TEST(Augmentation, MapsASmoothPictureWhereTheFormulasSay) {
  constexpr std::int64_t kSide = 41;
  const auto grid = at::arange(kSide, at::kDouble) - 20;
  const at::Tensor x = grid.reshape({1, 1, kSide}), y = grid.reshape({1, kSide, 1});
  const auto polynomial = [](const at::Tensor& u, const at::Tensor& v) {
    return (0.02 * u - 0.01 * v + 0.001 * u * v - 0.0005 * u * u).to(at::kFloat).contiguous();
  };
  const at::Tensor picture = polynomial(x, y).expand({1, kSide, kSide}).contiguous();
  const auto inner = [](const at::Tensor& all) { return all.slice(1, 14, 27).slice(2, 14, 27); };
  // Enlarged by 2^(0.2 n): the colour at q was at q / 2^(0.2 n).
  const double size = std::exp2(0.2 * 1.5);
  EXPECT_LT(
      difference(inner(augmented(picture, {.scale = 1.5})), inner(polynomial(x / size, y / size))),
      1e-6);
  // Turned to the left by an angle, y counting downwards.
  const double c = std::cos(0.4), s = std::sin(0.4);
  EXPECT_LT(difference(inner(augmented(picture, {.angle = 0.4})),
                       inner(polynomial(x * c - y * s, x * s + y * c))),
            1e-6);
  // Stretched along the diagonal, only as a linear ramp: the kernel widens across it.
  const auto ramp = [](const at::Tensor& u, const at::Tensor& v) {
    return (0.02 * u - 0.01 * v).to(at::kFloat).contiguous();
  };
  const double along = std::exp2(-0.2);
  const at::Tensor p = (x + y) / 2, m = (x - y) / 2;
  EXPECT_LT(difference(inner(augmented(ramp(x, y).expand({1, kSide, kSide}).contiguous(),
                                       {.stretch = 1, .axis = std::numbers::pi / 4})),
                       inner(ramp(p / along + m * along, p / along - m * along))),
            5e-3);
}

// What is finer than the new pixels is averaged: a picture of single pixels is grey at half size,
// where a kernel of fixed width keeps much of them.
TEST(Augmentation, ShrinkingDoesNotAlias) {
  const at::Tensor odd = at::arange(32, at::kLong).remainder(2);
  const at::Tensor board =
      ((odd.reshape({1, 1, 32}) + odd.reshape({1, 32, 1})).remainder(2) * 2 - 1).to(at::kFloat);
  EXPECT_LT(augmented(board, {.scale = -5}).abs().max().item<double>(), 0.02);  // 1/2
  EXPECT_LT(augmented(board, {.scale = -3}).abs().max().item<double>(), 0.2);   // 0.66
  const at::Tensor flat = at::full({1, 32, 32}, 0.7, at::kFloat);
  EXPECT_LT(difference(augmented(flat, {.scale = -4, .angle = 0.3, .stretch = 2, .axis = 1}), flat),
            1e-6);
}

TEST(Augmentation, ItsLabelsSayWhatWasDone) {
  const Augmentation a{.mirrored = 1,
                       .upended = 1,
                       .scale = 0.5,
                       .angle = 0.3,
                       .stretch = -2,
                       .axis = 0.7,
                       .right = 0.1,
                       .down = -0.2};
  EXPECT_THAT(a.labels(), ElementsAre(1, 1, 0.5, std::cos(0.3) - 1, std::sin(0.3),
                                      -2 * std::cos(0.7), -2 * std::sin(0.7), 0.1, -0.2));
}

// Of 4000 samples: shares of a binomial within 5 deviations (one seed in two million fails), normal
// and uniform numbers within Kolmogorov's distance (one in a million, of each).
TEST(DrawAugmentation, HasTheStatedDistribution) {
  constexpr int kCount = 4000;
  constexpr double kP = 0.3;
  std::vector<double> scales, angles, stretches, axes, rights, downs;
  int mirrored = 0, upended = 0, both = 0;
  for (std::uint64_t n = 0; n < kCount; ++n) {
    const Augmentation a = draw_augmentation(kP, 5, n);
    EXPECT_EQ(a, draw_augmentation(kP, 5, n));
    mirrored += a.mirrored > 0 ? 1 : 0;
    upended += a.upended > 0 ? 1 : 0;
    both += a.scale != 0 && a.angle != 0 ? 1 : 0;
    if (a.scale != 0) scales.push_back(a.scale);
    if (a.angle != 0) angles.push_back(a.angle);
    if (a.stretch != 0) stretches.push_back(a.stretch);
    if (a.axis != 0) axes.push_back(a.axis);
    if (a.right != 0) rights.push_back(a.right);
    if (a.down != 0) downs.push_back(a.down);
  }
  const auto near = [](double got, double share) {
    EXPECT_NEAR(got, kCount * share, 5 * std::sqrt(kCount * share * (1 - share)));
  };
  near(mirrored, 0.5);
  near(upended, kP / 2);
  near(both, kP * kP);  // independently
  for (const auto* drawn : {&scales, &angles, &stretches, &rights, &downs}) {
    near(static_cast<double>(drawn->size()), kP);
  }
  near(static_cast<double>(axes.size()), kP / 2);
  const auto distance = [](std::vector<double> drawn, const std::function<double(double)>& cdf) {
    std::sort(drawn.begin(), drawn.end());
    EXPECT_LT(ks_distance(drawn, cdf), ks_critical(drawn.size(), 1e-6));
  };
  for (const auto* drawn : {&scales, &stretches, &rights, &downs}) distance(*drawn, normal_cdf);
  const auto uniform = [](double x) { return (x / std::numbers::pi + 1) / 2; };
  distance(angles, uniform);
  distance(axes, uniform);
  EXPECT_EQ(draw_augmentation(0, 5, 3).scale, 0);
  EXPECT_FALSE(draw_augmentation(kP, 5, 3) == draw_augmentation(kP, 6, 3) &&
               draw_augmentation(kP, 5, 4) == draw_augmentation(kP, 6, 4));
}

TEST(Augmented, ALoaderChangesEachSampleByItsNumberAndTellsHow) {
  Dataset set{.name = "noise", .images = ((noise({40, 1, 8, 8}) + 1) * 127.5).to(at::kByte)};
  const at::Tensor plain = Loader(set, 40, 5).batch(0).x0;
  EXPECT_FALSE(Loader(set, 40, 5).batch(0).augment.defined());
  set.augment = 0.4;
  const Batch whole = Loader(set, 40, 5).batch(0);
  ASSERT_EQ(whole.augment.sizes(), at::IntArrayRef({40, 9}));
  for (std::int64_t i = 0; i < 40; ++i) {
    const Augmentation drawn = draw_augmentation(0.4, 5, static_cast<std::uint64_t>(i));
    EXPECT_TRUE(at::equal(whole.x0[i], augmented(plain[i], drawn))) << i;
    EXPECT_NEAR(whole.augment[i][4].item<double>(), std::sin(drawn.angle), 1e-6);
  }
  const Loader small(set, 8, 5);
  std::vector<at::Tensor> pictures, labels;
  for (std::uint64_t step = 0; step < 5; ++step) {
    pictures.push_back(small.batch(step).x0);
    labels.push_back(small.batch(step).augment);
  }
  EXPECT_TRUE(at::equal(at::cat(pictures), whole.x0));
  EXPECT_TRUE(at::equal(at::cat(labels), whole.augment));
}

TEST(Augmented, OnlyTheTrainingSplitIs) {
  config::DataConfig config{.source = "glyphs", .count = 20, .size = 8};
  config.augment = 0.12;
  EXPECT_EQ(open(config, Split::train).augment, 0.12);
  EXPECT_EQ(open(config, Split::test).augment, 0);
}

TEST(Augmented, RefusesWhatItCannotTake) {
  EXPECT_THROW((void)augmented(at::zeros({2, 4, 4}), 0.1, 0, 0), ArgumentError);
  EXPECT_THROW((void)augmented(at::zeros({1, 2, 4, 4}, at::kDouble), 0.1, 0, 0), ArgumentError);
  EXPECT_THROW((void)augmented(at::zeros({1, 2, 4, 4}), 1.5, 0, 0), ArgumentError);
  EXPECT_THROW((void)augmented(at::zeros({4, 4}), Augmentation{}), ArgumentError);
}

}  // namespace
}  // namespace tinta::data
