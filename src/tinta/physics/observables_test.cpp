#include "tinta/physics/observables.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/random.h"

namespace tinta::physics {
namespace {

// x' = memory x + sqrt(1 - memory^2) r: variance 1, correlation memory^lag, and integrated
// correlation time 1/2 + memory / (1 - memory).
std::vector<double> remembering(double memory, std::int64_t count, std::uint64_t seed) {
  const at::Tensor noise = kernels::normal({1, count}, {.seed = seed, .stream = Stream::test});
  const auto* r = noise.const_data_ptr<float>();
  std::vector<double> values(static_cast<std::size_t>(count));
  double x = r[0];
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = x;
    x = memory * x + std::sqrt(1 - memory * memory) * r[i];
  }
  return values;
}

TEST(MeanOfSeries, ErrorAllowsForCorrelation) {
  constexpr std::int64_t kCount = 1 << 18;
  for (const double memory : {0.0, 0.5, 0.95}) {
    const Estimate got = mean_of_series(remembering(memory, kCount, 1));
    const double exact = std::sqrt((1 + memory) / (1 - memory) / kCount);
    // Blocking knows its error to some percent at the level where it stops.
    EXPECT_NEAR(got.error / exact, 1, 0.15) << memory;
    EXPECT_LT(std::abs(got.value), 5 * exact) << memory;
  }
}

// The error bar itself: the share of 400 series whose mean lies within one error bar is 68 percent.
// Bounds are 5 standard errors of that share, and 4 percent for bars that are too short because
// blocking stops early.
TEST(MeanOfSeries, ErrorBarsCoverTheTruthAsOftenAsTheyShould) {
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Estimate got = mean_of_series(remembering(0.8, 8192, 100 + seed));
    if (std::abs(got.value) < got.error) ++covered;
  }
  EXPECT_NEAR(covered / 400.0, 0.683, 5 * std::sqrt(0.683 * 0.317 / 400) + 0.04);
}

TEST(CorrelationTime, IsThatOfAnAutoregressiveSeries) {
  for (const double memory : {0.0, 0.5, 0.9}) {
    const Estimate got = correlation_time(remembering(memory, 200'000, 3));
    const double exact = 0.5 + memory / (1 - memory);
    EXPECT_NEAR(got.value, exact, 5 * got.error + std::exp(-6) * exact) << memory;
    EXPECT_LT(got.error / exact, 0.05) << memory;
  }
  EXPECT_EQ(correlation_time({1, 1, 1, 1, 1}).value, 0.5);
}

TEST(MeanOf, IsTheSampleMeanWithItsStandardError) {
  const Estimate got = mean_of(at::tensor({1.0, 2.0, 3.0, 4.0}, at::kDouble));
  EXPECT_DOUBLE_EQ(got.value, 2.5);
  EXPECT_NEAR(got.error, std::sqrt(5.0 / 3 / 4), 1e-15);
  EXPECT_THROW(mean_of(at::zeros({1})), ArgumentError);
}

TEST(Slope, IsExactOnALineAndWeighsPoints) {
  const Estimate line = slope({0, 1, 3}, {1, 3, 7}, {0.1, 0.2, 0.3});
  EXPECT_NEAR(line.value, 2, 1e-14);
  // Equal errors e at t = -1, 0, 1: the slope's error is e / sqrt(2).
  EXPECT_NEAR(slope({-1, 0, 1}, {0, 0, 0}, {0.3, 0.3, 0.3}).error, 0.3 / std::sqrt(2), 1e-15);
  // A point that nothing is known of changes nothing.
  EXPECT_NEAR(slope({0, 1, 2}, {0, 1, 50}, {1, 1, 1e9}).value, 1, 1e-12);
  EXPECT_THROW(slope({0, 1}, {0, 1}, {1, 0}), ArgumentError);
  EXPECT_THROW(slope({1, 1}, {0, 1}, {1, 1}), ArgumentError);
}

TEST(Histogram, CountsEveryValueOnce) {
  const Histogram got =
      histogram(at::tensor({0.0, 0.25, 0.5, 1.0, -0.1, 1.1}, at::kDouble), 0, 1, 2);
  EXPECT_EQ(got.count, 6);
  EXPECT_EQ(got.outside, 2);
  EXPECT_EQ(got.edges, (std::vector<double>{0, 0.5, 1}));
  EXPECT_NEAR(got.density[0], 2.0 / 6 / 0.5, 1e-15);
  EXPECT_NEAR(got.density[1], 2.0 / 6 / 0.5, 1e-15);
  EXPECT_NEAR(got.error[0], std::sqrt(1.0 / 3 * 2 / 3 / 6) / 0.5, 1e-15);
  EXPECT_THROW(histogram(at::zeros({3}), 1, 1, 2), ArgumentError);
}

TEST(Histogram2d, RowsRunUpwards) {
  const at::Tensor x =
      at::tensor({0.1, 0.1, 0.9, 0.1, 0.9, 1.0, 5.0, 0.5}, at::kDouble).view({4, 2});
  const at::Tensor got = histogram2d(x, 0, 1, 0, 1, 2, 2);
  EXPECT_TRUE(at::equal(got, at::tensor({1, 1, 0, 1}, at::kLong).view({2, 2}))) << got;
}

TEST(Observables, EnergiesAndDisplacements) {
  const Ensemble ensemble{.x = at::tensor({3.0f, 4.0f}).view({1, 2}),
                          .v = at::tensor({1.0f, 2.0f}).view({1, 2})};
  EXPECT_EQ(square_displacement(ensemble, at::zeros({1, 2})).item<double>(), 25);
  EXPECT_EQ(kinetic_energy(ensemble, 3).item<double>(), 7.5);
  EXPECT_THROW(kinetic_energy({.x = ensemble.x}, 1), ArgumentError);
}

TEST(Flux, IsTheNetNumberThatCrossed) {
  const at::Tensor before = at::tensor({-1.0, 1.0, -1.0, 2.0}, at::kDouble).view({4, 1});
  const at::Tensor after = at::tensor({1.0, -1.0, 0.0, 3.0}, at::kDouble).view({4, 1});
  EXPECT_EQ(flux(before, after, 0, 0), 1);
  EXPECT_EQ(flux(after, before, 0, 0), -1);
}

}  // namespace
}  // namespace tinta::physics
