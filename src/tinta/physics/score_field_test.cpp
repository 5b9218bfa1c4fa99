#include "tinta/physics/score_field.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/error.h"
#include "tinta/process/exact.h"

namespace tinta::physics {
namespace {

const process::NoiseLevel kLevel{.a = 0.8, .s = 0.6};

TEST(PlaneGrid, IsCentresOfCellsRowByRow) {
  const PlaneGrid grid{.half_side = 1, .side = 2};
  const at::Tensor wanted =
      at::tensor({-0.5, -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5}, at::kDouble).view({4, 2});
  EXPECT_TRUE(grid.points().equal(wanted));
  EXPECT_EQ(grid.at(1), 0.5);
  EXPECT_EQ(grid.cell(), 1);
  EXPECT_THROW((void)PlaneGrid{.side = 0}.points(), ArgumentError);
}

TEST(ScoreAt, OfAGaussianIsItsPull) {
  const process::GaussianMixtureDenoiser gaussian(at::ones({1}, at::kDouble),
                                                  at::tensor({0.5, -1.0}, at::kDouble).view({1, 2}),
                                                  at::full({1}, 0.7, at::kDouble));
  const at::Tensor x = PlaneGrid{.side = 5}.points();
  const at::Tensor mean = at::tensor({0.4, -0.8}, at::kDouble);
  const at::Tensor wanted = (mean - x) / (0.64 * 0.49 + 0.36);
  EXPECT_LT((score_at(gaussian, kLevel, x) - wanted).abs().max().item<double>(), 1e-13);
}

TEST(GradientByDifferences, IsExactOnCubicsAndOfFourthOrderElsewhere) {
  const at::Tensor x = PlaneGrid{.side = 4}.points();
  const auto cubic = [](const at::Tensor& p) {
    return p.select(1, 0).pow(3) + p.select(1, 1).pow(2) * p.select(1, 0);
  };
  const at::Tensor a = x.select(1, 0), b = x.select(1, 1);
  const at::Tensor wanted = at::stack({a.square() * 3 + b.square(), a * b * 2}, 1);
  EXPECT_LT((gradient_by_differences(cubic, x, 0.1) - wanted).abs().max().item<double>(), 1e-12);
  const auto wave = [](const at::Tensor& p) { return p.select(1, 0).sin(); };
  const auto error = [&](double h) {
    return (gradient_by_differences(wave, x, h).select(1, 0) - a.cos()).abs().max().item<double>();
  };
  EXPECT_NEAR(error(0.1) / error(0.05), 16, 0.2);
}

TEST(Follow, GoesDownhillToTheMiddleOfAWell) {
  const auto field = [](const at::Tensor& x) { return -x; };
  const at::Tensor end = follow(field, at::ones({3, 2}, at::kDouble), 0.5, 10);
  EXPECT_TRUE(end.equal(at::full({3, 2}, std::pow(0.5, 10), at::kDouble)));
}

}  // namespace
}  // namespace tinta::physics
