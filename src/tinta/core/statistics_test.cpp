#include "tinta/core/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"

namespace tinta {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> sorted_normals(std::size_t count, std::uint64_t seed, double shift = 0) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = random_normal({.seed = seed, .sample = i}) + shift;
  }
  std::sort(values.begin(), values.end());
  return values;
}

// SciPy 1.17.1's stats.norm.ppf.
TEST(NormalQuantile, HasTheKnownValues) {
  EXPECT_NEAR(normal_quantile(1e-300) / -37.0470962993612, 1, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-20) / -9.262340089798409, 1, 1e-14);
  EXPECT_NEAR(normal_quantile(0.025), -1.9599639845400545, 1e-14);
  EXPECT_NEAR(normal_quantile(0.975), 1.9599639845400545, 1e-14);
  EXPECT_NEAR(normal_quantile(0.3), -0.5244005127080409, 1e-14);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-15);
}

TEST(NormalQuantile, UndoesTheDistributionFunction) {
  for (double x = -30; x <= 5; x += 0.37) {
    EXPECT_NEAR(normal_quantile(normal_cdf(x)), x, 1e-9 * std::max(1.0, std::exp(x * x / 2 - 5)))
        << x;
  }
}

TEST(TwoSidedError, IsTheKnownRule) {
  EXPECT_NEAR(two_sided_error(1), 0.31731050786291415, 1e-15);
  EXPECT_NEAR(two_sided_error(5), 5.733031437583869e-7, 1e-20);
}

TEST(CriticalDeviations, UndoesTheErrorAndSharesItOut) {
  EXPECT_NEAR(critical_deviations(two_sided_error(5)), 5, 1e-12);
  EXPECT_NEAR(two_sided_error(critical_deviations(1e-6, 136)) * 136, 1e-6, 1e-15);
}

// SciPy 1.17.1's stats.chi2.sf.
TEST(ChiSquareSurvival, HasTheKnownValues) {
  struct Case {
    double x, dof, survival;
  };
  for (const Case& c :
       {Case{0.1, 1, 0.7518296340458492}, Case{3.841458820694124, 1, 0.05},
        Case{10, 5, 0.07523524614651217}, Case{150, 100, 0.0009039320423540184},
        Case{90, 100, 0.7531979655998298}, Case{1200, 1000, 1.2255942330622893e-05},
        Case{101000, 100000, 0.012868840377233648}, Case{300, 10, 1.5546747543803087e-58},
        Case{0.5, 0.3, 0.15604916709686203}}) {
    EXPECT_NEAR(chi_square_survival(c.x, c.dof) / c.survival, 1, 1e-9) << c.x << " " << c.dof;
  }
}

// With two degrees of freedom it is an exponential, with one the tail of a squared normal.
TEST(ChiSquareSurvival, HasItsClosedForms) {
  for (const double x : {0.0, 1e-6, 0.7, 1.9, 2.1, 12.0, 400.0}) {
    EXPECT_NEAR(chi_square_survival(x, 2), std::exp(-x / 2), 1e-14) << x;
    EXPECT_NEAR(chi_square_survival(x, 1), two_sided_error(std::sqrt(x)), 1e-14) << x;
  }
  EXPECT_EQ(chi_square_survival(std::numeric_limits<double>::infinity(), 3), 0);
}

TEST(ChiSquareDeviations, HaveTheTailsOfANormal) {
  for (const double dof : {12.0, 152.0, 20000.0}) {
    for (const double deviations : {-2.0, 0.5, 3.0, 5.0}) {
      const double root = 1 - 2 / (9 * dof) + deviations * std::sqrt(2 / (9 * dof));
      const double x = dof * root * root * root;
      EXPECT_NEAR(chi_square_deviations(x, dof), deviations, 1e-9);
      EXPECT_NEAR(chi_square_survival(x, dof) / normal_cdf(-deviations), 1, 0.4)
          << dof << " " << deviations;
    }
  }
}

