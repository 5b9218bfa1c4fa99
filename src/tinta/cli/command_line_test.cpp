#include "tinta/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Variables = std::map<std::string, std::string>;

Environment environment_of(const Variables& variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

/// A command line cut at spaces.
Command parse(const std::string& line, const Variables& variables = {}) {
  return parse_command_line(split(line, ' '), environment_of(variables));
}

template <class Options>
Options parsed(const std::string& line, const Variables& variables = {}) {
  return std::get<Options>(parse(line, variables));
}

std::string error_of(const std::string& line, const Variables& variables = {}) {
  try {
    static_cast<void>(parse(line, variables));
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "no error";
}

TEST(CommandLine, WatchingReadsEveryFlag) {
  EXPECT_EQ(parsed<config::RunsOptions>("runs --json"), (config::RunsOptions{.json = true}));
  EXPECT_EQ(parsed<config::RunsOptions>("runs r"), (config::RunsOptions{.folder = "r"}));
  EXPECT_EQ(parsed<config::LogOptions>("log r --follow --json"),
            (config::LogOptions{.run = "r", .follow = true, .json = true}));
  EXPECT_EQ(parsed<config::LogOptions>("log -f r"),
            (config::LogOptions{.run = "r", .follow = true}));
  EXPECT_EQ(
      parsed<config::PlotOptions>("plot a b c --smooth 0.5 --log step -o p.svg --force --json"),
      (config::PlotOptions{.runs = {"a", "b", "c"},
                           .smooth = 0.5,
                           .log_axes = config::LogAxes::step,
                           .output = "p.svg",
                           .force = true,
                           .json = true}));
  EXPECT_EQ(parsed<config::PlotOptions>("plot --log both a").runs, std::vector<std::string>{"a"});
  EXPECT_THAT(error_of("log"), HasSubstr("[log] expected RUN, got none"));
  EXPECT_THAT(error_of("plot"), HasSubstr("[plot] expected RUN, got none"));
  EXPECT_THAT(error_of("plot a --smooth 2"), HasSubstr("--smooth: expected a number from"));
  EXPECT_THAT(error_of("plot a --log steps"), HasSubstr("did you mean \"step\"?"));
}

TEST(CommandLine, DoctorTakesARunsOptionsOnlyWithARun) {
  EXPECT_EQ(parsed<config::DoctorOptions>("doctor"), config::DoctorOptions{});
  EXPECT_EQ(parsed<config::DoctorOptions>(
                "doctor mnist --data d --set a.b=1 --seed 3 --overfit 9 --json --threads 2"),
            (config::DoctorOptions{.preset_or_file = "mnist",
                                   .data = "d",
                                   .overrides = {"a.b=1", "training.seed=3"},
                                   .overfit = 9,
                                   .json = true,
                                   .machine = {.threads = 2}}));
  for (const char* line : {"doctor --data d", "doctor --set a.b=1", "doctor --overfit 3",
                           "doctor --seed 1", "doctor --precision fp32"}) {
    EXPECT_THAT(error_of(line), HasSubstr("[doctor] expected a preset")) << line;
  }
  // A variable is meant for every command.
  EXPECT_EQ(parsed<config::DoctorOptions>("doctor", {{"TINTA_SEED", "4"}}),
            config::DoctorOptions{});
  EXPECT_THAT(error_of("doctor mnist --overfit 0"), HasSubstr("--overfit: expected"));
}

TEST(CommandLine, TrainReadsEveryFlag) {
  const auto options = parsed<config::TrainOptions>(
      "train mnist --data d -o r --set a.b=1 --set c.d=2 --precision bf16 --seed 3 --steps 4 "
      "--images 5 --minutes 0.5 --profile 7 --init-from q --force --json --device cuda --threads "
      "6");
  const config::TrainOptions expected{
      .preset_or_file = "mnist",
      .data = "d",
      .out = "r",
      .overrides = {"a.b=1", "c.d=2", "training.precision=bf16", "training.seed=3"},
      .resume = false,
      .init_from = "q",
      .steps = 4,
      .images = 5,
      .minutes = 0.5,
      .profile = 7,
      .force = true,
      .json = true,
      .machine = {.device = config::Device::cuda, .threads = 6}};
  EXPECT_EQ(options, expected);
}

TEST(CommandLine, CommandsOfSeveralProcessesKnowHowLongToWaitForThem) {
  EXPECT_EQ(parsed<config::TrainOptions>("train glyphs").processes.timeout, 120);
  EXPECT_EQ(parsed<config::TrainOptions>("train glyphs --dist-timeout 60").processes.timeout, 60);
  const Variables variable = {{"TINTA_DIST_TIMEOUT", "7"}};
  EXPECT_EQ(parsed<config::SampleOptions>("sample r", variable).processes.timeout, 7);
  EXPECT_EQ(parsed<config::DenoiseOptions>("denoise r", variable).processes.timeout, 7);
  EXPECT_THAT(error_of("train glyphs --dist-timeout 0"), HasSubstr("--dist-timeout"));
  EXPECT_THAT(error_of("train glyphs", {{"TINTA_DIST_TIMEOUT", "soon"}}),
              HasSubstr("TINTA_DIST_TIMEOUT"));
}

TEST(CommandLine, VerifyResumeReadsEveryFlag) {
  const config::VerifyResumeOptions expected{
      .preset_or_file = "mnist",
      .data = "d",
      .out = "o",
      .overrides = {"a.b=1", "training.precision=fp32", "training.seed=3"},
      .steps = 40,
      .kills = 5,
      .instants = 3,
      .json = true,
      .machine = {.device = config::Device::cpu, .threads = 2}};
  EXPECT_EQ(parsed<config::VerifyResumeOptions>(
                "verify-resume mnist --data d --out o --set a.b=1 --precision fp32 --seed 3 "
                "--steps 40 --kills 5 --json --device cpu --threads 2"),
            expected);
  EXPECT_THAT(error_of("verify-resume"), HasSubstr("PRESET"));
  EXPECT_THAT(error_of("verify-resume mnist --kills 0"), HasSubstr("--kills"));
}

TEST(CommandLine, SampleReadsEveryFlag) {
  const auto options = parsed<config::SampleOptions>(
      "sample r -n 9 --class 1,2 --class 7 --sampler ddpm --steps 20 --guidance 2 --eta 1 "
      "--variance beta --seed 18446744073709551615 --weights raw --checkpoint 40 --batch 3 "
      "-o a.png --npz b.npz --force --json");
  EXPECT_EQ(options.run, "r");
  EXPECT_EQ(options.count, 9);
  EXPECT_THAT(options.classes, ElementsAre(1, 2, 7));
  EXPECT_EQ(options.sampler, "ddpm");
  EXPECT_EQ(options.steps, 20);
  EXPECT_EQ(options.guidance, 2.0);
  EXPECT_EQ(options.eta, 1.0);
  EXPECT_EQ(options.variance, "beta");
  EXPECT_EQ(options.seed, 18446744073709551615U);
  EXPECT_EQ(options.weights, config::Weights::raw);
  EXPECT_EQ(options.checkpoint, 40);
  EXPECT_EQ(options.batch, 3);
  EXPECT_EQ(options.output, "a.png");
  EXPECT_EQ(options.npz, "b.npz");
  EXPECT_TRUE(options.force && options.json);
}

TEST(CommandLine, WeightsComeFromAStepTheBestValidationOrARebuiltAverage) {
  const auto best = parsed<config::SampleOptions>("sample r --checkpoint best --ema 0.075");
  EXPECT_TRUE(best.best);
  EXPECT_FALSE(best.checkpoint.has_value());
  EXPECT_EQ(best.ema, 0.075);
  EXPECT_FALSE(parsed<config::DenoiseOptions>("denoise r --checkpoint 3").best);
  EXPECT_THAT(error_of("sample r --checkpoint beste"),
              HasSubstr("--checkpoint: expected best or a whole number of at least 0"));
  EXPECT_THAT(error_of("sample r --ema 0.5"), HasSubstr("--ema: expected a number from 0.001"));
  EXPECT_THAT(error_of("sample r --ema 0.1 --weights raw"),
              HasSubstr("[sample] expected --ema or --weights raw, got both"));
}

TEST(CommandLine, DenoiseReadsEveryFlag) {
  const auto options = parsed<config::DenoiseOptions>(
      "denoise r --data d --split train --t 50,100 --limit 10 --chain-images 0 --seed 2 "
      "--weights raw --checkpoint 0 --batch 5 -o a.png --npz b.npz --force --json --threads 1");
  const config::DenoiseOptions expected{.run = "r",
                                        .data = "d",
                                        .split = "train",
                                        .t = {50, 100},
                                        .limit = 10,
                                        .chain_images = 0,
                                        .batch = 5,
                                        .seed = 2,
                                        .weights = config::Weights::raw,
                                        .checkpoint = 0,
                                        .output = "a.png",
                                        .npz = "b.npz",
                                        .force = true,
                                        .json = true,
                                        .machine = {.threads = 1}};
  EXPECT_EQ(options, expected);
}

TEST(CommandLine, InpaintReadsEveryFlag) {
  const auto options = parsed<config::InpaintOptions>(
      "inpaint r --image i.png --mask m.png -n 3 --class 7 --method repaint --resamplings 4 "
      "--jump 5 --sampler ddim --steps 20 --guidance 2 --eta 1 --variance beta --seed 2 "
      "--weights raw --checkpoint 0 --batch 5 -o a.png --npz b.npz --force --json --threads 1");
  const config::InpaintOptions expected{.run = "r",
                                        .image = "i.png",
                                        .mask = "m.png",
                                        .count = 3,
                                        .label = 7,
                                        .method = "repaint",
                                        .resamplings = 4,
                                        .jump = 5,
                                        .sampler = "ddim",
                                        .steps = 20,
                                        .guidance = 2,
                                        .eta = 1,
                                        .variance = "beta",
                                        .seed = 2,
                                        .weights = config::Weights::raw,
                                        .checkpoint = 0,
                                        .batch = 5,
                                        .output = "a.png",
                                        .npz = "b.npz",
                                        .force = true,
                                        .json = true,
                                        .machine = {.threads = 1}};
  EXPECT_EQ(options, expected);
}

TEST(CommandLine, BenchReadsEveryFlag) {
  const config::BenchOptions machine{
      .precision = "fp32", .seconds = 0.5, .json = true, .machine = {.threads = 1}};
  EXPECT_EQ(parsed<config::BenchOptions>("bench --precision fp32 --seconds 0.5 --json --threads 1"),
            machine);
  const config::BenchStepsOptions steps{
      .what = config::BenchedStep::sampling,
      .preset_or_file = "p",
      .overrides = {"a.b=1", "training.precision=bf16", "training.seed=3"},
      .batch = 4,
      .steps = 2,
      .json = true,
      .machine = {.threads = 1}};
  EXPECT_EQ(
      parsed<config::BenchStepsOptions>("bench sample --preset p --set a.b=1 --precision bf16 "
                                        "--seed 3 --batch 4 --steps 2 --json --threads 1"),
      steps);
  EXPECT_EQ(parsed<config::BenchStepsOptions>("bench train --preset p").what,
            config::BenchedStep::training);
}

TEST(CommandLine, InfoCommandsReadTheirFlags) {
  EXPECT_EQ(parsed<config::DataListOptions>("data list --json"),
            config::DataListOptions{.json = true});
  EXPECT_EQ(parsed<config::DataInfoOptions>("data info d").path_or_name, "d");
  EXPECT_THAT(parsed<config::ModelInfoOptions>("model info m --set a=1 --json").overrides,
              ElementsAre("a=1"));
  EXPECT_TRUE(parsed<config::ConfigCheckOptions>("config check f --print").print);
  EXPECT_TRUE(parsed<config::VersionOptions>("--verbose --version").verbose);
  EXPECT_FALSE(parsed<config::VersionOptions>("--version").verbose);
}

TEST(CommandLine, AnUnderscoreCountsAsADash) {
  EXPECT_EQ(parsed<config::SampleOptions>("sample r --per_class=50").per_class, 50);
  EXPECT_EQ(parsed<config::DenoiseOptions>("denoise r --chain_images 3").chain_images, 3);
  EXPECT_EQ(parsed<config::SampleOptions>("sample r_1 --npz=a_b").npz, "a_b") << "values stay";
}

TEST(CommandLine, FlagsGoBeforeVariables) {
  const Variables variables = {
      {"TINTA_SEED", "1"}, {"TINTA_THREADS", "2"}, {"TINTA_DEVICE", "cpu"}};
  const auto from_variables = parsed<config::SampleOptions>("sample r", variables);
  EXPECT_EQ(from_variables.seed, 1U);
  EXPECT_EQ(from_variables.machine.threads, 2);
  EXPECT_EQ(from_variables.machine.device, config::Device::cpu);
  const auto from_flags =
      parsed<config::SampleOptions>("sample r --seed 5 --threads 6 --device cuda", variables);
  EXPECT_EQ(from_flags.seed, 5U);
  EXPECT_EQ(from_flags.machine.threads, 6);
  EXPECT_EQ(from_flags.machine.device, config::Device::cuda);
}

TEST(CommandLine, ADeviceMayBeNumbered) {
  const auto second = parsed<config::SampleOptions>("sample r --device cuda:1").machine;
  EXPECT_EQ(second.device, config::Device::cuda);
  EXPECT_EQ(second.gpu, 1);
  const Variables variables = {{"TINTA_DEVICE", "cuda:3"}};
  const auto first = parsed<config::SampleOptions>("sample r --device cuda", variables).machine;
  EXPECT_EQ(first.gpu, 0);
}

TEST(CommandLine, OverridesAreVariablesThenSetsThenFlags) {
  const Variables variables = {{"TINTA_SEED", "1"}, {"TINTA_PRECISION", "fp32"}};
  EXPECT_THAT(
      parsed<config::TrainOptions>("train p --set training.seed=2 --precision bf16", variables)
          .overrides,
      ElementsAre("training.seed=1", "training.seed=2", "training.precision=bf16"));
}

TEST(CommandLine, AWrongVariableIsNamedUnlessAFlagStandsForIt) {
  const Variables variables = {{"TINTA_THREADS", "two"}};
  EXPECT_THAT(error_of("train p", variables),
              HasSubstr("TINTA_THREADS: expected a whole number of at least 0, got \"two\""));
  EXPECT_EQ(error_of("train p --threads 2", variables), "no error");
}

TEST(CommandLine, HelpIsOfferedForAllAndForEach) {
  EXPECT_EQ(parse("--help"), parse("help"));
  EXPECT_EQ(std::get<HelpText>(parse("-h")).text, overview());
  for (const std::string& name : command_names()) {
    const std::string help = std::get<HelpText>(parse(name + " --help")).text;
    EXPECT_THAT(help, HasSubstr("Usage: tinta " + name));
    EXPECT_THAT(help, HasSubstr("Example")) << name;
    EXPECT_THAT(overview(), HasSubstr("  " + name + " "));
    EXPECT_EQ(parse("help " + name), parse(name + " -h"));
  }
}

// A command line, and what its error says.
using Case = std::tuple<std::string, std::string>;
class WrongUsage : public ::testing::TestWithParam<Case> {};

TEST_P(WrongUsage, IsRefusedWithOneClearLine) {
  const std::string error = error_of(std::get<0>(GetParam()));
  EXPECT_THAT(error, StartsWith("["));
  EXPECT_THAT(error, HasSubstr(std::get<1>(GetParam())));
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Commands, WrongUsage,
    ::testing::Values(
        Case{"", "expected a command, got none"},
        Case{"trian", "got \"trian\": did you mean \"train\"?"},
        Case{"data",
             "expected data list or data info or data doctor or data get, got \"data\" alone"},
        Case{"data lst", "did you mean \"data list\"?"},
        Case{"--verison", "did you mean \"--version\"?"},
        Case{"help smaple", "did you mean \"sample\"?"}));

INSTANTIATE_TEST_SUITE_P(
    Flags, WrongUsage,
    ::testing::Values(Case{"train p --stpes 3", "got \"--stpes\": did you mean \"--steps\"?"},
                      Case{"train p --steps", "--steps: expected a value, got none"},
                      Case{"train p --steps 1 --steps 2", "--steps: expected one value, got 2"},
                      Case{"train p --steps 0", "--steps: expected a whole number of at least 1"},
                      Case{"train p --steps 1e3", "got \"1e3\""},
                      Case{"train p --minutes 0", "--minutes: expected a number above 0"},
                      Case{"train p --minutes nan", "--minutes: expected a number of at least 0"},
                      Case{"train p --minutes inf", "--minutes: expected a number of at least 0"},
                      Case{"train p --precision bf61", "did you mean \"bf16\"?"},
                      Case{"train p --seed -1", "--seed: expected a whole number of at least 0"},
                      Case{"train p q", "expected no more arguments, got \"q\""},
                      Case{"sample r --class 1,x", "--class: expected a whole number"},
                      Case{"sample r --class=,", "--class: expected a whole number"},
                      Case{"sample r --eta 2", "--eta: expected a number from 0.0 to 1.0"},
                      Case{"sample r --guidance -1", "--guidance: expected a number"},
                      Case{"sample r --sampler dpmm", "did you mean \"ddpm\"?"},
                      Case{"denoise r --t 0", "--t: expected a whole number of at least 1"},
                      Case{"denoise r --split tset", "did you mean \"test\"?"},
                      Case{"denoise r --device cuda:x", "expected a whole number of at least 0"},
                      Case{"denoise r --device gpu", "did you mean \"cpu\"?"}));

INSTANTIATE_TEST_SUITE_P(
    Combinations, WrongUsage,
    ::testing::Values(Case{"train", "expected a preset, a .toml file or --data DIR"},
                      Case{"train --resume", "expected --out RUN with --resume"},
                      Case{"train p --resume --force", "--resume or --force, got both"},
                      Case{"train p --resume --init-from r", "--resume or --init-from, got both"},
                      Case{"sample", "expected RUN, got none"},
                      Case{"inpaint r", "expected --image FILE and --mask FILE, got neither"},
                      Case{"inpaint r --image i", "got no --mask"},
                      Case{"inpaint r --image i --mask m --method replace --jump 2",
                           "expected no --resamplings or --jump with --method replace"},
                      Case{"inpaint r --image i --mask m --guidance 2",
                           "expected --class with --guidance"},
                      Case{"bench trian", "did you mean \"train\"?"},
                      Case{"bench --seconds 0", "--seconds: expected a number above 0"},
                      Case{"bench train", "expected --preset, got none"},
                      Case{"bench train --preset p --batch 0", "--batch: expected a whole number"},
                      Case{"bench sample --preset p --stpes 3", "did you mean \"--steps\"?"},
                      Case{"train p --profile 0", "--profile: expected a whole number"},
                      Case{"sample --nzp x", "did you mean \"--npz\"?"},
                      Case{"sample r -n 4 --per-class 2", "--count or --per-class, got both"}));

}  // namespace
}  // namespace tinta::cli
