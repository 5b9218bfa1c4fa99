#include "tinta/lab/densities.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/config/lab_rows.h"
#include "tinta/core/error.h"
#include "tinta/lab/two_sample.h"
#include "tinta/physics/minima.h"
#include "tinta/physics/score_field.h"

namespace tinta::lab {
namespace {

class Densities : public testing::TestWithParam<std::string> {};

TEST_P(Densities, HaveUnitMassInTheirSquareAndMeanZero) {
  const PlaneDensity density = plane_density(GetParam());
  const physics::PlaneGrid grid{.half_side = density.half_side, .side = 200};
  const at::Tensor points = grid.points();
  const at::Tensor mass = density.denoiser().log_density(points, {}).exp() * grid.cell();
  EXPECT_NEAR(mass.sum().item<double>(), 1, 1e-6);
  const at::Tensor mean = (points * mass.unsqueeze(1)).sum(0);
  EXPECT_LT(mean.abs().max().item<double>(), 1e-5);
  const at::Tensor covariance = (points * mass.unsqueeze(1)).t().matmul(points);
  EXPECT_LT((covariance - density.covariance()).abs().max().item<double>(), 1e-5);
}

// Along a narrow curved ridge a grid makes up minima of depth spacing^2 / (8 sigma^2) < 0.006.
TEST_P(Densities, HaveTheMaximaThatTheyClaim) {
  const PlaneDensity density = plane_density(GetParam());
  const physics::PlaneGrid grid{.half_side = density.half_side, .side = 200};
  for (const double s : {0.0, 0.1, 0.19}) {
    const process::NoiseLevel level{.a = std::sqrt(1 - s * s), .s = s};
    const at::Tensor u = -density.denoiser().log_density(grid.points(), level);
    EXPECT_EQ(physics::find_minima(u.view({200, 200}), grid, 0.01).minima.size(),
              static_cast<std::size_t>(density.maxima))
        << "s = " << s;
  }
}

// The bound holds once in a million seeds.
TEST_P(Densities, SamplesComeFromTheDensity) {
  const PlaneDensity density = plane_density(GetParam());
  const std::int64_t count = 4000;
  const at::Tensor x = density.sample(count, {.seed = 7});
  // Draws of another way: cells of a fine grid in proportion to their mass.
  const physics::PlaneGrid grid{.half_side = density.half_side, .side = 800};
  const at::Tensor points = grid.points();
  const at::Tensor upto = density.denoiser().log_density(points, {}).softmax(0).cumsum(0);
  at::Tensor u = at::empty({count}, at::kDouble);
  for (std::int64_t i = 0; i < count; ++i) {
    u[i] = random_uniform({.seed = 8, .sample = static_cast<std::uint64_t>(i)});
  }
  const at::Tensor y =
      points.index_select(0, at::searchsorted(upto, u).clamp_max(points.size(0) - 1));
  EXPECT_LT(projected_ks(x, y, spread_directions(8)).max().item<double>(),
            projected_ks_critical(count, 8, 1e-6));
}

TEST_P(Densities, ASampleDependsOnItsPlaceAlone) {
  const PlaneDensity density = plane_density(GetParam());
  const at::Tensor all = density.sample(20, {.seed = 3, .stream = Stream::draw});
  const at::Tensor part = density.sample(5, {.seed = 3, .stream = Stream::draw, .sample = 10});
  EXPECT_TRUE(part.equal(all.slice(0, 10, 15)));
}

INSTANTIATE_TEST_SUITE_P(All, Densities, testing::ValuesIn(config::lab_density_names()),
                         [](const auto& item) {
                           std::string name = item.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(PlaneDensity, UnknownNamesAreRefusedAndTheFallbackIsTaken) {
  EXPECT_THROW(plane_density("moon"), ArgumentError);
  EXPECT_EQ(plane_density("", "rings").name, "rings");
  EXPECT_EQ(plane_density("moons", "rings").name, "moons");
}

}  // namespace
}  // namespace tinta::lab
