#include "tinta/config/run_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tinta/config/config.h"
#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"

namespace tinta::config {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void put(const fs::path& path, const std::string& text) {
  write_file(path, text, Existing::replace);
}

/// A folder with one run "mnist" of 100 steps, whose checkpoint of step 40 is whole.
class RunFolders : public testing::Test {
 protected:
  RunFolders() {
    put(run / "config.toml", to_toml(preset("glyphs")));
    put(run / "budget.json", R"({"steps": 100, "images": null, "seconds": null})");
    put(run / "metrics.jsonl",
        "{\"step\":1,\"loss\":1.5,\"images_per_second\":90}\n"
        "{\"step\":45,\"loss\":0.25,\"images_per_second\":120.5}\n");
    checkpoint(40);
  }

  void checkpoint(int step, int images = 0, double seconds = 0) const {
    const fs::path at = run / "checkpoints" / ("step-000000" + std::to_string(step));
    put(at / "state.json", "{\"images\": " + std::to_string(images) + "}");
    put(at / "clock.json", "{\"seconds\": " + std::to_string(seconds) + "}");
    put(at / "manifest.json", "{\"files\": {\"state.json\": {\"bytes\": " +
                                  std::to_string(fs::file_size(at / "state.json")) +
                                  "}, \"clock.json\": {\"bytes\": " +
                                  std::to_string(fs::file_size(at / "clock.json")) + "}}}");
  }

  TestFolder folder;
  fs::path run = folder.path() / "mnist";
};

TEST_F(RunFolders, ASummaryTellsTheLastLineTheNewestCheckpointAndTheSize) {
  const RunSummary summary = summarise_run(run);
  EXPECT_EQ(summary.path, run.string());
  EXPECT_EQ(summary.state, RunState::stopped);
  EXPECT_EQ(summary.step, 45u);
  EXPECT_EQ(summary.loss, 0.25);
  EXPECT_EQ(summary.images_per_second, 120.5);
  EXPECT_EQ(summary.checkpoint, 40u);
  EXPECT_EQ(summary.share, 0.4);
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  EXPECT_EQ(summary.bytes, bytes);
}

TEST_F(RunFolders, ARunIsFinishedWhenACheckpointHasSpentItsBudget) {
  checkpoint(99);
  EXPECT_EQ(summarise_run(run).state, RunState::stopped);
  put(run / "budget.json", R"({"steps": 99, "images": null, "seconds": null})");
  EXPECT_EQ(summarise_run(run).state, RunState::finished);
  put(run / "budget.json", R"({"steps": null, "images": 640, "seconds": 60})");
  checkpoint(99, 639, 59.5);
  EXPECT_EQ(summarise_run(run).state, RunState::stopped);
  checkpoint(99, 640, 59.5);
  EXPECT_EQ(summarise_run(run).state, RunState::finished);
  checkpoint(99, 0, 61);
  EXPECT_EQ(summarise_run(run).state, RunState::finished);
  EXPECT_EQ(summarise_run(run).share, 1);
}

TEST_F(RunFolders, ARunIsFinishedWhenItsPatienceIsSpent) {
  put(run / "config.toml",
      "[data]\nvalidation = 0.1\n[training]\nvalidate_every = 10\npatience = 2\n");
  put(run / "validation.jsonl",
      "{\"step\": 10, \"loss\": 0.5}\n{\"step\": 20, \"loss\": 0.5}\n{\"step\": 30, \"loss\": "
      "0.4}\n"
      "{\"step\": 40, \"loss\": 0.6}\n");
  EXPECT_EQ(summarise_run(run).state, RunState::stopped) << "one since the best";
  put(run / "validation.jsonl",
      "{\"step\": 20, \"loss\": 0.4}\n{\"step\": 30, \"loss\": 0.4}\n{\"step\": 40, \"loss\": "
      "0.6}\n");
  EXPECT_EQ(summarise_run(run).state, RunState::finished);
  put(run / "validation.jsonl",
      "{\"step\": 20, \"loss\": 0.4}\n{\"step\": 30, \"loss\": 0.4}\n{\"step\": 50, \"loss\": "
      "0.6}\n");
  EXPECT_EQ(summarise_run(run).state, RunState::stopped) << "the last is beyond the checkpoint";
}

TEST_F(RunFolders, ARunIsRunningWhileItsLockIsHeld) {
  {
    const FileLock lock(run / ".lock");
    EXPECT_EQ(summarise_run(run).state, RunState::running);
    // To look does not take the lock away, nor leave one.
    EXPECT_EQ(summarise_run(run).state, RunState::running);
  }
  EXPECT_EQ(summarise_run(run).state, RunState::stopped);
  EXPECT_NO_THROW(FileLock{run / ".lock"});
}

TEST_F(RunFolders, ANewestCheckpointOfOtherSizesIsDamageAndSaysWhere) {
  checkpoint(50);
  put(run / "checkpoints" / "step-00000050" / "state.json", "{");
  EXPECT_EQ(summarise_run(run).state, RunState::damaged);
  EXPECT_THAT(summarise_run(run).problem, HasSubstr("step-00000050/state.json: expected"));
  fs::remove(run / "checkpoints" / "step-00000050" / "state.json");
  EXPECT_THAT(summarise_run(run).problem, HasSubstr("state.json: expected a file, got none"));
  put(run / "checkpoints" / "step-00000050" / "manifest.json", "[]");
  EXPECT_THAT(summarise_run(run).problem, HasSubstr("manifest.json"));
  fs::remove_all(run / "checkpoints" / "step-00000050");
  EXPECT_EQ(summarise_run(run).state, RunState::stopped);
}

TEST_F(RunFolders, AConfigThatCannotBeReadIsDamage) {
  put(run / "config.toml", "[training]\nbatch = ");
  EXPECT_EQ(summarise_run(run).state, RunState::damaged);
  EXPECT_THAT(summarise_run(run).problem, HasSubstr("config.toml"));
  put(run / "config.toml", "[training]\nbatch = 0\n");
  EXPECT_THAT(summarise_run(run).problem, HasSubstr("training.batch: expected"));
}

TEST_F(RunFolders, ARunWithoutLinesOrCheckpointsIsStoppedAtItsStart) {
  fs::remove_all(run / "checkpoints");
  fs::remove(run / "metrics.jsonl");
  fs::remove(run / "budget.json");
  const RunSummary summary = summarise_run(run);
  EXPECT_EQ(summary.state, RunState::stopped);
  EXPECT_EQ(summary.step, 0u);
  EXPECT_EQ(summary.loss, std::nullopt);
  EXPECT_EQ(summary.checkpoint, std::nullopt);
  EXPECT_EQ(summary.share, std::nullopt);
}

TEST_F(RunFolders, AreFoundInSubfoldersButNotInRunsHiddenFoldersOrLinks) {
  put(folder.path() / "a" / "b" / "config.toml", "");
  put(run / "samples" / "config.toml", "");
  put(folder.path() / ".hidden" / "config.toml", "");
  fs::create_directory_symlink(run, folder.path() / "link");
  EXPECT_THAT(find_runs(folder.path()), ElementsAre(folder.path() / "a" / "b", run));
  EXPECT_THAT(find_runs(run), ElementsAre(run));
  EXPECT_TRUE(find_runs(folder.path() / "absent").empty());
}

}  // namespace
}  // namespace tinta::config
