#include "tinta/training/level_losses.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "tinta/core/error.h"

namespace tinta::training {
namespace {

TEST(LevelLosses, BinsShareTheStepsFromTheFirstToTheLast) {
  for (const std::int64_t steps : {1000, 10, 25, 7, 1}) {
    std::vector<std::int64_t> sizes(LevelLosses::kBins, 0);
    std::size_t last = 0;
    for (std::int64_t t = 1; t <= steps; ++t) {
      const std::size_t bin = LevelLosses::bin_of(t, steps);
      ASSERT_LT(bin, LevelLosses::kBins);
      EXPECT_GE(bin, last);
      last = bin;
      ++sizes.at(bin);
    }
    // As equal as whole numbers can be.
    for (const std::int64_t size : sizes) {
      EXPECT_GE(size, steps / 10);
      EXPECT_LE(size, (steps + 9) / 10);
    }
  }
  EXPECT_EQ(LevelLosses::bin_of(100, 1000), 0u);
  EXPECT_EQ(LevelLosses::bin_of(101, 1000), 1u);
  EXPECT_EQ(LevelLosses::bin_of(1000, 1000), 9u);
}

TEST(LevelLosses, AreMeansOverThePicturesOfABin) {
  LevelLosses all =
      LevelLosses::of(at::tensor({1, 95, 3}, at::kLong), at::tensor({0.5f, 2.0f, 0.25f}), 100);
  all.add(LevelLosses::of(at::tensor({10, 50}, at::kLong), at::tensor({0.75f, 3.0f}), 100));
  const auto means = all.means();
  ASSERT_EQ(means.size(), LevelLosses::kBins);
  EXPECT_EQ(means[0], 0.5);
  EXPECT_EQ(means[4], 3.0);
  EXPECT_EQ(means[9], 2.0);
  for (const std::size_t empty : {1, 2, 3, 5, 6, 7, 8}) EXPECT_EQ(means[empty], std::nullopt);
}

TEST(LevelLosses, RefuseWhatDoesNotBelongTogether) {
  const at::Tensor t = at::tensor({1, 2}, at::kLong);
  EXPECT_THROW(LevelLosses::of(t, at::zeros({3}), 10), ArgumentError);
  EXPECT_THROW(LevelLosses::of(t, at::zeros({2}, at::kDouble), 10), ArgumentError);
  EXPECT_THROW(LevelLosses::of(at::zeros({2}), at::zeros({2}), 10), ArgumentError);
}

}  // namespace
}  // namespace tinta::training
