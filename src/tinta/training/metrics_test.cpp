#include "tinta/training/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(MetricsFile, ALineHoldsEveryNumberExactly) {
  const RunFolder run;
  MetricsFile file(run.path());
  file.append({.step = 12345678901,
               .loss = 0.1 + 0.2,
               .images_per_second = 1.0 / 3,
               .learning_rate = 2e-4,
               .gradient_norm = 1e-300,
               .weight_norm = 12.5,
               .ema_age = 0.75,
               .loss_by_t = {0.5, std::nullopt, 0.1},
               .images = 18446744073709551615u,
               .seconds = 60.25,
               .wall_time = 951782400.5});
  file.flush();
  const auto lines = metrics_of(run.path());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].dump(),
            R"({"step":12345678901,"loss":0.30000000000000004,)"
            R"("images_per_second":0.3333333333333333,"learning_rate":0.0002,)"
            R"("gradient_norm":1e-300,"weight_norm":12.5,"ema_age":0.75,)"
            R"("loss_by_t":[0.5,null,0.1],"images":18446744073709551615,"seconds":60.25,)"
            R"("skipped_steps":0,"time":"2000-02-29T00:00:00.500Z"})");
}

TEST(MetricsFile, AFileThatExistsIsAppendedTo) {
  const RunFolder run;
  for (std::uint64_t step = 1; step <= 3; ++step) MetricsFile(run.path()).append({.step = step});
  EXPECT_EQ(logged_steps(run.path()), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(MetricsFile, WhatCannotBeWrittenIsAnError) {
  const RunFolder run;
  EXPECT_THAT(message_of<SystemError>([&] { MetricsFile(run.path() / "absent"); }),
              HasSubstr("metrics.jsonl] cannot open"));
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  fs::create_symlink("/dev/full", run.path() / "metrics.jsonl");
  EXPECT_THAT(message_of<SystemError>([&] { MetricsFile(run.path()).append({.step = 1}); }),
              HasSubstr("metrics.jsonl] cannot write: No space left on device"));
}

constexpr const char* kKept =
    "{\"step\":1,\"loss\":0.5}\n"
    "{\"step\":4,\"loss\":0.25}\n"
    "{\"step\":8,\"loss\":0.125}\n";

TEST(CutMetrics, DropsLaterLinesAndALastOneThatWasCutShort) {
  const RunFolder run;
  const fs::path path = run.path() / "metrics.jsonl";
  for (const std::string rest :
       {"", "{\"step\":9,\"loss\":1}\n", "{\"step\":12,\"loss\":1}\n{\"step\":16,\"loss\":1}\n",
        "{\"step\":12,\"loss\":1}\n{\"step\":16,\"lo", "{\"step\":8,\"loss\":0.1", "{"}) {
    write_file(path, kKept + rest, Existing::replace);
    EXPECT_EQ(cut_metrics(run.path(), 8), 0u) << rest;
    EXPECT_EQ(read_text(path), kKept) << rest;
    cut_metrics(run.path(), 8);
    EXPECT_EQ(read_text(path), kKept) << "a second time";
  }
  EXPECT_EQ(entries(run.path()), std::vector<std::string>{"metrics.jsonl"});
}

TEST(CutMetrics, DropsWhatIsNoLineOfMetrics) {
  const RunFolder run;
  const fs::path path = run.path() / "metrics.jsonl";
  for (const std::string& line : {std::string("7"), std::string("[1]"), std::string("{\"loss\":1}"),
                                  std::string("{\"step\":\"4\"}"), std::string("{\"step\":-4}"),
                                  std::string("{\"step\":4.5}"), std::string("text"),
                                  std::string(20, '\0'), std::string("\xff\xfe")}) {
    std::string text = line + "\n";
    text += kKept + text;
    write_file(path, text, Existing::replace);
    EXPECT_EQ(cut_metrics(run.path(), 8), 2u) << line;
    EXPECT_EQ(read_text(path), kKept) << line;
  }
}

TEST(CutMetrics, CutsToNothingAtStepZeroAndMakesNoFile) {
  const RunFolder run;
  cut_metrics(run.path(), 3);
  EXPECT_TRUE(entries(run.path()).empty());
  write_file(run.path() / "metrics.jsonl", kKept, Existing::refuse);
  cut_metrics(run.path(), 0);
  EXPECT_EQ(read_text(run.path() / "metrics.jsonl"), "");
}

}  // namespace
}  // namespace tinta::training
