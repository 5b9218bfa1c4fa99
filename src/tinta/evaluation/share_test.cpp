#include "tinta/evaluation/share.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/error.h"

namespace tinta::evaluation {
namespace {

// What defines Wilson's interval: at its ends, the share found lies z standard errors away.
TEST(Share, TheEndsOfItsIntervalAreWhereTheShareIsJustPossible) {
  for (const Share share : {Share{85, 100}, Share{1, 7}, Share{0, 20}, Share{20, 20}}) {
    const auto [low, high] = share.interval();
    for (const double p : {low, high}) {
      const double error = std::sqrt(p * (1 - p) / static_cast<double>(share.of));
      if (error < 1e-9) continue;  // 0 and 1 are ends of the one-sided kind
      EXPECT_NEAR(std::abs(share.value() - p) / error, 1.959963984540054, 1e-9) << share.text();
    }
    EXPECT_LE(low, share.value() + 1e-15);
    EXPECT_GE(high, share.value() - 1e-15);
  }
}

// scipy 1.17.1: binomtest(83, 100).proportion_ci(method="wilson"), binomtest(3, 7) likewise.
// statsmodels 0.14: proportion_confint(8, 10, method="wilson") is (0.4901625, 0.9433178).
TEST(Share, AgreesWithOtherPrograms) {
  const auto [low, high] = Share{83, 100}.interval();
  EXPECT_NEAR(low, 0.7445199523239887, 1e-12);
  EXPECT_NEAR(high, 0.8910643388594006, 1e-12);
  EXPECT_NEAR((Share{3, 7}.interval().first), 0.1582198552514697, 1e-12);
  EXPECT_EQ((Share{8, 10}.text()), "80.0% (49.0% to 94.3%)");
  EXPECT_GT((Share{10, 10}.standard_error()), 0);
}

TEST(Recognition, CountsWhatWasAskedForAndWhatWasSeen) {
  const at::Tensor asked = at::tensor({0, 0, 0, 2, 2}, at::kLong);
  const at::Tensor seen = at::tensor({0, 1, 0, 2, 0}, at::kLong);
  const Recognition found = recognition(asked, seen, 3);
  EXPECT_EQ(found.all.hits, 3);
  EXPECT_EQ(found.all.of, 5);
  EXPECT_TRUE(
      at::equal(found.confusion, at::tensor({2, 1, 0, 0, 0, 0, 1, 0, 1}, at::kLong).view({3, 3})));
  EXPECT_EQ(found.by_class[0].hits, 2);
  EXPECT_EQ(found.by_class[0].of, 3);
  EXPECT_EQ(found.by_class[1].of, 0);
  EXPECT_EQ(found.by_class[2].hits, 1);
}

TEST(Recognition, RefusesLabelsThatAreNone) {
  const at::Tensor fine = at::tensor({0, 1}, at::kLong);
  EXPECT_THROW(recognition(fine, at::tensor({0, 2}, at::kLong), 2), ArgumentError);
  EXPECT_THROW(recognition(at::tensor({-1, 0}, at::kLong), fine, 2), ArgumentError);
  EXPECT_THROW(recognition(at::tensor({0}, at::kLong), fine, 2), ArgumentError);
  EXPECT_THROW(recognition(fine.to(at::kInt), fine, 2), ArgumentError);
  EXPECT_THROW(recognition(at::empty({0}, at::kLong), at::empty({0}, at::kLong), 2), ArgumentError);
}

}  // namespace
}  // namespace tinta::evaluation
