#include "tinta/figures/ticks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tinta::figures {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> labels(const Ticks& ticks) {
  std::vector<std::string> labels;
  for (const Tick& tick : ticks.major) labels.push_back(tick.label);
  return labels;
}

TEST(LinearTicks, AreRoundNumbers) {
  EXPECT_THAT(labels(linear_ticks(0, 1, 6)), ElementsAre("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(labels(linear_ticks(-1.1, 1.1, 5)), ElementsAre("−1.0", "−0.5", "0.0", "0.5", "1.0"));
  EXPECT_THAT(labels(linear_ticks(0, 1000, 5)), ElementsAre("0", "250", "500", "750", "1000"));
  EXPECT_THAT(labels(linear_ticks(0.0995, 0.1005, 3)), ElementsAre("0.0995", "0.1000", "0.1005"));
}

TEST(LinearTicks, LeaveACommonPowerOut) {
  const Ticks small = linear_ticks(0, 2e-6, 5);
  EXPECT_EQ(small.exponent, -6);
  EXPECT_THAT(labels(small), ElementsAre("0.0", "0.5", "1.0", "1.5", "2.0"));
  EXPECT_EQ(linear_ticks(-3e7, 3e7, 5).exponent, 7);
  EXPECT_EQ(linear_ticks(0, 5e4, 5).exponent, 0);
  EXPECT_EQ(power_label(-6), "×10<sup>−6</sup>");
}

// For any axis: no more than asked for, at least two, inside, rising, evenly apart, and each label
// is its value.
TEST(LinearTicks, HoldForAnyAxis) {
  for (int power = -12; power <= 12; ++power) {
    for (const double low : {-1.0, -0.37, 0.0, 0.21, 0.9}) {
      for (const double length : {0.013, 0.1, 0.77, 3.3}) {
        for (int at_most = 3; at_most <= 9; ++at_most) {
          const double scale = std::pow(10, power), from = low * scale;
          const double to = from + length * scale;
          const Ticks ticks = linear_ticks(from, to, at_most);
          const std::size_t n = ticks.major.size();
          ASSERT_LE(n, static_cast<std::size_t>(at_most));
          ASSERT_GE(n, 1U) << from << " " << to;
          const double slack = 1e-8 * length * scale;
          EXPECT_GE(ticks.major.front().value, from - slack);
          EXPECT_LE(ticks.major.back().value, to + slack);
          for (std::size_t i = 1; i < n; ++i) {
            const double step = ticks.major[1].value - ticks.major[0].value;
            EXPECT_NEAR(ticks.major[i].value - ticks.major[i - 1].value, step, 1e-6 * step);
            EXPECT_NE(ticks.major[i].label, ticks.major[i - 1].label);
          }
        }
      }
    }
  }
}

TEST(LogTicks, ArePowersOfTenWithTheirMultiplesBetween) {
  const Ticks ticks = log_ticks(0.5, 2e3, 6);
  EXPECT_THAT(labels(ticks),
              ElementsAre("10<sup>0</sup>", "10<sup>1</sup>", "10<sup>2</sup>", "10<sup>3</sup>"));
  EXPECT_THAT(ticks.minor, ::testing::Contains(::testing::DoubleEq(0.5)));
  EXPECT_THAT(ticks.minor, ::testing::Contains(::testing::DoubleEq(2000)));
  EXPECT_EQ(ticks.minor.size(), 5U + 3 * 8 + 1);
}

TEST(LogTicks, SkipPowersWhereTheyWouldNotFit) {
  const Ticks ticks = log_ticks(1e-12, 1, 5);
  EXPECT_LE(ticks.major.size(), 5U);
  EXPECT_GE(ticks.major.size(), 3U);
  EXPECT_EQ(ticks.major.size() + ticks.minor.size(), 13U);
}

TEST(LogTicks, OfFewDecadesArePlainNumbers) {
  EXPECT_THAT(labels(log_ticks(1, 20, 6)), ElementsAre("1", "2", "5", "10", "20"));
  EXPECT_THAT(labels(log_ticks(0.02, 0.5, 6)), ElementsAre("0.02", "0.05", "0.1", "0.2", "0.5"));
  EXPECT_THAT(labels(log_ticks(2, 4, 5)), ElementsAre("2.0", "2.5", "3.0", "3.5", "4.0"));
}

}  // namespace
}  // namespace tinta::figures
