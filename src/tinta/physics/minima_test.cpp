#include "tinta/physics/minima.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tinta/core/error.h"

namespace tinta::physics {
namespace {

// (x^2 - 1)^2 + y^2 + 0.1 x: minima near x = -1 (lower) and x = 1, a pass near x = 0.
at::Tensor double_well(const PlaneGrid& grid) {
  const at::Tensor x = grid.points().select(1, 0);
  const at::Tensor y = grid.points().select(1, 1);
  return ((x.square() - 1).square() + y.square() + x * 0.1).view({grid.side, grid.side});
}

// Roots of 4 x^3 - 4 x + 0.1 by Newton's method.
double root_near(double x) {
  for (int i = 0; i < 50; ++i) x -= (4 * x * x * x - 4 * x + 0.1) / (12 * x * x - 4);
  return x;
}

double energy(double x) { return (x * x - 1) * (x * x - 1) + 0.1 * x; }

TEST(FindMinima, FindsBothWellsOfADoubleWellWithTheirDepths) {
  const PlaneGrid grid{.half_side = 2, .side = 201};
  const Landscape found = find_minima(double_well(grid), grid, 1e-6);
  ASSERT_EQ(found.minima.size(), 2U);
  const double left = root_near(-1), right = root_near(1), pass = root_near(0);
  EXPECT_NEAR(found.minima[0].x, left, 1e-3);
  EXPECT_NEAR(found.minima[1].x, right, 1e-3);
  EXPECT_NEAR(found.minima[0].y, 0, 1e-12);
  // The depth is good to the curvature times a quarter of a cell's square.
  EXPECT_NEAR(found.minima[1].depth, energy(pass) - energy(right), 2e-3);
  EXPECT_GT(found.minima[0].depth, found.minima[1].depth) << "to the border";
}

TEST(FindMinima, EachPointFlowsToTheWellOnItsSide) {
  const PlaneGrid grid{.half_side = 2, .side = 201};
  const Landscape found = find_minima(double_well(grid), grid, 1e-6);
  const at::Tensor x = at::tensor({-1.2, 0.3, -0.2, 0.1, 0.2, 1.5, 9.0, 0.0}).view({4, 2});
  EXPECT_TRUE(found.basin_of(grid, x).equal(at::tensor({0, 0, 1, 1}, at::kLong)));
}

TEST(FindMinima, ShallowPoolsBelongToTheOneTheyMeet) {
  const PlaneGrid grid{.half_side = 2, .side = 201};
  const Landscape found = find_minima(double_well(grid), grid, 5);
  ASSERT_EQ(found.minima.size(), 1U);
  EXPECT_TRUE(found.basins.eq(0).all().item<bool>());
}

TEST(FindMinima, APlaneSlopesToItsCorner) {
  const PlaneGrid grid{.half_side = 1, .side = 9};
  const at::Tensor slope = grid.points().sum(1).view({9, 9});
  const Landscape found = find_minima(slope, grid, 0);
  ASSERT_EQ(found.minima.size(), 1U);
  EXPECT_EQ(found.minima[0].cell, 0);
  EXPECT_EQ(found.minima[0].depth, 0);
  EXPECT_TRUE(found.minima[0].at_border);
}

TEST(FindMinima, RefusesAnotherGridAndWhatIsNotFinite) {
  const PlaneGrid grid{.half_side = 1, .side = 4};
  EXPECT_THROW(find_minima(at::zeros({4, 5}, at::kDouble), grid, 0), ArgumentError);
  EXPECT_THROW(
      find_minima(at::full({4, 4}, std::numeric_limits<double>::quiet_NaN(), at::kDouble), grid, 0),
      ArgumentError);
}

}  // namespace
}  // namespace tinta::physics
