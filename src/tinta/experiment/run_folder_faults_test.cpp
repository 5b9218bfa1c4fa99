#include <ATen/ATen.h>
#include <faults/file_faults.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/run.h"

// A run folder on a disk that fails at each call in turn, and one whose files are damaged.

namespace tinta::experiment {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

config::TrainOptions tiny(const fs::path& out) {
  return {.preset_or_file = "glyphs",
          .out = out.string(),
          .overrides = {"model.channels=8", "model.groups=4", "model.multipliers=1",
                        "model.attention_levels=", "model.mid_attention=false", "process.steps=20",
                        "training.batch=2", "training.warmup_steps=0", "training.decay=constant",
                        "training.checkpoint_every=2", "training.sample_every=0",
                        "sampling.steps=2", "training.log_every=1", "data.count=10", "data.size=12",
                        "training.precision=fp32"},
          .steps = 3,
          .machine = {.device = config::Device::cpu, .threads = 1}};
}

std::string final_weights(const fs::path& run) {
  return read_text(run / "checkpoints" / "step-00000003" / "model.safetensors");
}

/// What an error says, whatever its kind; "no error" where there is none.
template <class Body>
std::string message_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(RunFolder, WhateverCallFailsARunEndsWithOneErrorAndGoesOnLater) {
  const faults::WithoutFlushes quick;
  const TestFolder folder;
  static_cast<void>(run_train(tiny(folder.path() / "alone"), {}, {}));
  const std::string expected = final_weights(folder.path() / "alone");
  std::uint64_t at = 0;
  for (bool failed = true; failed;) {
    const fs::path run = folder.path() / "run";
    fs::remove_all(run);
    config::TrainOptions options = tiny(run);
    {
      const faults::Armed disk({.prefix = run.string(),
                                .at = ++at,
                                .count = at % 2,  // once, or from then on
                                .error = at % 3 == 0 ? EIO : ENOSPC});
      const std::string message =
          message_of([&] { static_cast<void>(run_train(options, {}, {})); });
      failed = faults::failures() > 0;
      // A line of the log that is lost costs nothing else.
      const bool only_log = faults::failures() == 1 && faults::failed_path().ends_with("log.jsonl");
      ASSERT_EQ(message != "no error", failed && !only_log) << "call " << at << ": " << message;
      if (failed && !only_log) {
        EXPECT_THAT(message, HasSubstr(run.string()));
      }
    }
    options.resume = true;
    static_cast<void>(run_train(options, {}, {}));
    EXPECT_EQ(final_weights(run), expected) << "call " << at;
    EXPECT_EQ(read_config(run), read_config(folder.path() / "alone"));
    EXPECT_EQ(read_shape(run), read_shape(folder.path() / "alone"));
  }
  EXPECT_GE(at, 70u);
}

/// A run folder whose files a test damages.
class DamagedRun : public testing::TestWithParam<const char*> {
  faults::WithoutFlushes quick_;

 protected:
  DamagedRun() {
    config::RunConfig config = config::preset("glyphs");
    config.training.steps = 77;
    write_config(run(), config);
    write_shape(run(), {.channels = 3, .height = 20, .width = 24}, {"ant", "bee"});
    training::Budget budget;
    budget.steps = 77;
    budget.seconds = 1234.5;
    write_budget(run(), budget);
  }

  [[nodiscard]] const fs::path& run() const { return folder_.path(); }
  [[nodiscard]] fs::path file() const { return run() / GetParam(); }

  [[nodiscard]] std::string complaint() const {
    return message_of([&] {
      const std::string name = GetParam();
      if (name == "config.toml") static_cast<void>(read_config(run()));
      if (name == "data.json") static_cast<void>(read_shape(run()));
      if (name == "budget.json") static_cast<void>(read_budget(run()));
    });
  }

  void put(const std::string& text) const { write_file(file(), text, Existing::replace); }

 private:
  TestFolder folder_;
};

TEST_P(DamagedRun, AFlippedBitAnywhereIsAnErrorThatNamesTheFile) {
  ASSERT_EQ(complaint(), "no error");
  const std::string good = read_text(file());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    put(bad);
    ASSERT_THAT(complaint(), HasSubstr(file().string())) << "byte " << i << " of " << good.size();
  }
}

TEST_P(DamagedRun, AFileCutAnywhereIsAnErrorThatNamesTheFile) {
  const std::string good = read_text(file());
  std::mt19937_64 random(5);
  for (int i = 0; i < 60; ++i) {
    put(good.substr(0, random() % good.size()));
    ASSERT_THAT(complaint(), HasSubstr(file().string()));
  }
  put("");
  EXPECT_THAT(complaint(), HasSubstr(file().string()));
  put(good.substr(0, good.size() - 1));
  EXPECT_THAT(complaint(), HasSubstr(file().string()));
}

INSTANTIATE_TEST_SUITE_P(Files, DamagedRun,
                         testing::Values("config.toml", "data.json", "budget.json"),
                         [](const auto& item) {
                           const std::string name = item.param;
                           return name.substr(0, name.find('.'));
                         });

TEST(RunFolder, AConfigThatAPersonChangedIsTakenWhereItsFirstLineWasRemoved) {
  const TestFolder folder;
  config::RunConfig config = config::preset("glyphs");
  write_config(folder.path(), config);
  std::string text = read_text(folder.path() / "config.toml");
  text = text.substr(text.find('\n') + 1);
  text.replace(text.find("log_every = 50"), 14, "log_every = 25");
  write_file(folder.path() / "config.toml", text, Existing::replace);
  config.training.log_every = 25;
  EXPECT_EQ(read_config(folder.path()), config);
}

TEST(RunFolder, FilesOfEarlierVersionsHaveNoSealAndAreTaken) {
  const TestFolder folder;
  write_file(folder.path() / "budget.json", "{\"steps\": 5, \"images\": null, \"seconds\": null}",
             Existing::refuse);
  EXPECT_EQ(read_budget(folder.path()).steps, 5u);
}

TEST(RunFolder, WhereEveryCheckpointIsDamagedAResumeIsOneClearError) {
  const TestFolder folder;
  const fs::path run = folder.path() / "run";
  config::TrainOptions options = tiny(run);
  static_cast<void>(run_train(options, {}, {}));
  for (const auto& checkpoint : training::list_checkpoints(run)) {
    fs::resize_file(checkpoint.folder / "state.json", 3);
  }
  options.resume = true;
  options.steps = 5;
  EXPECT_THAT(message_of([&] { static_cast<void>(run_train(options, {}, {})); }),
              HasSubstr("expected a whole checkpoint to go on from, got 2 damaged ones"));
}

}  // namespace
}  // namespace tinta::experiment
