#include "tinta/core/philox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace tinta {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Statistical tests below run on fixed seeds, so they either always pass or always fail; the bounds
// are set so that a perfect generator would fail one of them for about one seed in 10^6.
constexpr double kSigmas = 5;  // two-sided normal tail: 6e-7

// Random123's known answers (kat_vectors of Random123 1.14, "philox4x32 10").
TEST(Philox, AgreesWithThePublishedKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  // The digits of pi.
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, IsEvaluatedAtCompileTimeToo) {
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
  constexpr RandomKey kKey{.seed = 3};
  static_assert(random_word(kKey) == random_block(kKey, 0)[0]);
  EXPECT_EQ(random_word(kKey), random_block(kKey, 0)[0]);
}

TEST(RandomKey, EveryFieldHasBitsOfItsOwnInTheCounter) {
  // One bit set in one field at a time: as many different blocks as bits, and the plain key's.
  std::set<Words> blocks{random_block({.stream = Stream::weights}, 0)};
  std::size_t expected = 1;
  const auto add = [&](const RandomKey& key, std::uint32_t block = 0) {
    blocks.insert(random_block(key, block));
    ++expected;
  };
  for (int bit = 0; bit < 64; ++bit) {
    add({.seed = std::uint64_t{1} << bit, .stream = Stream::weights});
  }
  for (int bit = 0; bit < 56; ++bit) {
    add({.stream = Stream::weights, .sample = std::uint64_t{1} << bit});
  }
  for (int bit = 0; bit < 32; ++bit) {
    add({.stream = Stream::weights, .step = std::uint32_t{1} << bit});
    add({.stream = Stream::weights}, std::uint32_t{1} << bit);
  }
  for (int stream = 2; stream < 256; ++stream) add({.stream = static_cast<Stream>(stream)});
  EXPECT_EQ(blocks.size(), expected);
}

TEST(RandomWord, IsTheBlocksWordAtAnyIndex) {
  const RandomKey key{.seed = 11, .sample = 5, .step = 2};
  for (std::uint32_t i = 0; i < 20; ++i)
    EXPECT_EQ(random_word(key, i), random_block(key, i / 4)[i % 4]);
}

// Pearson's chi-squared on 256 bins of 2^18 bytes: 255 degrees of freedom, mean 255, standard
// deviation sqrt(510).
TEST(RandomWord, EveryByteIsUniform) {
  for (int shift = 0; shift < 32; shift += 8) {
    std::vector<double> counts(256);
    constexpr std::uint32_t kDraws = 1 << 18;
    for (std::uint32_t i = 0; i < kDraws; ++i) {
      ++counts[random_word({.seed = 1, .sample = i % 64, .step = 9}, i / 64) >> shift & 0xFF];
    }
    double statistic = 0;
    for (const double count : counts)
      statistic += (count - kDraws / 256.0) * (count - kDraws / 256.0);
    statistic /= kDraws / 256.0;
    EXPECT_NEAR(statistic, 255, kSigmas * std::sqrt(510.0)) << shift;
  }
}

// Neighbouring keys must be as independent as distant ones: the correlation of n pairs of uniforms
// is normal with standard deviation 1 / sqrt(n).
TEST(RandomUniform, NeighbouringKeysAreUncorrelated) {
  constexpr std::uint32_t kDraws = 1 << 16;
  const auto correlation = [](auto&& first, auto&& second) {
    double sum = 0;
    for (std::uint32_t i = 0; i < kDraws; ++i) sum += (first(i) - 0.5) * (second(i) - 0.5) * 12;
    return sum / kDraws;
  };
  const auto base = [](std::uint32_t i) { return random_uniform({.seed = 4, .sample = i}); };
  const double bound = kSigmas / std::sqrt(kDraws);
  EXPECT_NEAR(correlation(base, [&](std::uint32_t i) { return base(i + 1); }), 0, bound);
  EXPECT_NEAR(
      correlation(base, [](std::uint32_t i) { return random_uniform({.seed = 5, .sample = i}); }),
      0, bound);
  EXPECT_NEAR(correlation(base,
                          [](std::uint32_t i) {
                            return random_uniform({.seed = 4, .sample = i, .step = 1});
                          }),
              0, bound);
  EXPECT_NEAR(
      correlation(base,
                  [](std::uint32_t i) {
                    return random_uniform({.seed = 4, .stream = Stream::noise, .sample = i});
                  }),
      0, bound);
  EXPECT_NEAR(
      correlation(base,
                  [](std::uint32_t i) { return random_uniform({.seed = 4, .sample = i}, 1); }),
      0, bound);
}

