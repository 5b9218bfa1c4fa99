#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/error.h"

namespace tinta::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Problems, AreNoneForTheDefaults) { EXPECT_THAT(problems(RunConfig{}), IsEmpty()); }

// One broken rule each: the assignment, and how its only problem begins.
using Case = std::tuple<std::string, std::string>;
class BrokenRule : public ::testing::TestWithParam<Case> {};

TEST_P(BrokenRule, IsNamedWithItsKeyAndValue) {
  RunConfig config;
  set(config, std::get<0>(GetParam()));
  EXPECT_THAT(problems(config), ElementsAre(StartsWith(std::get<1>(GetParam()))));
}

INSTANTIATE_TEST_SUITE_P(
    Data, BrokenRule,
    ::testing::Values(
        Case{"data.source=glyfs",
             "data.source: expected a known name, got \"glyfs\": did you mean \"glyphs\"?"},
        Case{"data.count=0", "data.count: expected a whole number from 1"},
        Case{"data.size=7", "data.size: expected a whole number from 8 to 512, got 7"},
        Case{"data.channels=2", "data.channels: expected 1 or 3, got 2"},
        Case{"data.validation=1", "data.validation: expected a number in [0, 1), got 1.0"},
        Case{"data.path=x", "data.path: expected nothing, as glyphs is built in, got \"x\""},
        Case{"data.source=condor",
             "model.image_channels: expected 3 for data.source = \"condor\", got 1"}));

INSTANTIATE_TEST_SUITE_P(
    Process, BrokenRule,
    ::testing::Values(
        Case{"process.schedule=linaer", "process.schedule: expected a known name"},
        Case{"process.steps=1000001", "process.steps: expected a whole number from 1 to 1000000"},
        Case{"process.steps=49",
             "sampling.steps: expected a whole number from 1 to process.steps = 49, got 50"},
        Case{"process.beta_start=0", "process.beta_start: expected a number in (0, 1), got 0.0"},
        Case{"process.beta_start=0.03", "process.beta_end: expected at least process.beta_start"},
        Case{"process.beta_end=1", "process.beta_end: expected a number in (0, 1), got 1.0"},
        Case{"process.beta_end=nan", "process.beta_end: expected a number in (0, 1), got nan"},
        Case{"process.sigma_min=0", "process.sigma_min: expected a finite number above 0, got 0.0"},
        Case{"process.sigma_max=0.001", "process.sigma_max: expected above process.sigma_min"},
        Case{"process.rho=-1", "process.rho: expected a finite number above 0"},
        Case{"process.sigma_data=0", "process.sigma_data: expected a finite number above 0"},
        Case{"process.log_sigma_mean=nan", "process.log_sigma_mean: expected a finite number"},
        Case{"process.log_sigma_std=0", "process.log_sigma_std: expected a finite number above 0"},
        Case{"process.schedule=edm",
             "model.prediction: expected \"edm\" for process.schedule = \"edm\", got \"eps\""},
        Case{"model.prediction=edm",
             "model.prediction: expected another than \"edm\", which needs process.schedule"},
        Case{"data.augment=0.1", "model.augment_conditioning: expected true, as data.augment"},
        Case{"model.resample=residul", "model.resample: expected a known name"},
        Case{"model.up_attention=lst", "model.up_attention: expected a known name"},
        Case{"model.residual_scale=0", "model.residual_scale: expected a number in (0, 1]"},
        Case{"model.conditioning=feature", "model.conditioning: expected a known name"}));

