#include "tinta/physics/potential.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/random.h"

namespace tinta::physics {
namespace {

struct Named {
  std::string name;
  PotentialPtr potential;
};

std::vector<Named> all_potentials() {
  const at::Tensor centers = at::tensor({-1.0, 0.5, 1.0, 0.0, 0.5, 0.2}, at::kDouble).view({3, 2});
  return {{"free_space", free_space()},
          {"quadratic", quadratic({0.5, -1}, 2)},
          {"gaussian_well", gaussian_well({0.3, 0.1}, 3, 0.8)},
          {"gaussian_hill", gaussian_well({0.3, 0.1}, -3, 0.8)},
          {"double_well", double_well(1.2, 3, 2, 1)},
          {"multi_well", multi_well(centers, 2, 0.4, 0.3)},
          {"sum", sum({quadratic({}, 1), gaussian_well({1, 1}, 2, 0.5), double_well(1, 2)})}};
}

at::Tensor points() {
  return kernels::normal({200, 2}, {.seed = 2, .stream = Stream::test}).to(at::kDouble);
}

// Central differences with h = 1e-5 in double: truncation 1e-10 U''' and rounding 1e-11.
TEST(Potential, ForcesAreFiniteDifferencesOfEnergies) {
  constexpr double kH = 1e-5;
  const at::Tensor x = points();
  for (const auto& [name, potential] : all_potentials()) {
    const at::Tensor force = potential->force(x);
    for (std::int64_t d = 0; d < 2; ++d) {
      at::Tensor shift = at::zeros({1, 2}, at::kDouble);
      shift.select(1, d).fill_(kH);
      const at::Tensor slope =
          (potential->energy(x + shift) - potential->energy(x - shift)) / (2 * kH);
      EXPECT_LT((force.select(1, d) + slope).abs().max().item<double>(), 1e-7) << name;
    }
  }
}

// Along each axis, wherever the energy is not above the barrier; second differences with h = 1e-3
// are good to 1e-5.
TEST(Potential, CurvatureBoundsTheSecondDerivative) {
  constexpr double kH = 1e-3;
  const at::Tensor x = points() * 0.8;
  for (const auto& [name, potential] : all_potentials()) {
    for (std::int64_t d = 0; d < 2; ++d) {
      at::Tensor shift = at::zeros({1, 2}, at::kDouble);
      shift.select(1, d).fill_(kH);
      const at::Tensor second =
          (potential->energy(x + shift) - 2 * potential->energy(x) + potential->energy(x - shift)) /
          (kH * kH);
      const at::Tensor reached = name == "double_well" ? x.select(1, 1).abs() < 1.2 * 1.41
                                 : name == "sum"       ? x.select(1, 0).abs() < 1.41
                                                       : at::ones({x.size(0)}, at::kBool);
      EXPECT_LE(second.masked_select(reached).max().item<double>(), potential->curvature() + 1e-4)
          << name;
    }
  }
}

TEST(Potential, DoubleWellHasItsMinimaAndBarrierWhereItSays) {
  const PotentialPtr potential = double_well(1.5, 4, 1, 1);
  const at::Tensor x = at::tensor({0.0, 1.5, 0.0, -1.5, 0.0, 0.0}, at::kDouble).view({3, 2});
  EXPECT_TRUE(at::allclose(potential->energy(x), at::tensor({0.0, 0.0, 4.0}, at::kDouble)));
  EXPECT_LT(potential->force(x).abs().max().item<double>(), 1e-12);
}

TEST(Potential, ASumIsClosedFormWhereItsPartsAre) {
  EXPECT_EQ(sum({quadratic({}, 1), double_well(1, 2)})->terms().size(), 3u);
  const PotentialPtr learned = from_functions(
      [](const at::Tensor& x) { return x.square().sum(1) / 2; },
      [](const at::Tensor& x) { return -x; }, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(learned->terms().empty());
  const PotentialPtr both = sum({quadratic({}, 1), learned});
  EXPECT_TRUE(both->terms().empty());
  const at::Tensor x = points();
  EXPECT_TRUE(at::allclose(both->force(x), -2 * x));
  EXPECT_TRUE(std::isinf(both->curvature()));
}

TEST(Potential, RefusesWhatIsNoPotential) {
  EXPECT_THROW(gaussian_well({0}, 1, 0), ArgumentError);
  EXPECT_THROW(double_well(-1, 1), ArgumentError);
  EXPECT_THROW(double_well(1, 1, 1, -1), ArgumentError);
  EXPECT_THROW(multi_well(at::zeros({0, 2}), 1, 1, 1), ArgumentError);
  EXPECT_THROW(sum({}), ArgumentError);
  EXPECT_THROW(from_functions({}, {}, 1), ArgumentError);
  EXPECT_THROW((void)quadratic({1, 2, 3}, 1)->energy(at::zeros({4, 2})), ArgumentError);
}

}  // namespace
}  // namespace tinta::physics
