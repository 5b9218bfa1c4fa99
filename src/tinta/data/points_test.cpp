#include "tinta/data/points.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <set>
#include <string>
#include <utility>

#include "tinta/core/error.h"

namespace tinta::data {
namespace {

constexpr std::int64_t kCount = 200000;

class PointSets : public testing::TestWithParam<std::string> {};

// The mean of n points lies within 5 standard errors of the exact one, and their variance within 5
// standard errors sqrt((kurtosis - 1) / n) of the exact one: each bound fails for 6e-7 of seeds, 20
// of them (5 sets, 2 coordinates, 2 moments) for about 1e-5. Kurtosis is at most 3 here.
TEST_P(PointSets, AreStandardisedByTheirExactMoments) {
  const at::Tensor points = draw_points(GetParam(), kCount, 7).to(at::kDouble);
  const double error = 5 / std::sqrt(static_cast<double>(kCount));
  double largest = 0;
  for (std::int64_t axis = 0; axis < 2; ++axis) {
    const at::Tensor u = points.select(1, axis);
    EXPECT_NEAR(u.mean().item<double>(), 0, error);
    largest = std::max(largest, u.var().item<double>());
  }
  EXPECT_NEAR(largest, 1, error * std::sqrt(2.0));
}

TEST_P(PointSets, PointDependsOnSeedAndIndexAlone) {
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  const at::Tensor many = draw_points(GetParam(), 5000, 3);
  EXPECT_TRUE(many.slice(0, 0, 17).equal(draw_points(GetParam(), 17, 3)));
  EXPECT_FALSE(many.equal(draw_points(GetParam(), 5000, 4)));
  at::set_num_threads(1);
  EXPECT_TRUE(many.equal(draw_points(GetParam(), 5000, 3)));
  at::set_num_threads(threads);
}

INSTANTIATE_TEST_SUITE_P(All, PointSets, testing::ValuesIn(point_set_names()),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(PointSet, NamesAreTheFiveOfTheManual) {
  EXPECT_THAT(point_set_names(),
              testing::ElementsAre("moons", "rings", "swiss-roll", "gaussians", "checkerboard"));
}

/// Mean and variance of each coordinate over a grid on the parameters of a set: an integral by the
/// midpoint rule, independent of the closed forms in points.cpp.
struct Moments {
  double mean[2] = {0, 0}, variance[2] = {0, 0};
};

Moments integrate(double low, double high, const std::function<std::array<double, 2>(double)>& at) {
  constexpr int kSteps = 100000;
  Moments m;
  double square[2] = {0, 0};
  for (int i = 0; i < kSteps; ++i) {
    const auto p = at(low + (high - low) * (i + 0.5) / kSteps);
    for (int axis = 0; axis < 2; ++axis) {
      m.mean[axis] += p[static_cast<std::size_t>(axis)] / kSteps;
      square[axis] += std::pow(p[static_cast<std::size_t>(axis)], 2) / kSteps;
    }
  }
  for (int axis = 0; axis < 2; ++axis) {
    m.variance[axis] = square[axis] - m.mean[axis] * m.mean[axis];
  }
  return m;
}

/// Checks the variance of the coordinate that varies less; the other one's is 1.
void expect_smaller_variance(const std::string& name, double ratio) {
  const at::Tensor points = draw_points(name, kCount, 11).to(at::kDouble);
  const double x = points.select(1, 0).var().item<double>();
  const double y = points.select(1, 1).var().item<double>();
  // 5 standard errors, as above.
  EXPECT_NEAR(std::min(x, y), ratio, 5 * std::sqrt(2.0 / kCount));
}

TEST(PointSet, SwissRollHasTheMomentsOfItsIntegral) {
  using std::numbers::pi;
  const Moments m = integrate(1.5 * pi, 4.5 * pi, [](double t) {
    return std::array<double, 2>{t * std::cos(t), t * std::sin(t)};
  });
  const double noise = 0.4 * 0.4;
  expect_smaller_variance("swiss-roll", (m.variance[0] + noise) / (m.variance[1] + noise));
}

TEST(PointSet, MoonsHaveTheMomentsOfTheirIntegral) {
  using std::numbers::pi;
  const Moments m = integrate(0, 2 * pi, [](double a) {
    return a < pi ? std::array<double, 2>{std::cos(a), std::sin(a)}
                  : std::array<double, 2>{1 - std::cos(a - pi), 0.5 - std::sin(a - pi)};
  });
  const double noise = 0.06 * 0.06;
  expect_smaller_variance("moons", (m.variance[1] + noise) / (m.variance[0] + noise));
}

TEST(PointSet, CheckerboardFillsTheEightDarkSquaresAlone) {
  const at::Tensor points = draw_points("checkerboard", 4000, 1).to(at::kDouble);
  std::set<std::pair<int, int>> squares;
  const auto p = points.accessor<double, 2>();
  for (std::int64_t i = 0; i < points.size(0); ++i) {
    // Back from standardised coordinates: variance 4/3, centre (2, 2). Single precision may put a
    // point on an edge, hence the shrinking of the board.
    const int column = static_cast<int>(std::floor(p[i][0] * std::sqrt(4.0 / 3) * (1 - 1e-6) + 2));
    const int row = static_cast<int>(std::floor(p[i][1] * std::sqrt(4.0 / 3) * (1 - 1e-6) + 2));
    EXPECT_EQ((column + row) % 2, 0) << p[i][0] << ", " << p[i][1];
    squares.insert({column, row});
  }
  EXPECT_EQ(squares.size(), 8);
}

TEST(PointSet, GaussiansLieAboutEightPointsOfACircle) {
  const at::Tensor points = draw_points("gaussians", 4000, 1).to(at::kDouble);
  std::array<int, 8> counts{};
  const auto p = points.accessor<double, 2>();
  for (std::int64_t i = 0; i < points.size(0); ++i) {
    const double radius = std::hypot(p[i][0], p[i][1]) * std::sqrt(0.51);
    // 6 standard deviations of 0.1: 4000 draws leave them with probability 8e-6.
    EXPECT_NEAR(radius, 1, 0.6);
    const double turn = std::atan2(p[i][1], p[i][0]) / (2 * std::numbers::pi) * 8 + 8.5;
    ++counts[static_cast<std::size_t>(turn) % 8];
  }
  // Binomial(4000, 1/8): 500 with a standard deviation of 21; 5 of them fail for 5e-6 of seeds.
  EXPECT_THAT(counts, testing::Each(testing::AllOf(testing::Ge(395), testing::Le(605))));
}

TEST(PointSet, UnknownNameSuggestsTheNearest) {
  try {
    draw_points("swiss_rol", 10, 0);
    FAIL() << "no error";
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("did you mean \"swiss-roll\"?"));
  }
  EXPECT_THROW(draw_points("moons", 0, 0), ArgumentError);
}

}  // namespace
}  // namespace tinta::data