INSTANTIATE_TEST_SUITE_P(
    Model, BrokenRule,
    ::testing::Values(
        Case{"model.image_channels=3", "model.image_channels: expected 1 for data.source"},
        Case{"model.channels=40",
             "model.channels: expected a multiple of model.groups = 32, got 40"},
        Case{"model.multipliers=1,0,2", "model.multipliers: expected whole numbers from 1"},
        Case{"model.blocks=0", "model.blocks: expected a whole number from 1"},
        Case{"model.attention_levels=3",
             "model.attention_levels: expected rising levels from 0 to 2, got [3]"},
        Case{"model.attention_levels=1,1", "model.attention_levels: expected rising levels"},
        Case{"model.head_dim=48",
             "model.head_dim: expected 0 or a divisor of level 2's width 64, got 48"},
        Case{"model.groups=3", "model.channels: expected a multiple of model.groups = 3, got 32"},
        Case{"model.groups=0", "model.groups: expected a whole number from 1"},
        Case{"model.norm_eps=0", "model.norm_eps: expected a finite number above 0"},
        Case{"model.dropout=1", "model.dropout: expected a number in [0, 1), got 1.0"},
        Case{"model.dropout=nan", "model.dropout: expected a number in [0, 1), got nan"},
        Case{"model.time_conditioning=shft", "model.time_conditioning: expected a known name"},
        Case{"model.time_order=sincos", "model.time_order: expected a known name"},
        Case{"model.time_frequency_shift=16",
             "model.time_frequency_shift: expected a number in [0, 16.0)"},
        Case{"model.downsample=x", "model.downsample: expected a known name"},
        Case{"model.classes=9",
             "model.classes: expected 0 or 10 for data.source = \"glyphs\", got 9"},
        Case{"model.prediction=epsilon", "model.prediction: expected a known name"}));

INSTANTIATE_TEST_SUITE_P(
    Training, BrokenRule,
    ::testing::Values(
        Case{"training.steps=0", "training.steps: expected a whole number from 1"},
        Case{"training.batch=0", "training.batch: expected a whole number from 1"},
        Case{"training.learning_rate=inf",
             "training.learning_rate: expected a finite number above 0, got inf"},
        Case{"training.warmup_steps=-1", "training.warmup_steps: expected at least 0, got -1"},
        Case{"training.decay=linear", "training.decay: expected a known name"},
        Case{"training.beta1=1", "training.beta1: expected a number in [0, 1)"},
        Case{"training.beta2=-0.1", "training.beta2: expected a number in [0, 1)"},
        Case{"training.adam_eps=0", "training.adam_eps: expected a finite number above 0"},
        Case{"training.weight_decay=-1",
             "training.weight_decay: expected a finite number of at least 0"},
        Case{"training.clip_norm=nan",
             "training.clip_norm: expected a finite number of at least 0"},
        Case{"training.ema_decay=1", "training.ema_decay: expected a number in [0, 1)"},
        Case{"training.class_dropout=1.1", "training.class_dropout: expected a number in [0, 1]"},
        Case{"training.precision=fp8", "training.precision: expected a known name, got \"fp8\""},
        Case{"training.log_every=0", "training.log_every: expected at least 1"},
        Case{"training.checkpoint_every=-1", "training.checkpoint_every: expected at least 0"},
        Case{"training.keep_checkpoints=-1", "training.keep_checkpoints: expected at least 0"},
        Case{"training.sample_every=-1", "training.sample_every: expected at least 0"},
        Case{"training.max_skipped=-1", "training.max_skipped: expected a whole number from 0"},
        Case{"training.max_rollbacks=1001",
             "training.max_rollbacks: expected a whole number from 0 to 1000"},
        Case{"training.accumulate=3",
             "training.accumulate: expected a divisor of training.batch = 128, got 3"},
        Case{"training.accumulate=0", "training.accumulate: expected a divisor of training.batch"},
        Case{"training.accumulate=256", "training.accumulate: expected a divisor"},
        Case{"training.ramp_images=-1", "training.ramp_images: expected a whole number from 0"},
        Case{"training.reference_steps=0",
             "training.reference_steps: expected a whole number from 1"},
        Case{"training.ema_relative_widths=0.1,0.05",
             "training.ema_relative_widths: expected at most 8 rising numbers from 0.001 to 0.28, "
             "got [0.1, 0.05]"},
        Case{"training.ema_relative_widths=0.1,0.1", "training.ema_relative_widths: expected"},
        Case{"training.ema_relative_widths=0.3", "training.ema_relative_widths: expected"},
        Case{"training.ema_relative_widths=0", "training.ema_relative_widths: expected"},
        Case{"training.ema_relative_widths=nan", "training.ema_relative_widths: expected"},
        Case{"training.ema_relative_widths=.01,.02,.03,.04,.05,.06,.07,.08,.09",
             "training.ema_relative_widths: expected at most 8"},
        Case{"training.validate_every=-1", "training.validate_every: expected at least 0"},
        Case{"training.validation_images=-1", "training.validation_images: expected at least 0"},
        Case{"training.patience=-1", "training.patience: expected at least 0"},
        Case{"training.validate_every=10",
             "data.validation: expected above 0, as training.validate_every = 10, got 0.0"},
        Case{"training.patience=2",
             "training.patience: expected 0 without training.validate_every, got 2"}));

