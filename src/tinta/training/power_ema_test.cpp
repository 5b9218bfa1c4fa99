#include "tinta/training/power_ema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tinta/core/error.h"

namespace tinta::training {
namespace {

/// The shares of theta(1..t) in an average, by carrying out its recursion on unit vectors.
std::vector<double> shares(int t, double gamma) {
  std::vector<double> share(static_cast<std::size_t>(t), 0);
  for (int step = 1; step <= t; ++step) {
    const double beta = power_ema_decay(static_cast<std::uint64_t>(step), gamma);
    for (double& held : share) held *= beta;
    share[static_cast<std::size_t>(step - 1)] += 1 - beta;
  }
  return share;
}

/// Integral over [0, end] of a function, by the midpoint rule.
template <class F>
double integral(double end, const F& f) {
  constexpr int kParts = 200000;
  double sum = 0;
  for (int i = 0; i < kParts; ++i) sum += f((i + 0.5) * end / kParts);
  return sum * end / kParts;
}

double density(const Profile& p, double tau) {
  return tau > p.step ? 0 : (p.gamma + 1) * std::pow(tau, p.gamma) / std::pow(p.step, p.gamma + 1);
}

// Moments of the profile by quadrature, which knows nothing of the closed form.
TEST(PowerEma, TheRelativeWidthIsTheProfilesStandardDeviation) {
  for (const double gamma : {0.0, 1.0, 6.94, 16.97}) {
    const Profile p{.step = 1, .gamma = gamma};
    const double mean = integral(1, [&](double x) { return x * density(p, x); });
    const double square = integral(1, [&](double x) { return x * x * density(p, x); });
    EXPECT_NEAR(relative_width(gamma), std::sqrt(square - mean * mean), 1e-8) << gamma;
  }
}

// The paper's own pairs (section 3.1): sigma_rel = 0.05 and 0.10 are gamma = 16.97 and 6.94.
TEST(PowerEma, WidthsAndExponentsAreThoseOfThePaper) {
  EXPECT_NEAR(gamma_of(0.05), 16.97, 0.005);
  EXPECT_NEAR(gamma_of(0.10), 6.94, 0.005);
  for (const double width : {0.001, 0.01, 0.075, 0.2, 0.28}) {
    EXPECT_NEAR(relative_width(gamma_of(width)), width, 1e-14) << width;
  }
  for (const double bad : {0.0, -0.1, 0.29, std::nan("")}) {
    EXPECT_THROW(static_cast<void>(gamma_of(bad)), ArgumentError) << bad;
  }
}

TEST(PowerEma, ForgetsWhatWasBeforeTheFirstStep) {
  EXPECT_EQ(power_ema_decay(1, 6.94), 0);
  EXPECT_DOUBLE_EQ(power_ema_decay(2, 1), 0.25);
}

// Share of theta(s): (s^(gamma + 1) - (s - 1)^(gamma + 1)) / t^(gamma + 1).
TEST(PowerEma, TheRecursionGivesEachStepItsPartOfTheProfile) {
  for (const double gamma : {0.0, 2.5, 16.97}) {
    constexpr int kSteps = 60;
    const std::vector<double> share = shares(kSteps, gamma);
    double sum = 0;
    for (int s = 1; s <= kSteps; ++s) {
      const double wanted =
          std::pow(double(s) / kSteps, gamma + 1) - std::pow(double(s - 1) / kSteps, gamma + 1);
      EXPECT_NEAR(share[static_cast<std::size_t>(s - 1)], wanted, 1e-14) << gamma << " " << s;
      sum += share[static_cast<std::size_t>(s - 1)];
    }
    EXPECT_NEAR(sum, 1, 1e-13);
  }
}

TEST(PowerEma, InnerProductsAreTheIntegralsOfTheProfilesProducts) {
  const std::vector<Profile> profiles = {
      {.step = 1, .gamma = 3}, {.step = 2.5, .gamma = 16.97}, {.step = 2.5, .gamma = 0.5}};
  for (const Profile& a : profiles) {
    for (const Profile& b : profiles) {
      const double wanted = integral(std::min(a.step, b.step),
                                     [&](double x) { return density(a, x) * density(b, x); });
      EXPECT_NEAR(inner_product(a, b), wanted, 1e-6 * wanted);
    }
  }
}

TEST(PowerEma, InnerProductsOfLongRunsAndNarrowAveragesAreFinite) {
  const Profile early{.step = 1, .gamma = gamma_of(0.001)};
  const Profile late{.step = 1e12, .gamma = gamma_of(0.001)};
  EXPECT_TRUE(std::isfinite(inner_product(early, late)));
  EXPECT_GT(inner_product(early, early), 0);
  EXPECT_GT(inner_product(late, late), 0);
}

TEST(Combination, OfProfilesOneOfWhichIsWantedIsThatOneAlone) {
  std::vector<Profile> there;
  for (int i = 1; i <= 12; ++i) {
    for (const double width : {0.05, 0.10}) there.push_back({100.0 * i, gamma_of(width)});
  }
  for (std::size_t wanted = 20; wanted < 24; ++wanted) {
    const Combination found = combination(there, there[wanted]);
    for (std::size_t i = 0; i < there.size(); ++i) {
      EXPECT_NEAR(found.weights[i], i == wanted ? 1 : 0, 1e-4) << wanted << " " << i;
    }
    EXPECT_LT(found.residual, 1e-6);
  }
}

// Least squares, without a solver: no exchange of weight between two profiles, which keeps the sum,
// brings the combination nearer to what is wanted.
TEST(Combination, NoOtherOneIsNearerByLeastSquares) {
  const std::vector<Profile> there = {{50, gamma_of(0.05)}, {80, gamma_of(0.1)}, {100, 6.94}};
  const Profile wanted{100, gamma_of(0.2)};
  const auto distance = [&](const std::vector<double>& weights) {
    return std::sqrt(integral(100, [&](double tau) {
      double left = density(wanted, tau);
      for (std::size_t i = 0; i < there.size(); ++i) left -= weights[i] * density(there[i], tau);
      return left * left;
    }));
  };
  const Combination found = combination(there, wanted);
  EXPECT_NEAR(found.weights[0] + found.weights[1] + found.weights[2], 1, 1e-12);
  const double nearest = distance(found.weights);
  EXPECT_NEAR(found.residual, nearest / distance({0, 0, 0}), 1e-6);
  EXPECT_GT(found.residual, 0.01);
  for (std::size_t i = 0; i < there.size(); ++i) {
    for (std::size_t j = 0; j < there.size(); ++j) {
      std::vector<double> other = found.weights;
      other[i] += 0.01;
      other[j] -= 0.01;
      if (i != j) {
        EXPECT_GT(distance(other), nearest) << i << " " << j;
      }
    }
  }
}

TEST(Combination, IsMetTheBetterTheMoreThereIs) {
  const auto residual = [](int snapshots) {
    std::vector<Profile> there;
    for (int i = 1; i <= snapshots; ++i) {
      for (const double width : {0.05, 0.10}) {
        there.push_back({1000.0 * i / snapshots, gamma_of(width)});
      }
    }
    return combination(there, {1000, gamma_of(0.075)}).residual;
  };
  EXPECT_LT(residual(4), residual(1));
  EXPECT_LT(residual(16), residual(4));
  EXPECT_LT(residual(16), 0.05);
}

TEST(Combination, StaysSmallWithHundredsOfNearlyEqualProfiles) {
  std::vector<Profile> there;
  for (int i = 1; i <= 300; ++i) {
    for (const double width : {0.05, 0.10}) there.push_back({1000.0 * i, gamma_of(width)});
  }
  const Combination found = combination(there, {300000, gamma_of(0.08)});
  double sum = 0;
  double size = 0;
  for (const double weight : found.weights) {
    sum += weight;
    size += std::abs(weight);
  }
  EXPECT_NEAR(sum, 1, 0.01) << "an average";
  EXPECT_LT(size, 100) << "rounding errors of snapshots must not be multiplied";
  EXPECT_LT(found.residual, 1e-3);
}

TEST(Combination, NeedsSomethingToCombine) {
  EXPECT_THROW(static_cast<void>(combination({}, {10, 3})), ArgumentError);
}

}  // namespace
}  // namespace tinta::training
