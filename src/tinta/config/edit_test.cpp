#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/value.h"
#include "tinta/config/visit.h"
#include "tinta/core/error.h"

namespace tinta::config {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::string& assignment) {
  RunConfig config;
  try {
    set(config, assignment);
  } catch (const ArgumentError& error) {
    EXPECT_EQ(config, RunConfig{}) << "a refused assignment changes nothing";
    return error.what();
  }
  return "no error";
}

TEST(Set, SetsEveryKindOfValue) {
  RunConfig config;
  set(config, "training.batch=64");
  set(config, "training.learning_rate = 1e-3");
  set(config, "model.multipliers=[1, 2, 4]");
  set(config, "model.attention-levels=");
  set(config, "model.mid_attention=false");
  set(config, "data.path=a=b");
  set(config, "training.seed=18446744073709551615");
  EXPECT_EQ(config.training.batch, 64);
  EXPECT_EQ(config.training.learning_rate, 1e-3);
  EXPECT_EQ(config.model.multipliers, (std::vector<std::int64_t>{1, 2, 4}));
  EXPECT_TRUE(config.model.attention_levels.empty());
  EXPECT_FALSE(config.model.mid_attention);
  EXPECT_EQ(config.data.path, "a=b");
  EXPECT_EQ(config.training.seed, 18446744073709551615U);
}

TEST(Set, TakesTheTomlTextOfEveryKey) {
  RunConfig source;
  source.data.path = "some folder";
  source.model.multipliers = {1, 2, 3};
  RunConfig copy;
  for_each_field(
      source, [&](const std::string& key, auto& value) { set(copy, key + "=" + to_text(value)); });
  EXPECT_EQ(copy, source);
}

TEST(Set, SuggestsTheNearestKey) {
  EXPECT_THAT(error_of("training.bach=3"), HasSubstr("did you mean \"training.batch\"?"));
  EXPECT_THAT(error_of("learning_rate=3"), HasSubstr("did you mean \"training.learning_rate\"?"));
}

TEST(Set, SaysWhatAKeyExpects) {
  EXPECT_THAT(error_of("training.batch=many"),
              HasSubstr("training.batch: expected a whole number, got \"many\""));
  EXPECT_THAT(error_of("training.batch"), HasSubstr("expected key=value"));
  EXPECT_THAT(error_of("=3"), HasSubstr("expected key=value"));
}

TEST(Differences, NamesKeysWithBothValuesInOrder) {
  RunConfig left, right;
  right.training.batch = 7;
  right.data.path = "x";
  const auto found = differences(left, right);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].key, "data.path");
  EXPECT_EQ(found[0].left, "\"\"");
  EXPECT_EQ(found[0].right, "\"x\"");
  EXPECT_EQ(found[1].key, "training.batch");
  EXPECT_EQ(found[1].left, "128");
  EXPECT_EQ(found[1].right, "7");
  EXPECT_TRUE(differences(left, left).empty());
}

TEST(MayChangeOnResume, HoldsForLengthsIntervalsAndSamplingOnly) {
  std::vector<std::string> free;
  RunConfig config;
  for_each_field(config, [&](const std::string& key, auto&) {
    if (may_change_on_resume(key)) free.push_back(key);
  });
  EXPECT_THAT(free,
              ::testing::ElementsAre(
                  "data.path", "model.recompute", "training.steps", "training.log_every",
                  "training.checkpoint_every", "training.keep_checkpoints", "training.sample_every",
                  "training.validate_every", "training.patience", "training.max_skipped",
                  "training.max_rollbacks", "sampling.sampler", "sampling.steps", "sampling.eta",
                  "sampling.variance", "sampling.guidance", "sampling.clip_x0"));
}

}  // namespace
}  // namespace tinta::config
