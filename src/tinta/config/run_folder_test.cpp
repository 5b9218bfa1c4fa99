#include "tinta/config/run_folder.h"

#include <gtest/gtest.h>

#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"

namespace tinta::config {
namespace {

namespace fs = std::filesystem;

TEST(StepIn, ReadsTheNamesOfCheckpointsAlone) {
  EXPECT_EQ(step_in("step-00010000"), 10000u);
  EXPECT_EQ(step_in("step-123456789"), 123456789u);
  for (const char* name : {"step-1", "step-", "step-0000000x", "step-00000001.png", "notes",
                           "step-0000000000000000000000001", ".tmp-step-00000001-2"}) {
    EXPECT_EQ(step_in(name), std::nullopt) << name;
  }
}

TEST(StepName, IsWhatStepInReads) {
  EXPECT_EQ(step_name(7), "step-00000007");
  for (const std::uint64_t step : {0ull, 99999999ull, 100000000ull}) {
    EXPECT_EQ(step_in(step_name(step)), step);
  }
}

TEST(RunFolder, ListsCheckpointsOldestFirstAndSeesAnUnfinishedSave) {
  const TestFolder run;
  EXPECT_TRUE(checkpoint_folders(run.path()).empty());
  EXPECT_FALSE(has_unfinished_save(run.path(), 99));
  for (const char* name : {"step-00000020", "step-100000000", "step-00000003", "notes"}) {
    fs::create_directories(run.path() / "checkpoints" / name);
  }
  std::vector<std::string> names;
  for (const fs::path& path : checkpoint_folders(run.path())) names.push_back(path.filename());
  EXPECT_EQ(names, (std::vector<std::string>{"step-00000003", "step-00000020", "step-100000000"}));
  EXPECT_FALSE(has_unfinished_save(run.path(), 99));
  fs::create_directory(run.path() / "checkpoints" / ".tmp-step-00000030-99");
  EXPECT_TRUE(has_unfinished_save(run.path(), 99));
  EXPECT_FALSE(has_unfinished_save(run.path(), 9)) << "of another process";
}

TEST(LastLoggedStep, IsThatOfTheLastWholeLine) {
  const TestFolder run;
  EXPECT_EQ(last_logged_step(run.path()), 0u);
  const auto put = [&](const std::string& text) {
    write_file(run.path() / "metrics.jsonl", text, Existing::replace);
  };
  put("");
  EXPECT_EQ(last_logged_step(run.path()), 0u);
  put("{\"step\": 4, \"loss\": 1}\n{\"step\": 8, \"loss\": null}\n");
  EXPECT_EQ(last_logged_step(run.path()), 8u);
  put("{\"step\": 4, \"loss\": 1}\n{\"step\": 8, \"lo");
  EXPECT_EQ(last_logged_step(run.path()), 4u);
}

}  // namespace
}  // namespace tinta::config
