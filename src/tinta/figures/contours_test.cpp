#include "tinta/figures/contours.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tinta::figures {
namespace {

TEST(Contours, OfAConeIsOneClosedCircle) {
  constexpr std::int64_t kSide = 41;
  std::vector<double> values;
  for (std::int64_t y = 0; y < kSide; ++y) {
    for (std::int64_t x = 0; x < kSide; ++x) {
      values.push_back(std::hypot(static_cast<double>(x) - 20, static_cast<double>(y) - 20));
    }
  }
  const auto lines = contour_lines(values, kSide, kSide, 12.3);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].front().x, lines[0].back().x);
  EXPECT_EQ(lines[0].front().y, lines[0].back().y);
  for (const Point& point : lines[0]) {
    // Along a cell's side the distance is bent by at most 1 / (8 r).
    EXPECT_NEAR(std::hypot(point.x - 20, point.y - 20), 12.3, 0.011);
  }
}

TEST(Contours, OfARampIsOneOpenStraightLine) {
  const std::vector<double> values{0, 1, 2, 0, 1, 2, 0, 1, 2};
  const auto lines = contour_lines(values, 3, 3, 0.25);
  ASSERT_EQ(lines.size(), 1U);
  ASSERT_EQ(lines[0].size(), 3U);
  for (const Point& point : lines[0]) EXPECT_DOUBLE_EQ(point.x, 0.25);
}

TEST(Contours, OfASaddleDoNotCross) {
  // The mean, 0.5, is above the level: the high corners are joined and each low one is cut off.
  const auto lines = contour_lines(std::vector<double>{1, 0, 0, 1}, 2, 2, 0.4);
  ASSERT_EQ(lines.size(), 2U);
  for (const auto& line : lines) {
    ASSERT_EQ(line.size(), 2U);
    EXPECT_TRUE((line[0].x > 0.5 && line[0].y <= 0.5) || (line[0].x <= 0.5 && line[0].y > 0.5) ||
                (line[1].x > 0.5 && line[1].y <= 0.5));
  }
}

TEST(Contours, MissTheLevelOrHaveNoNumbersNowhere) {
  EXPECT_TRUE(contour_lines(std::vector<double>{0, 1, 2, 3}, 2, 2, 5).empty());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(contour_lines(std::vector<double>{0, nan, 2, 3}, 2, 2, 1).empty());
}

}  // namespace
}  // namespace tinta::figures
