#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>

#include "tinta/cli/command_line.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

// The flags of tinta eval and tinta classifier train.

namespace tinta::cli {
namespace {

using ::testing::HasSubstr;

Command parse(const std::string& line) {
  return parse_command_line(split(line, ' '),
                            [](const std::string&) -> std::optional<std::string> { return {}; });
}

template <class Options>
Options parsed(const std::string& line) {
  return std::get<Options>(parse(line));
}

std::string error_of(const std::string& line) {
  try {
    static_cast<void>(parse(line));
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "no error";
}

TEST(EvalFlags, AreAllRead) {
  EXPECT_EQ(parsed<config::EvalOptions>(
                "eval r --metrics recognised,recognised --classifier c --per-class 5 --class 1,2 "
                "--sampler ddim --steps 9 --guidance 2 --eta 0.5 --seed 3 --weights raw "
                "--checkpoint 7 --batch 2 --threads 1 --json"),
            (config::EvalOptions{.sample = {.run = "r",
                                            .per_class = 5,
                                            .classes = {1, 2},
                                            .sampler = "ddim",
                                            .steps = 9,
                                            .guidance = 2,
                                            .eta = 0.5,
                                            .seed = 3,
                                            .weights = config::Weights::raw,
                                            .checkpoint = 7,
                                            .batch = 2,
                                            .json = true,
                                            .machine = {.threads = 1}},
                                 .metrics = {"recognised"},
                                 .classifier = "c"}));
  EXPECT_EQ(parsed<config::EvalOptions>("eval --from f.npz --metrics recognised").from, "f.npz");
}

TEST(EvalFlags, RefuseWhatExcludesEachOther) {
  EXPECT_THAT(error_of("eval r --from f.npz --metrics recognised"), HasSubstr("got both"));
  EXPECT_THAT(error_of("eval --metrics recognised"), HasSubstr("or --from FILE, got none"));
  EXPECT_THAT(error_of("eval r"), HasSubstr("expected --metrics LIST (known: recognised)"));
  EXPECT_THAT(error_of("eval r --metrics fid"), HasSubstr("expected recognised, got \"fid\""));
  EXPECT_THAT(error_of("eval --from f --metrics recognised --guidance 2"),
              HasSubstr("[eval] --guidance: expected nothing"));
  EXPECT_THAT(error_of("eval r --metrics recognised -n 3 --per-class 2"),
              HasSubstr("[eval] expected --count or --per-class, got both"));
}

TEST(ClassifierFlags, AreAllRead) {
  EXPECT_EQ(
      parsed<config::ClassifierTrainOptions>("classifier train --data d --image-size 20 --epochs 3 "
                                             "--minutes 1.5 --features 16 --seed 2 "
                                             "--precision fp32 -o f --force --threads 2 --json"),
      (config::ClassifierTrainOptions{.image_size = 20,
                                      .data = "d",
                                      .out = "f",
                                      .epochs = 3,
                                      .minutes = 1.5,
                                      .features = 16,
                                      .precision = "fp32",
                                      .seed = 2,
                                      .force = true,
                                      .json = true,
                                      .machine = {.threads = 2}}));
  EXPECT_THAT(error_of("classifier train"), HasSubstr("expected --data PATH, got none"));
  EXPECT_THAT(error_of("classifier train --data d --minutes 0"), HasSubstr("a number above 0"));
  EXPECT_THAT(error_of("classifier"), HasSubstr("expected classifier train"));
}

}  // namespace
}  // namespace tinta::cli
