#include "tinta/cli/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tinta/cli/local_commands.h"
#include "tinta/config/config.h"
#include "tinta/config/names.h"
#include "tinta/core/error.h"

namespace tinta::cli {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string error_of(const Command& command) {
  try {
    validate(command);
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "no error";
}

/// Two run folders, "digits" with ten classes and "plain" with none; T = 1000.
class Validate : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(::testing::TempDir()) /
        ("tinta_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    make_run("digits", "glyphs");
    make_run("plain", "condor");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void make_run(const std::string& name, const std::string& preset) const {
    fs::create_directories(folder_ / name);
    std::ofstream(folder_ / name / "config.toml") << config::to_toml(config::preset(preset));
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

TEST_F(Validate, TrainRefusesWhatItsConfigCannotBe) {
  EXPECT_EQ(error_of(config::TrainOptions{.preset_or_file = "glyphs"}), "no error");
  EXPECT_THAT(error_of(config::TrainOptions{.preset_or_file = "glyfs"}), HasSubstr("\"glyphs\"?"));
  EXPECT_THAT(error_of(config::TrainOptions{.preset_or_file = "glyphs",
                                            .overrides = {"training.batch=0", "model.dropout=2"}}),
              HasSubstr("[glyphs] 2 problems"));
  EXPECT_THAT(error_of(config::TrainOptions{.data = "d", .overrides = {"training.bach=1"}}),
              HasSubstr("\"training.batch\"?"));
}

TEST_F(Validate, TrainAsksForDataThatItCanRead) {
  EXPECT_THAT(error_of(config::TrainOptions{.preset_or_file = "mnist"}), HasSubstr("--data DIR"));
  EXPECT_EQ(error_of(config::TrainOptions{.preset_or_file = "mnist", .data = "d"}), "no error");
  EXPECT_EQ(
      error_of(config::TrainOptions{.preset_or_file = "folder", .data = "d", .image_size = 32}),
      "no error");
  EXPECT_THAT(
      error_of(config::TrainOptions{.preset_or_file = "cifar10", .data = "d", .image_size = 64}),
      HasSubstr("--image-size: expected none, as the pictures of data.source = \"cifar10\""));
}

TEST_F(Validate, ResumeAndInitFromNameRuns) {
  EXPECT_EQ(error_of(config::TrainOptions{.out = path("digits"), .resume = true}), "no error");
  EXPECT_THAT(error_of(config::TrainOptions{.out = path("digts"), .resume = true}),
              HasSubstr("did you mean \"" + path("digits") + "\"?"));
  EXPECT_THAT(error_of(config::TrainOptions{.preset_or_file = "glyphs", .init_from = path("none")}),
              HasSubstr("expected a run folder"));
}

TEST_F(Validate, BenchRefusesWhatItsConfigCannotBe) {
  EXPECT_EQ(error_of(config::BenchStepsOptions{.preset_or_file = "cifar10-ddpm", .batch = 2}),
            "no error")
      << "the pictures are made up";
  EXPECT_THAT(error_of(config::BenchStepsOptions{.preset_or_file = "glyfs"}),
              HasSubstr("\"glyphs\"?"));
  EXPECT_THAT(error_of(config::BenchStepsOptions{.preset_or_file = "glyphs",
                                                 .overrides = {"model.dropout=2"}}),
              HasSubstr("model.dropout"));
}

TEST_F(Validate, WatchingNeedsRunsAndAPictureOfAKindThatIsDrawn) {
  const std::string out = path("loss.svg");
  EXPECT_EQ(error_of(config::LogOptions{.run = path("digits")}), "no error");
  EXPECT_THAT(error_of(config::LogOptions{.run = path("digts")}),
              HasSubstr("did you mean \"" + path("digits") + "\"?"));
  config::PlotOptions plot{.runs = {path("digits"), path("plain")}, .output = out};
  EXPECT_EQ(error_of(plot), "no error");
  std::ofstream(out) << "kept";
  EXPECT_THAT(error_of(plot), HasSubstr("[plot] --output: expected a new file"));
  plot.force = true;
  EXPECT_EQ(error_of(plot), "no error");
  plot.runs.push_back(path("none"));
  EXPECT_THAT(error_of(plot), HasSubstr("[plot] expected a run folder"));
  EXPECT_THAT(error_of(config::PlotOptions{.runs = {path("plain")}, .output = "loss.webp"}),
              HasSubstr("expected a file .png, .svg or .pdf, got \"loss.webp\""));
}

TEST_F(Validate, TheDoctorIsShownABrokenConfigButNotOneThatCannotBeRead) {
  EXPECT_EQ(error_of(config::DoctorOptions{}), "no error");
  EXPECT_EQ(
      error_of(config::DoctorOptions{.preset_or_file = "glyphs", .overrides = {"model.groups=5"}}),
      "no error");
  EXPECT_THAT(
      error_of(config::DoctorOptions{.preset_or_file = "glyphs", .overrides = {"model.gruops=5"}}),
      HasSubstr("\"model.groups\""));
  EXPECT_THAT(error_of(config::DoctorOptions{.preset_or_file = "glyphs", .data = path("none")}),
              HasSubstr("[doctor] --data: expected a folder or file"));
}

TEST_F(Validate, SampleStaysWithinTheRun) {
  EXPECT_EQ(error_of(config::SampleOptions{.run = path("digits"), .classes = {9}, .steps = 1000}),
            "no error");
  EXPECT_THAT(error_of(config::SampleOptions{.run = path("digits"), .classes = {10}}),
              HasSubstr("labels from 0 to 9, got 10"));
  EXPECT_THAT(error_of(config::SampleOptions{.run = path("digits"), .steps = 1001}),
              HasSubstr("process.steps = 1000, got 1001"));
  EXPECT_THAT(error_of(config::SampleOptions{.run = path("plain"), .per_class = 5}),
              HasSubstr("is unconditional"));
  EXPECT_THAT(error_of(config::SampleOptions{.run = path("plain"), .classes = {0}}),
              HasSubstr("is unconditional"));
  EXPECT_THAT(error_of(config::SampleOptions{.run = path("plain"), .guidance = 2}),
              HasSubstr("--guidance: expected 1"));
}

TEST_F(Validate, EvalNeedsWhatItsMetricAsksFor) {
  std::ofstream(folder_ / "judge") << "a file";
  const auto eval = [&](const std::string& run, const std::string& classifier) {
    return error_of(config::EvalOptions{
        .sample = {.run = run}, .metrics = {"recognised"}, .classifier = classifier});
  };
  EXPECT_EQ(eval(path("digits"), path("judge")), "no error");
  EXPECT_THAT(eval(path("digits"), ""), HasSubstr("[eval] expected --classifier FILE"));
  EXPECT_THAT(eval(path("digits"), path("none")), HasSubstr("which is not there"));
  EXPECT_THAT(eval(path("plain"), path("judge")), HasSubstr("which is unconditional"));
  EXPECT_THAT(eval(path("digit"), path("judge")), HasSubstr("did you mean"));
  EXPECT_THAT(error_of(config::EvalOptions{.sample = {.run = path("digits"), .steps = 1001},
                                           .metrics = {"recognised"},
                                           .classifier = path("judge")}),
              HasSubstr("[eval] --steps: expected at most"));
  EXPECT_THAT(
      error_of(config::EvalOptions{
          .from = path("none.npz"), .metrics = {"recognised"}, .classifier = path("judge")}),
      HasSubstr("[eval] --from: expected a file"));
}

TEST_F(Validate, AClassifierNeedsPicturesOfClasses) {
  const auto train = [&](const std::string& data) {
    return error_of(config::ClassifierTrainOptions{.data = data});
  };
  EXPECT_EQ(train("glyphs"), "no error");
  EXPECT_THAT(train("condor"), HasSubstr("expected pictures of classes"));
  EXPECT_THAT(train("moons"), HasSubstr("expected pictures of classes"));
  EXPECT_THAT(train(path("none")), HasSubstr("which is not there"));
  EXPECT_THAT(error_of(config::ClassifierTrainOptions{.data = "glyphs", .features = 20}),
              HasSubstr("a multiple of 8, got 20"));
  EXPECT_THAT(error_of(config::ClassifierTrainOptions{.data = "glyphs", .out = path("digits")}),
              HasSubstr("which exists"));
}

TEST_F(Validate, DenoiseStaysWithinTheProcess) {
  EXPECT_EQ(error_of(config::DenoiseOptions{.run = path("plain"), .t = {1000}}), "no error");
  EXPECT_THAT(error_of(config::DenoiseOptions{.run = path("plain"), .t = {50, 1001}}),
              HasSubstr("--t: expected at most"));
}

TEST_F(Validate, InpaintStaysWithinTheRunAndReadsFiles) {
  const std::string file = path("digits/config.toml");
  const config::InpaintOptions good{.run = path("digits"), .image = file, .mask = file};
  EXPECT_EQ(error_of(good), "no error");
  const auto with = [&](auto change) {
    config::InpaintOptions options = good;
    change(options);
    return error_of(options);
  };
  EXPECT_THAT(with([](auto& options) { options.label = 10; }), HasSubstr("from 0 to 9, got 10"));
  EXPECT_THAT(with([](auto& options) { options.steps = 1001; }), HasSubstr("got 1001"));
  EXPECT_THAT(with([](auto& options) { options.image = "none.png"; }),
              HasSubstr("--image: expected a file, got \"none.png\", which is not there"));
  EXPECT_THAT(with([&](auto& options) { options.mask = path("digits"); }),
              HasSubstr("--mask: expected a file"));
  EXPECT_THAT(with([&](auto& options) { options.run = path("plain"), options.label = 1; }),
              HasSubstr("is unconditional"));
  EXPECT_THAT(with([&](auto& options) { options.output = file; }),
              HasSubstr("--output: expected a new file (or --force)"));
}

TEST_F(Validate, OutputsThatExistNeedForce) {
  const std::string file = path("digits/config.toml");
  EXPECT_THAT(error_of(config::SampleOptions{.run = path("digits"), .output = file}),
              HasSubstr("--output: expected a new file (or --force)"));
  EXPECT_THAT(error_of(config::DenoiseOptions{.run = path("digits"), .npz = file}),
              HasSubstr("--npz: expected a new file (or --force)"));
  EXPECT_EQ(error_of(config::SampleOptions{.run = path("digits"), .output = file, .force = true}),
            "no error");
}

TEST(DataList, NamesEverySourceInTextAndJson) {
  const std::string text = data_list({}).text;
  const auto json = nlohmann::json::parse(data_list({.json = true}).text);
  ASSERT_EQ(json.size(), config::sources().size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    EXPECT_EQ(json[i]["name"], config::sources()[i].name);
    EXPECT_THAT("\n" + text, HasSubstr("\n" + config::sources()[i].name + " "));
  }
}

TEST(ConfigCheck, PrintsAConfigThatReadsBack) {
  const Outcome outcome = config_check({.preset_or_file = "mnist", .print = true});
  EXPECT_EQ(config::parse(outcome.text, "printed"), config::preset("mnist"));
  EXPECT_EQ(config_check({.preset_or_file = "mnist"}).text, "mnist: ok\n");
}

TEST(ConfigCheck, ReportsProblemsAsJsonWithTheExitCodeOfWrongUsage) {
  const Outcome outcome = config_check({.preset_or_file = "mnist",
                                        .overrides = {"training.batch=0", "model.dropout=1"},
                                        .json = true});
  const auto json = nlohmann::json::parse(outcome.text);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["problems"].size(), 2U);
  EXPECT_EQ(config_check({.preset_or_file = "mnist", .json = true}).exit_code, 0);
}

}  // namespace
}  // namespace tinta::cli
