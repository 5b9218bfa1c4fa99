#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"

namespace tinta::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

std::string error_of(const std::string& name) {
  try {
    static_cast<void>(preset_or_file(name));
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "no error";
}

/// A folder of its own for each test, removed afterwards.
class PresetOrFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(::testing::TempDir()) /
        ("tinta_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

  fs::path folder_;
};

TEST(Presets, AreTheFilesOfTheFolder) {
  EXPECT_THAT(preset_names(), ElementsAre("arrays", "cifar10", "cifar10-ddpm", "cifar10-edm",
                                          "cifar10-small", "cifar10-thesis", "cifar100", "condor",
                                          "folder", "glyphs", "mnist", "mnist-bench"));
  for (const std::string& name : preset_names()) {
    EXPECT_EQ(preset_toml(name), read_text(TINTA_SOURCE_DIR "/presets/" + name + ".toml"));
  }
}

TEST(Presets, CanRunAndSayWhatTheyAre) {
  for (const std::string& name : preset_names()) {
    EXPECT_THAT(problems(preset(name)), IsEmpty()) << name;
    EXPECT_GT(preset_summary(name).size(), 20U) << name;
  }
}

// Section 3.2 of the thesis.
TEST(Presets, Cifar10ThesisIsTheRecipeOfTheThesis) {
  const RunConfig config = preset("cifar10-thesis");
  constexpr std::int64_t kPictures = 50000, kEpochs = 100;
  EXPECT_EQ(config.training.batch, 256);
  EXPECT_EQ(config.training.learning_rate, 1e-3);
  EXPECT_EQ(config.training.decay, "constant");
  EXPECT_EQ(config.training.steps, kEpochs * kPictures / config.training.batch);
  EXPECT_EQ(config.training.log_every, kPictures / config.training.batch) << "a line an epoch";
  EXPECT_EQ(config.model.classes, 10);
  EXPECT_EQ(config.model.prediction, "eps");
  EXPECT_EQ(config.process.steps, 1000);
}

TEST(Presets, Cifar10IsTheNetworkAndTrainingOfHoEtAl) {
  const RunConfig config = preset("cifar10-ddpm");
  EXPECT_EQ(config.model.channels, 128);
  EXPECT_THAT(config.model.multipliers, ElementsAre(1, 2, 2, 2));
  EXPECT_THAT(config.model.attention_levels, ElementsAre(1));
  EXPECT_EQ(config.model.blocks, 2);
  EXPECT_EQ(config.model.dropout, 0.1);
  EXPECT_EQ(config.model.classes, 0);
  EXPECT_EQ(config.training.steps, 800000);
  EXPECT_EQ(config.training.warmup_steps, 5000);
  EXPECT_EQ(config.training.ema_decay, 0.9999);
  EXPECT_EQ(config.process.beta_end, 0.02);
}

TEST(Presets, Cifar10EdmIsTheRecipeOfKarrasEtAl) {
  const RunConfig config = preset("cifar10-edm");
  EXPECT_EQ(config.training.batch * config.training.steps, 200'000'000);
  // Half of an average's weight is gone after half a million pictures.
  EXPECT_NEAR(std::pow(config.training.ema_decay, 500'000.0 / 512), 0.5, 1e-6);
  EXPECT_NEAR(config.model.residual_scale * config.model.residual_scale, 0.5, 1e-15);
  EXPECT_EQ(config.data.augment, 0.12);
  EXPECT_EQ(config.sampling.steps, 18);
}

TEST(Presets, SuggestTheNearestName) {
  EXPECT_THAT(error_of("mnst"), HasSubstr("did you mean \"mnist\"?"));
  EXPECT_THROW(static_cast<void>(preset("mnst")), ArgumentError);
}

TEST_F(PresetOrFile, ReadsAFile) {
  write("mine.toml", "[training]\nbatch = 5\n");
  EXPECT_EQ(preset_or_file((folder_ / "mine.toml").string()).training.batch, 5);
}

TEST_F(PresetOrFile, ReadsARunFolder) {
  EXPECT_THAT(error_of(folder_.string()), HasSubstr("holds no config.toml"));
  write("config.toml", "[training]\nbatch = 6\n");
  EXPECT_EQ(preset_or_file(folder_.string()).training.batch, 6);
}

TEST_F(PresetOrFile, RefusesAFileThatDoesNotExist) {
  EXPECT_THAT(error_of((folder_ / "none.toml").string()), HasSubstr("does not exist"));
}

TEST(Resolved, AppliesOverridesInOrder) {
  const std::vector<std::string> overrides = {"training.seed=1", "training.seed=2"};
  EXPECT_EQ(resolved("mnist", overrides).training.seed, 2U);
}

}  // namespace
}  // namespace tinta::config
