#include "tinta/training/skips.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tinta::training {
namespace {

TEST(Skips, CountBadStepsInARowFromTheFirst) {
  Skips skips;
  skips.count_taken(1);
  skips.count_bad(2);
  skips.count_bad(3);
  EXPECT_EQ(skips, (Skips{.total = 2, .in_row = 2, .first_bad = 2, .last_bad = 3}));
  skips.count_taken(4);
  EXPECT_EQ(skips, (Skips{.total = 2, .last_bad = 3}));
  skips.count_bad(7);
  EXPECT_EQ(skips.first_bad, 7u);
  EXPECT_EQ(skips.in_row, 1u);
}

TEST(Skips, AStepThatIsPassedOverIsNeitherGoodNorBad) {
  Skips skips;
  skips.count_bad(3);
  const Skips before = skips;
  skips.count_passed_over();
  EXPECT_EQ(skips.total, before.total + 1);
  skips.total = before.total;
  EXPECT_EQ(skips, before);
}

TEST(Skips, PassOverTheirRangesEndsIncludedAndForgetThemLater) {
  Skips skips{.passed_over = {{3, 5}, {9, 9}}};
  for (const std::uint64_t step : {3, 4, 5, 9}) EXPECT_TRUE(skips.passes_over(step)) << step;
  for (const std::uint64_t step : {2, 6, 8, 10}) EXPECT_FALSE(skips.passes_over(step)) << step;
  skips.count_taken(6);
  EXPECT_EQ(skips.passed_over, (std::vector<StepRange>{{9, 9}}));
}

TEST(Skips, RollbacksAreForgottenAfterAHundredStepsWithoutABadOne) {
  Skips skips{.last_bad = 40, .rollbacks = 2};
  skips.count_taken(40 + Skips::kForgotten - 1);
  EXPECT_EQ(skips.rollbacks, 2u);
  skips.count_taken(40 + Skips::kForgotten);
  EXPECT_EQ(skips.rollbacks, 0u);
}

TEST(Skips, AreReadAsTheyWereWrittenAndAsNoneFromWhatIsOlder) {
  const Skips skips{.total = 9,
                    .in_row = 2,
                    .first_bad = 11,
                    .last_bad = 12,
                    .rollbacks = 1,
                    .passed_over = {{14, 20}, {31, 31}}};
  EXPECT_EQ(skips_from(to_json(skips)), skips);
  EXPECT_EQ(skips_from(nlohmann::json::object()), Skips{});
  EXPECT_THROW(static_cast<void>(skips_from({{"total", "many"}})), nlohmann::json::exception);
}

}  // namespace
}  // namespace tinta::training
