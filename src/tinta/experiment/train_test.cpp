#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"
#include "tinta/experiment/commands.h"

namespace tinta::experiment {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// In an empty folder of its own, so that runs may be named as a user names them.
class TrainTest : public testing::Test {
 protected:
  TrainTest() { fs::current_path(folder_.path()); }
  ~TrainTest() override { fs::current_path(before_); }

  static config::TrainOptions options(const std::string& preset, const std::string& out) {
    return {
        .preset_or_file = preset,
        .out = out,
        .overrides = {"model.channels=8", "model.groups=4", "model.multipliers=1",
                      "model.attention_levels=", "model.mid_attention=false", "process.steps=20",
                      "training.batch=2", "training.warmup_steps=0", "training.decay=constant",
                      "training.checkpoint_every=0", "training.sample_every=0", "sampling.steps=2",
                      "data.count=10", "data.size=12", "training.precision=fp32"},
        .steps = 4,
        .machine = {.device = config::Device::cpu, .threads = 1}};
  }
  static config::TrainOptions resumed(const std::string& out) {
    return {.out = out, .resume = true, .machine = {.device = config::Device::cpu, .threads = 1}};
  }
  static std::string train(const config::TrainOptions& options) {
    return run_train(options, {}, {});
  }
  static std::string weights(const std::string& run, const std::string& checkpoint) {
    return read_text(fs::path(run) / "checkpoints" / checkpoint / "model.safetensors");
  }

