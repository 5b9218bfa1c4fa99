#include "tinta/data/glyphs.h"

#include <ATen/Parallel.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cdist.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tinta/core/error.h"
#include "tinta/data/digits.h"

namespace tinta::data {
namespace {

at::Tensor flat(const Dataset& set) { return set.images.to(at::kFloat).div_(255).flatten(1); }

TEST(Glyphs, ClassesAreBalancedAndInTurn) {
  const Dataset set = draw_glyphs({.count = 200, .size = 8});
  EXPECT_EQ(set.classes, 10);
  EXPECT_EQ(set.images.sizes(), (at::IntArrayRef{200, 1, 8, 8}));
  EXPECT_TRUE(at::bincount(set.labels).eq(20).all().item<bool>());
  for (std::int64_t i = 0; i < 200; ++i) EXPECT_EQ(set.labels[i].item<std::int64_t>(), i % 10);
}

TEST(Glyphs, PictureDependsOnSeedAndIndexAlone) {
  const Dataset all = draw_glyphs({.count = 100, .seed = 5});
  const Dataset some = draw_glyphs({.count = 13, .seed = 5, .first = 41});
  EXPECT_TRUE(all.images.slice(0, 41, 54).equal(some.images));
  EXPECT_TRUE(all.labels.slice(0, 41, 54).equal(some.labels));
  EXPECT_FALSE(all.images.equal(draw_glyphs({.count = 100, .seed = 6}).images));
}

TEST(Glyphs, ThreadsDoNotChangeABit) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = draw_glyphs({.count = 300}).images;
  at::set_num_threads(2);
  const at::Tensor two = draw_glyphs({.count = 300}).images;
  at::set_num_threads(threads);
  EXPECT_TRUE(one.equal(two));
}

TEST(Glyphs, NoTwoPicturesAreTheSame) {
  const at::Tensor x = flat(draw_glyphs({.count = 400}));
  const at::Tensor distances = at::cdist(x, x).fill_diagonal_(1e9);
  EXPECT_GT(distances.min().item<double>(), 0.5);
}

// Measured: 0.978; of MNIST, 5000 training pictures let the nearest neighbour read 0.94.
TEST(Glyphs, NearestNeighbourReadsThemBetterThanMnist) {
  const Dataset train = draw_glyphs({.count = 5000});
  const Dataset test = draw_glyphs({.count = 500, .first = 1 << 20});
  const at::Tensor nearest = at::cdist(flat(test), flat(train)).argmin(1);
  const at::Tensor read = train.labels.index_select(0, nearest);
  const double accuracy = read.eq(test.labels).to(at::kDouble).mean().item<double>();
  EXPECT_GE(accuracy, 0.96);
}

TEST(Glyphs, InkLooksLikeMnist) {
  const Dataset set = draw_glyphs({.count = 2000});
  const at::Tensor x = set.images.to(at::kFloat).div_(255).squeeze(1);
  // MNIST: mean 0.131, standard deviation 0.308; a black frame of 4 pixels but for stray ink.
  EXPECT_NEAR(x.mean().item<double>(), 0.131, 0.03);
  EXPECT_NEAR(x.std().item<double>(), 0.308, 0.03);
  EXPECT_EQ(x.amax(0).select(0, 0).max().item<double>(), 0);
  EXPECT_EQ(x.amax(0).select(1, 27).max().item<double>(), 0);
  EXPECT_EQ(x.amax({1, 2}).min().item<double>(), 1);  // every picture has full white in it
}

TEST(Glyphs, SmallPicturesAreLargeOnesReduced) {
  const at::Tensor large = draw_glyphs({.count = 20, .size = 224}).images.to(at::kDouble).div_(255);
  const at::Tensor reduced = large.reshape({20, 28, 8, 28, 8}).mean({2, 4});
  const at::Tensor small =
      draw_glyphs({.count = 20}).images.to(at::kDouble).div_(255).reshape({20, 28, 28});
  EXPECT_LT((small - reduced).square().mean().sqrt().item<double>(), 0.03);
}

TEST(Glyphs, EveryDigitIsWrittenInTwoWaysAtLeast) {
  for (int digit = 0; digit < 10; ++digit) EXPECT_GE(digit_designs(digit).size(), 2) << digit;
}

TEST(Glyphs, ImpossibleOptionsAreAllNamed) {
  try {
    draw_glyphs({.count = 0, .size = 7});
    FAIL() << "no error";
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("count"), testing::HasSubstr("size"),
                               testing::HasSubstr("got 7")));
  }
  EXPECT_THROW(draw_glyphs({.count = 1, .first = std::uint64_t{1} << 56}), ArgumentError);
}

}  // namespace
}  // namespace tinta::data
