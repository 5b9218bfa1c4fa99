#include "tinta/cli/compare_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/sha256.h"
#include "tinta/core/test_folder.h"

namespace tinta::cli {
namespace {

namespace fs = std::filesystem;

/// Two runs of the same content, of which a test changes one.
class CompareRuns : public testing::Test {
 protected:
  CompareRuns() {
    for (const fs::path& run : {one(), other()}) {
      put(run, "checkpoints/step-00000004/model.safetensors", "older");
      put(run, "checkpoints/step-00000008/model.safetensors", "weights");
      put(run, "checkpoints/step-00000008/clock.json", "{\"seconds\": 1}");
      put(run, "checkpoints/step-00000008/manifest.json", manifest("a", "c"));
      put(run, "metrics.jsonl", "{\"step\": 8, \"loss\": 0.5, \"seconds\": 2}\n");
      put(run, "samples/step-00000008.png", "picture");
    }
  }

  [[nodiscard]] fs::path one() const { return folder_.path() / "one"; }
  [[nodiscard]] fs::path other() const { return folder_.path() / "other"; }

  static void put(const fs::path& run, const std::string& name, const std::string& text) {
    write_file(run / name, text, Existing::replace);
  }
  static std::string manifest(const std::string& model, const std::string& clock) {
    return R"({"files": {"clock.json": {"sha256": ")" + clock +
           R"("}, "model.safetensors": {"sha256": ")" + model + R"("}}, "step": 8})";
  }
  [[nodiscard]] std::vector<std::string> different() const {
    std::vector<std::string> names;
    for (const ComparedFile& file : compare_runs(one(), other())) {
      if (!file.same()) names.push_back(file.name);
    }
    return names;
  }

 private:
  TestFolder folder_;
};

using Names = std::vector<std::string>;

TEST_F(CompareRuns, GivesTheSumOfEachFileOfTheNewestCheckpoint) {
  Names names;
  for (const ComparedFile& file : compare_runs(one(), other())) {
    EXPECT_TRUE(file.same()) << file.name;
    if (file.name == "model.safetensors") {
      EXPECT_EQ(file.straight, sha256("weights"));
    }
    names.push_back(file.name);
  }
  EXPECT_EQ(names, (Names{"manifest.json", "metrics.jsonl", "model.safetensors",
                          "samples/step-00000008.png"}));
}

TEST_F(CompareRuns, WhatTellsTheTimeIsLeftOut) {
  put(other(), "checkpoints/step-00000008/clock.json", "{\"seconds\": 9}");
  put(other(), "checkpoints/step-00000008/manifest.json", manifest("a", "other"));
  put(other(), "metrics.jsonl",
      "{\"step\": 8, \"loss\": 0.5, \"seconds\": 7, \"images_per_second\": 3}\n");
  EXPECT_EQ(different(), Names{});
}

TEST_F(CompareRuns, EachDifferenceIsSeen) {
  put(other(), "checkpoints/step-00000008/model.safetensors", "weightz");
  EXPECT_EQ(different(), Names{"model.safetensors"});
  put(other(), "checkpoints/step-00000008/manifest.json", manifest("b", "c"));
  put(other(), "metrics.jsonl", "{\"step\": 8, \"loss\": 0.25, \"seconds\": 2}\n");
  fs::remove(other() / "samples" / "step-00000008.png");
  put(one(), "checkpoints/step-00000008/more.json", "{}");
  EXPECT_EQ(different(), (Names{"manifest.json", "metrics.jsonl", "model.safetensors", "more.json",
                                "samples/step-00000008.png"}));
}

TEST_F(CompareRuns, ALineThatIsNoneIsAnErrorThatNamesTheFile) {
  put(other(), "metrics.jsonl", "{\"step\": 8, \"lo");
  EXPECT_THROW(static_cast<void>(compare_runs(one(), other())), DataError);
}

}  // namespace
}  // namespace tinta::cli