// Kolmogorov-Smirnov: sqrt(n) D exceeds 2.7 with probability 2 exp(-2 * 2.7^2) = 9e-7.
double kolmogorov_smirnov(std::vector<double> cumulative) {
  std::sort(cumulative.begin(), cumulative.end());
  const auto n = static_cast<double>(cumulative.size());
  double distance = 0;
  for (std::size_t i = 0; i < cumulative.size(); ++i) {
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, cumulative[i] - rank / n, (rank + 1) / n - cumulative[i]});
  }
  return distance * std::sqrt(n);
}

TEST(RandomUniform, FillsTheUnitIntervalEvenly) {
  std::vector<double> draws(1 << 16);
  for (std::uint32_t i = 0; i < draws.size(); ++i) draws[i] = random_uniform({.seed = 8}, i);
  EXPECT_GE(*std::min_element(draws.begin(), draws.end()), 0.0);
  EXPECT_LT(*std::max_element(draws.begin(), draws.end()), 1.0);
  EXPECT_LT(kolmogorov_smirnov(draws), 2.7);
}

TEST(RandomNormal, FollowsTheNormalDistribution) {
  std::vector<double> draws(1 << 16);
  for (std::uint32_t i = 0; i < draws.size(); ++i) {
    draws[i] = 0.5 * std::erfc(-random_normal({.seed = 8}, i) / std::sqrt(2.0));
  }
  EXPECT_LT(kolmogorov_smirnov(draws), 2.7);
}

// Box-Muller's two numbers share a radius: their squares must be uncorrelated as well. The product
// of two (z^2 - 1) / sqrt(2) has variance 1.
TEST(RandomNormal, TheTwoOfAPairAreIndependent) {
  constexpr std::uint32_t kPairs = 1 << 16;
  double product = 0, squares = 0;
  for (std::uint32_t i = 0; i < kPairs; ++i) {
    const double a = random_normal({.seed = 2}, 2 * i), b = random_normal({.seed = 2}, 2 * i + 1);
    product += a * b;
    squares += (a * a - 1) * (b * b - 1) / 2;
  }
  EXPECT_NEAR(product / kPairs, 0, kSigmas / std::sqrt(kPairs));
  EXPECT_NEAR(squares / kPairs, 0, kSigmas / std::sqrt(kPairs));
}

TEST(RandomBelow, IsTheHighHalfOfTheProductWithA64BitWord) {
  __extension__ using Wide = unsigned __int128;
  for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1} << 32,
                                (std::uint64_t{1} << 63) + 12345, ~std::uint64_t{0}}) {
    for (std::uint32_t i = 0; i < 1000; ++i) {
      const RandomKey key{.seed = n};
      const std::uint64_t high = random_word(key, 2 * i), low = random_word(key, 2 * i + 1);
      const auto expected = static_cast<std::uint64_t>((Wide{high << 32 | low} * n) >> 64);
      ASSERT_EQ(random_below(key, n, i), expected) << n << " " << i;
    }
  }
}

// Chi-squared with 9 degrees of freedom exceeds 45 with probability 9e-7.
TEST(RandomBelow, EveryValueIsAsLikely) {
  constexpr std::uint32_t kDraws = 100000;
  std::array<double, 10> counts{};
  for (std::uint32_t i = 0; i < kDraws; ++i) ++counts[random_below({.seed = 6}, 10, i)];
  double statistic = 0;
  for (const double count : counts) statistic += (count - 1e4) * (count - 1e4) / 1e4;
  EXPECT_LT(statistic, 45);
}

}  // namespace
}  // namespace tinta
