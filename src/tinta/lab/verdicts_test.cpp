#include "tinta/lab/verdicts.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/statistics.h"
#include "tinta/lab/boltzmann.h"

namespace tinta::lab {
namespace {

TEST(Verdicts, SubSeedsOfOneRowDiffer) {
  EXPECT_NE(sub_seed(0, 0), sub_seed(0, 1));
  EXPECT_NE(sub_seed(0, 0), sub_seed(1, 0));
}

// The normal scale is good to a few percent of a deviation at 5 of them, at the degrees of freedom
// that rows have.
TEST(Verdicts, ChiSquareDeviationsAreNormalOnes) {
  for (const double dof : {59.0, 479.0}) {
    for (const double statistic : {0.8 * dof, dof, 1.3 * dof}) {
      const double z = chi_square_deviations(statistic, dof);
      EXPECT_NEAR(normal_quantile(1 - chi_square_survival(statistic, dof)), z, 0.02);
    }
  }
}

TEST(Verdicts, VarianceOfOneSampleIsItsChiSquare) {
  EXPECT_NEAR(variance_deviations(1.02, 1001), chi_square_deviations(1020, 1000), 1e-12);
}

TEST(Verdicts, CountsBetweenKeepWhatLiesBeyondTheEdges) {
  const at::Tensor counts = counts_between(tensor_of({-9, 0.5, 1.5, 1.7, 99}), {0, 1, 2});
  EXPECT_EQ(vector_of(counts), (std::vector<double>{2, 3}));
}

TEST(Verdicts, SlopeWeightsFindASlopeUnderAnyIntercept) {
  const std::vector<double> t = {0, 1, 3, 7};
  const at::Tensor y = 2.5 * tensor_of(t) + 40;
  EXPECT_NEAR((slope_weights(t) * y).sum().item<double>(), 2.5, 1e-12);
}

TEST(Boltzmann, SharesOfAQuadraticWellAreNormalOnes) {
  const Boltzmann well([](double x) { return 2 * x * x; }, 0.5, -10, 10);
  const double width = std::sqrt(0.5 / 4);
  const auto shares = well.shares({-1, 0.1, 0.2, 1});
  // The outermost cell is wide for the quadrature.
  EXPECT_NEAR(shares[0], normal_cdf(0.1 / width), 1e-7);
  EXPECT_NEAR(shares[1], normal_cdf(0.2 / width) - normal_cdf(0.1 / width), 1e-12);
  EXPECT_NEAR(well.mean([](double x) { return x * x; }), width * width, 1e-12);
  EXPECT_NEAR(well.mean_energy(), 0.25, 1e-12);
}

}  // namespace
}  // namespace tinta::lab