 private:
  fs::path before_ = fs::current_path();
  TestFolder folder_;
};

struct Killed {};

/// Leaves a run as a kill in step `step`, before it is saved, does.
void train_and_kill(const config::TrainOptions& options, long long step) {
  const Sinks sinks{.progress = [=](const Progress& progress) {
    if (progress.done == step) throw Killed{};
  }};
  EXPECT_THROW(static_cast<void>(run_train(options, sinks, {})), Killed);
}

std::string idx_header(std::initializer_list<std::uint32_t> words) {
  std::string bytes;
  for (const std::uint32_t word : words) {
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(word >> shift & 0xFF);
  }
  return bytes;
}

/// Three grey pictures of each of ten classes.
void write_idx(const fs::path& folder, const std::string& prefix) {
  constexpr std::uint32_t kCount = 30, kSide = 12;
  std::string labels = idx_header({0x801, kCount});
  std::string images = idx_header({0x803, kCount, kSide, kSide});
  for (std::uint32_t i = 0; i < kCount; ++i) {
    labels += static_cast<char>(i % 10);
    for (std::uint32_t p = 0; p < kSide * kSide; ++p)
      images += static_cast<char>((7 * i + p) % 256);
  }
  write_file(folder / (prefix + "-images-idx3-ubyte"), images, Existing::refuse);
  write_file(folder / (prefix + "-labels-idx1-ubyte"), labels, Existing::refuse);
}

TEST_F(TrainTest, ARunMayBearThePresetsNameAndIsResumedAsItself) {
  train(options("glyphs", "mnist"));
  config::TrainOptions again = resumed("mnist");
  again.steps = 6;
  EXPECT_THAT(train(again), HasSubstr("finished at step 6"));
}

TEST_F(TrainTest, AnInterruptedRunKeepsItsBudgetWhateverThePresetSays) {
  config::TrainOptions again = options("glyphs", "run");
  train_and_kill(again, 2);
  again.steps.reset();
  again.resume = true;
  EXPECT_THAT(train(again), HasSubstr("finished at step 4"));
  EXPECT_THAT(read_text("run/config.toml"), HasSubstr("[training]\nsteps = 4\n"));
}

TEST_F(TrainTest, WhereTheDataLieIsRememberedWhenThePresetIsNamedAgain) {
  write_idx("digits", "train");
  config::TrainOptions again = options("mnist", "run");
  again.data = "digits";
  train_and_kill(again, 2);
  again.data = "";
  again.resume = true;
  EXPECT_THAT(train(again), HasSubstr("finished at step 4"));
}

TEST_F(TrainTest, WeightsOfAnotherRunOutliveAKillBeforeTheFirstCheckpoint) {
  config::TrainOptions source = options("glyphs", "source");
  source.overrides.emplace_back("training.seed=9");
  source.steps = 1;
  train(source);
  config::TrainOptions alone = options("glyphs", "alone");
  alone.init_from = "source";
  train(alone);
  config::TrainOptions killed = alone;
  killed.out = "killed";
  train_and_kill(killed, 3);
  train(resumed("killed"));
  EXPECT_EQ(weights("killed", "step-00000004"), weights("alone", "step-00000004"));
}

TEST_F(TrainTest, ARunMayBeStartedOverFromItsOwnWeights) {
  train(options("glyphs", "run"));
  config::TrainOptions over = options("glyphs", "run");
  over.init_from = "run";
  over.force = true;
  over.steps = 1;
  EXPECT_THAT(train(over), HasSubstr("finished at step 1"));
}

TEST_F(TrainTest, AStartThatFailsTouchesNoRun) {
  train(options("glyphs", "run"));
  const std::string before = weights("run", "step-00000004");
  config::TrainOptions over = options("glyphs", "run");
  over.force = true;
  over.machine.threads = 1'000'000;
  EXPECT_THROW(train(over), ArgumentError);
  EXPECT_EQ(weights("run", "step-00000004"), before);
  over.out = "new";
  EXPECT_THROW(train(over), ArgumentError);
  EXPECT_FALSE(fs::exists("new"));
}

// Polls within steps, after them, and within a preview: the first one there comes after as many as
// two steps without pictures have.
TEST_F(TrainTest, PicturesThatAStopCutOffAreDrawnOnResume) {
  config::TrainOptions with_pictures = options("glyphs", "alone");
  with_pictures.overrides.emplace_back("training.sample_every=2");
  train(with_pictures);
  config::TrainOptions without = options("glyphs", "without");
  without.overrides.emplace_back("training.sample_every=0");
  without.steps = 2;
  int polls_of_two_steps = 0;
  std::ignore = run_train(without, {}, [&] {
    ++polls_of_two_steps;
    return false;
  });
  with_pictures.out = "stopped";
  int polls = 0;
  const std::string text =
      run_train(with_pictures, {}, [&] { return ++polls > polls_of_two_steps; });
  EXPECT_THAT(text, HasSubstr("stopped at step 2"));
  EXPECT_FALSE(fs::exists("stopped/samples/step-00000002.png"));
  train(resumed("stopped"));
  for (const std::string name : {"step-00000002.png", "step-00000004.png"}) {
    EXPECT_EQ(read_text("stopped/samples/" + name), read_text("alone/samples/" + name)) << name;
  }
}

// One poll: after the last step, whose pictures are then not begun.
TEST_F(TrainTest, AStopAtTheLastStepLeavesItsPicturesToAResume) {
  config::TrainOptions with_pictures = options("glyphs", "alone");
  with_pictures.overrides.emplace_back("training.sample_every=3");
  with_pictures.steps = 1;
  train(with_pictures);
  with_pictures.out = "stopped";
  const std::string text = run_train(with_pictures, {}, [] { return true; });
  EXPECT_THAT(text, HasSubstr("finished at step 1"));
  const std::string name = "samples/step-00000001.png";
  EXPECT_FALSE(fs::exists("stopped/" + name));
  train(resumed("stopped"));
  EXPECT_EQ(read_text("stopped/" + name), read_text("alone/" + name));
  EXPECT_EQ(weights("stopped", "step-00000001"), weights("alone", "step-00000001"));
}

TEST_F(TrainTest, DenoisingTakesTheDataThatItIsGivenRatherThanTheRunsOwn) {
  train(options("glyphs", "run"));
  for (const char* prefix : {"train", "t10k"}) write_idx("digits", prefix);
  const config::DenoiseOptions denoise{.run = "run",
                                       .data = "digits",
                                       .t = {5},
                                       .chain_images = 0,
                                       .json = true,
                                       .machine = {.device = config::Device::cpu, .threads = 1}};
  EXPECT_EQ(nlohmann::json::parse(run_denoise(denoise, {}, {})).at("images"), 30);
}

}  // namespace
}  // namespace tinta::experiment