TEST(Problems, AValidationNeedsHeldOutPicturesAndNothingMore) {
  RunConfig config;
  for (const char* key : {"training.validate_every=10", "training.patience=2",
                          "training.ema_relative_widths=0.05,0.1", "training.accumulate=128",
                          "data.validation=0.1"}) {
    set(config, key);
  }
  EXPECT_THAT(problems(config), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Sampling, BrokenRule,
    ::testing::Values(
        Case{"sampling.sampler=ddimm",
             "sampling.sampler: expected a known name, got \"ddimm\": did you mean \"ddim\"?"},
        Case{"sampling.steps=1001",
             "sampling.steps: expected a whole number from 1 to process.steps = 1000"},
        Case{"sampling.eta=2", "sampling.eta: expected a number in [0, 1]"},
        Case{"sampling.variance=bta", "sampling.variance: expected a known name"},
        Case{"sampling.guidance=2", "sampling.guidance: expected 1 for an unconditional model"}));

TEST(Problems, ListsEveryBrokenRuleAtOnce) {
  RunConfig config;
  set(config, "training.batch=0");
  set(config, "model.dropout=2");
  set(config, "process.beta_end=5");
  EXPECT_EQ(problems(config).size(), 3U);
  try {
    require_valid(config, "run.toml");
    FAIL() << "expected an ArgumentError";
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(), StartsWith("[run.toml] 3 problems:\n  process.beta_end: "));
    EXPECT_THAT(error.what(), HasSubstr("\n  model.dropout: "));
    EXPECT_THAT(error.what(), HasSubstr("\n  training.batch: "));
  }
}

TEST(Problems, GuidanceOfAConditionalModelIsAnyFiniteScaleFromZero) {
  RunConfig config;
  config.model.classes = 10;
  for (const double scale : {0.0, 1.0, 2.5}) {
    config.sampling.guidance = scale;
    EXPECT_THAT(problems(config), IsEmpty());
  }
  for (const double scale : {-1.0, std::nan(""), HUGE_VAL}) {
    config.sampling.guidance = scale;
    EXPECT_THAT(problems(config), ElementsAre(StartsWith("sampling.guidance: expected a finite")));
  }
}

TEST(Problems, RefusesAnEmptyNetwork) {
  RunConfig config;
  set(config, "model.multipliers=[]");
  set(config, "model.attention_levels=[]");
  EXPECT_THAT(problems(config),
              ElementsAre(HasSubstr("model.multipliers: expected 1 to 12 levels")));
}

TEST(Problems, RefusesPathsThatTomlCannotHold) {
  RunConfig config;
  config.data.source = "mnist";
  config.data.path = "\xFF";
  EXPECT_THAT(problems(config), ElementsAre(StartsWith("data.path: expected UTF-8 text")));
}

}  // namespace
}  // namespace tinta::config
