#include "tinta/core/permutation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tinta/core/error.h"

namespace tinta {
namespace {

std::vector<std::uint64_t> order(std::uint64_t n, std::uint64_t seed, std::uint32_t epoch) {
  const Permutation permutation(n, seed, epoch);
  std::vector<std::uint64_t> indices;
  for (std::uint64_t i = 0; i < n; ++i) indices.push_back(permutation(i));
  return indices;
}

TEST(Permutation, TakesEveryIndexOnce) {
  std::vector<std::uint64_t> sizes{97, 127, 128, 129, 997, 1000, 1024, 4096, 4097, 8191, 60000};
  for (std::uint64_t n = 1; n <= 66; ++n) sizes.push_back(n);
  for (const std::uint64_t n : sizes) {
    std::vector<bool> seen(n);
    for (const std::uint64_t index : order(n, 5, 2)) {
      ASSERT_LT(index, n) << n;
      ASSERT_FALSE(seen[index]) << n << " " << index;
      seen[index] = true;
    }
  }
}

TEST(Permutation, OfTheLargestSizeStaysWithinIt) {
  const std::uint64_t n = std::uint64_t{1} << 62;
  const Permutation permutation(n, 1, 0);
  EXPECT_EQ(permutation.size(), n);
  for (const std::uint64_t i : {std::uint64_t{0}, n / 3, n - 1}) EXPECT_LT(permutation(i), n);
  EXPECT_NE(permutation(0), permutation(1));
}

TEST(Permutation, IsTheSameForTheSameSeedAndEpochOnly) {
  EXPECT_EQ(order(1000, 1, 0), order(1000, 1, 0));
  EXPECT_NE(order(1000, 1, 0), order(1000, 1, 1));
  EXPECT_NE(order(1000, 1, 0), order(1000, 2, 0));
}

TEST(Permutation, SizesOutOfRangeAreRefused) {
  EXPECT_THROW(Permutation(0, 1, 1), ArgumentError);
  EXPECT_THROW(Permutation((std::uint64_t{1} << 62) + 1, 1, 1), ArgumentError);
}

// Over many epochs each index comes to each position equally often. Chi-squared over the 64 cells
// of an 8 x 8 table with fixed margins has 49 degrees of freedom; it exceeds 111 with probability
// 1e-6. The seed is fixed, so the outcome is too.
TEST(Permutation, EveryIndexComesToEveryPositionAsOften) {
  constexpr std::size_t kSize = 8;
  constexpr std::uint32_t kEpochs = 8000;
  std::vector<double> counts(kSize * kSize);
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    const Permutation permutation(kSize, 3, epoch);
    for (std::size_t i = 0; i < kSize; ++i) ++counts[i * kSize + permutation(i)];
  }
  const double expected = kEpochs / static_cast<double>(kSize);
  double statistic = 0;
  for (const double count : counts) statistic += (count - expected) * (count - expected) / expected;
  // Fixed margins make each row's counts dependent: the statistic times 7/8 is chi-squared.
  EXPECT_LT(statistic * 7 / 8, 111);
}

// The number of fixed points of a random permutation has mean 1 and variance 1, whatever its size;
// so has the number of neighbours that stay neighbours, nearly. Five standard deviations of a mean
// of 2000: a perfect shuffle fails for one seed in about 10^6.
TEST(Permutation, LeavesNoMoreInPlaceThanChanceDoes) {
  constexpr std::uint32_t kEpochs = 2000;
  double fixed = 0, followed = 0;
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    const auto indices = order(100, 9, epoch);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      fixed += indices[i] == i ? 1 : 0;
      followed += i > 0 && indices[i] == indices[i - 1] + 1 ? 1 : 0;
    }
  }
  EXPECT_NEAR(fixed / kEpochs, 1, 5 / std::sqrt(kEpochs));
  EXPECT_NEAR(followed / kEpochs, 0.99, 5 / std::sqrt(kEpochs));
}

}  // namespace
}  // namespace tinta