TEST(KsDistance, IsTheGreatestStep) {
  const auto uniform = [](double x) { return x; };
  EXPECT_DOUBLE_EQ(ks_distance(std::vector<double>{0.5}, uniform), 0.5);
  EXPECT_DOUBLE_EQ(ks_distance(std::vector<double>{0.25, 0.75}, uniform), 0.25);
  EXPECT_DOUBLE_EQ(ks_distance(std::vector<double>{0.1, 0.2, 0.3}, uniform), 0.7);
}

// The bound is wrong in 1e-6 of seeds; a shift of a tenth of a deviation moves the distribution
// function by 0.04, eight times the critical distance.
TEST(KsDistance, KnowsNormalsFromShiftedOnes) {
  const std::size_t count = 200000;
  const double critical = ks_critical(count, 1e-6);
  EXPECT_LT(ks_distance(sorted_normals(count, 1), normal_cdf), critical);
  EXPECT_GT(ks_distance(sorted_normals(count, 1, 0.1), normal_cdf), critical);
}

TEST(KsCritical, IsMassartsBound) {
  EXPECT_NEAR(ks_critical(100, 0.05), 0.13581015157406195, 1e-15);
  EXPECT_NEAR(ks_critical(40000, 0.05), 0.13581015157406195 / 20, 1e-15);
}

TEST(CompensatedSum, KeepsWhatPlainSumsLose) {
  CompensatedSum sum;
  for (const double term : {1.0, 1e100, 1.0, -1e100}) sum.add(term);
  EXPECT_EQ(sum.value(), 2);
  CompensatedSum tenths;
  for (int i = 0; i < 1000000; ++i) tenths.add(0.1);
  EXPECT_EQ(tenths.value(), 100000);
}

TEST(Trapezoid, IsExactOnAGaussian) {
  const auto density = [](double x) {
    return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
  };
  EXPECT_NEAR(trapezoid(density, -12, 12, 48), 1, 1e-15);
  EXPECT_NEAR(trapezoid([&](double x) { return x * x * density(x); }, -12, 12, 64), 1, 1e-15);
  EXPECT_NEAR(trapezoid([](double x) { return x; }, 1, 3, 1), 4, 1e-15);
}

TEST(Simpson, IsExactOnCubicsAndOfFourthOrder) {
  EXPECT_NEAR(simpson([](double x) { return x * x * x; }, 0, 2, 2), 4, 1e-14);
  const auto error = [](std::size_t intervals) {
    return simpson([](double x) { return std::exp(x); }, 0, 1, intervals) - std::expm1(1.0);
  };
  EXPECT_NEAR(error(8) / error(16), 16, 0.2);
}

TEST(Statistics, RefusesWhatIsOutOfRange) {
  const auto zero = [](double) { return 0.0; };
  EXPECT_THROW((void)normal_cdf(kNan), ArgumentError);
  EXPECT_THROW((void)normal_quantile(0), ArgumentError);
  EXPECT_THROW((void)normal_quantile(1), ArgumentError);
  EXPECT_THROW((void)two_sided_error(-1), ArgumentError);
  EXPECT_THROW((void)critical_deviations(1e-6, 0), ArgumentError);
  EXPECT_THROW((void)chi_square_survival(-1, 3), ArgumentError);
  EXPECT_THROW((void)chi_square_survival(1, 0), ArgumentError);
  EXPECT_THROW((void)ks_distance({}, zero), ArgumentError);
  EXPECT_THROW((void)ks_distance(std::vector<double>{2, 1}, zero), ArgumentError);
  EXPECT_THROW((void)ks_distance(std::vector<double>{kNan}, zero), ArgumentError);
  EXPECT_THROW((void)ks_critical(0, 0.1), ArgumentError);
  EXPECT_THROW((void)trapezoid(zero, 0, kNan, 4), ArgumentError);
  EXPECT_THROW((void)trapezoid(zero, 0, 1, 0), ArgumentError);
  EXPECT_THROW((void)simpson(zero, 0, 1, 3), ArgumentError);
}

}  // namespace
}  // namespace tinta
