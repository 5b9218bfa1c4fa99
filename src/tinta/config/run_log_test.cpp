#include "tinta/config/run_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>

#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"

namespace tinta::config {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

void append(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text;
}

std::string line(int step, const std::string& rest = "") {
  return std::string("{\"step\":").append(std::to_string(step)).append(rest).append("}");
}

Texts texts(const std::vector<RunLine>& lines) {
  Texts all;
  for (const RunLine& one : lines) all.push_back(one.text);
  return all;
}

TEST(RunLog, MetricsAreReadByTheirKeysAndMissingOnesAreNaN) {
  const TestFolder run;
  append(run.path() / "metrics.jsonl",
         R"({"step":1,"loss":0.5,"images_per_second":8,"learning_rate":2e-4,"gradient_norm":3,)"
         R"("weight_norm":7.5,"seconds":2,"new":[1]})"
         "\n{\"step\":50,\"loss\":null}\n");
  const auto points = read_metrics(run.path());
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].step, 1u);
  EXPECT_EQ(points[0].loss, 0.5);
  EXPECT_EQ(points[0].images_per_second, 8);
  EXPECT_EQ(points[0].learning_rate, 2e-4);
  EXPECT_EQ(points[0].gradient_norm, 3);
  EXPECT_EQ(points[0].weight_norm, 7.5);
  EXPECT_EQ(points[0].seconds, 2);
  EXPECT_TRUE(std::isnan(points[1].loss));
  EXPECT_TRUE(std::isnan(points[1].weight_norm));
  EXPECT_EQ(last_metrics(run.path())->step, 50u);
}

TEST(RunLog, WhatIsNoLineAndALineWithoutItsEndArePassedOver) {
  const TestFolder run;
  EXPECT_TRUE(read_metrics(run.path()).empty());
  EXPECT_EQ(last_metrics(run.path()), std::nullopt);
  EXPECT_TRUE(read_validation(run.path()).empty());
  append(run.path() / "metrics.jsonl", std::string("7\n{\"loss\":1}\n{\"step\":-4}\n\n\xff\xfe\n") +
                                           line(3) + "\n{\"step\":9,\"lo");
  ASSERT_EQ(read_metrics(run.path()).size(), 1u);
  EXPECT_EQ(last_metrics(run.path())->step, 3u);
}

TEST(RunLog, ValidationHasAStandardErrorOrNone) {
  const TestFolder run;
  append(run.path() / "validation.jsonl",
         "{\"step\":10,\"loss\":0.25,\"standard_error\":0.01}\n{\"step\":20,\"loss\":0.125}\n");
  const auto points = read_validation(run.path());
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].loss, 0.25);
  EXPECT_EQ(points[0].standard_error, 0.01);
  EXPECT_TRUE(std::isnan(points[1].standard_error));
}

TEST(LineReader, GivesEachLineOnceWhenItIsWhole) {
  const TestFolder run;
  const fs::path path = run.path() / "metrics.jsonl";
  LineReader reader(path);
  EXPECT_TRUE(reader.next().empty());
  append(path, line(1) + "\n" + line(2));
  EXPECT_EQ(texts(reader.next()), Texts{line(1)});
  EXPECT_TRUE(reader.next().empty());
  append(path, std::string("\n") + line(3) + "\n");
  EXPECT_EQ(texts(reader.next()), (Texts{line(2), line(3)}));
}

TEST(LineReader, AFileThatWasCutBackGivesOnlyWhatItHasNotGiven) {
  const TestFolder run;
  const fs::path path = run.path() / "metrics.jsonl";
  const std::string kept = line(1) + "\n" + line(2) + "\n";
  append(path, kept + line(3, ",\"loss\":1") + "\n");
  LineReader reader(path);
  EXPECT_EQ(reader.next().size(), 3u);
  // Cut back to step 2 and grown again before anybody looked; the third line is another one.
  write_file(path, kept + line(3, ",\"loss\":2") + "\n" + line(4) + "\n", Existing::replace);
  EXPECT_EQ(texts(reader.next()), (Texts{line(3, ",\"loss\":2"), line(4)}));
  write_file(path, kept, Existing::replace);
  EXPECT_TRUE(reader.next().empty());
  append(path, line(3) + "\n");
  EXPECT_EQ(texts(reader.next()), Texts{line(3)});
}

TEST(Merged, IsByTimeWithTheLogFirstAndAllLinesKept) {
  const std::vector<RunLine> log = {{"a", "2026-01-01T00:00:00Z"}, {"c", "2026-01-01T00:00:05Z"}};
  const std::vector<RunLine> metrics = {{"1", "2026-01-01T00:00:01Z"},
                                        {"2", ""},  // as the one before it
                                        {"3", "2026-01-01T00:00:05Z"},
                                        {"4", "2026-01-01T00:00:09Z"}};
  EXPECT_EQ(texts(merged(log, metrics)), (Texts{"a", "1", "2", "c", "3", "4"}));
  EXPECT_EQ(texts(merged({}, metrics)), (Texts{"1", "2", "3", "4"}));
}

}  // namespace
}  // namespace tinta::config
