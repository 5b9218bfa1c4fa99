#include "tinta/training/validations.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/training/ema_snapshots.h"
#include "tinta/training/metrics.h"
#include "tinta/training/test_support.h"
#include "tinta/training/trainer.h"

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Steps = std::vector<std::uint64_t>;

/// A run whose validations find what a test says they do.
struct ToldRun : TinyRun {
  explicit ToldRun(std::map<std::uint64_t, double> losses) : told(std::move(losses)) {
    config.validate_every = 2;
    attach();
  }

  void attach() {
    hooks.validate = [this](std::uint64_t step, const NamedTensors&) -> std::optional<Validation> {
      asked.push_back(step);
      return Validation{.step = step, .loss = {told.at(step), 0.01}};
    };
    hooks.sinks.log = [this](LogLevel, const std::string& text) { log.push_back(text); };
  }

  std::map<std::uint64_t, double> told;
  Steps asked;
  std::vector<std::string> log;
};

Steps validated(const fs::path& run) {
  Steps steps;
  for (const ValidationLine& line : read_validations(run, 1000)) steps.push_back(line.step);
  return steps;
}

TEST(Validations, AreMadeAtEachIntervalAndAtTheEnd) {
  ToldRun run({{2, 5}, {4, 4}, {6, 3}, {7, 2}});
  run.train(7);
  EXPECT_EQ(run.asked, (Steps{2, 4, 6, 7}));
  EXPECT_EQ(validated(run.folder.path()), run.asked);
  EXPECT_EQ(best_checkpoint(run.folder.path()), 7u);
  EXPECT_THAT(run.log, ::testing::Contains(HasSubstr("validation at step 4: loss 4.00000")));
}

TEST(Validations, TheBestOnesCheckpointIsSavedAndKept) {
  ToldRun run({{2, 5}, {4, 3}, {6, 4}, {8, 3}, {10, 6}, {11, 7}});
  run.config.checkpoint_every = 5;
  run.config.keep_checkpoints = 1;
  run.train(11);
  EXPECT_EQ(saved_steps(run.folder.path()), (Steps{4, 11}));
  EXPECT_EQ(best_checkpoint(run.folder.path()), 4u) << "the first of equal ones";
  const auto best = nlohmann::json::parse(read_text(run.folder.path() / "best.json"));
  EXPECT_EQ(best.at("checkpoint"), "step-00000004");
  EXPECT_EQ(best.at("loss"), 3);
}

TEST(Validations, PatienceEndsARunWhichThenIsSavedAndFinished) {
  ToldRun run({{2, 5}, {4, 3}, {6, 4}, {8, 3.5}, {10, 3.2}, {12, 1}});
  run.config.patience = 3;
  EXPECT_EQ(run.train(20), Ending::finished);
  EXPECT_EQ(run.state.step, 10u);
  EXPECT_EQ(saved_steps(run.folder.path()), (Steps{2, 4, 10}));
  EXPECT_THAT(run.log.back(), HasSubstr("no better validation since step 4"));
  EXPECT_TRUE(given_up(read_validations(run.folder.path(), 10), 3));
  EXPECT_FALSE(given_up(read_validations(run.folder.path(), 8), 3));
  EXPECT_FALSE(given_up(read_validations(run.folder.path(), 10), 4));
  EXPECT_FALSE(given_up(read_validations(run.folder.path(), 10), 0));
  EXPECT_EQ(run.train(20), Ending::finished) << "again at once";
  EXPECT_EQ(run.state.step, 10u);
}

TEST(Validations, WithoutOneThereIsNoBest) {
  TinyRun run;
  run.train(3);
  EXPECT_FALSE(fs::exists(run.folder.path() / "validation.jsonl"));
  EXPECT_FALSE(fs::exists(run.folder.path() / "best.json"));
  EXPECT_THAT(message_of<ArgumentError>([&] { best_checkpoint(run.folder.path()); }),
              HasSubstr("training.validate_every"));
}

TEST(Validations, ALossThatIsNotFiniteIsNoValidation) {
  ToldRun run({{2, 5}, {4, std::nan("")}, {6, 6}});
  run.train(6);
  EXPECT_EQ(validated(run.folder.path()), (Steps{2, 6}));
  EXPECT_THAT(run.log, ::testing::Contains(HasSubstr("step 4 is left out")));
}

TEST(CutValidations, TakesBackLaterOnesAndABrokenLineAndNamesTheBestOfTheRest) {
  ToldRun run({{2, 5}, {4, 4}, {6, 3}});
  run.train(6);
  const fs::path path = run.folder.path() / "validation.jsonl";
  const std::string whole = read_text(path);
  write_file(path, "{\"step\":1}\n" + whole + "{\"step\":8,\"lo", Existing::replace);
  EXPECT_EQ(cut_validations(run.folder.path(), 6), 1u);
  EXPECT_EQ(read_text(path), whole);
  cut_validations(run.folder.path(), 5);
  EXPECT_EQ(validated(run.folder.path()), (Steps{2, 4}));
  EXPECT_EQ(best_checkpoint(run.folder.path()), 4u);
  cut_validations(run.folder.path(), 1);
  EXPECT_EQ(read_text(path), "");
  EXPECT_FALSE(fs::exists(run.folder.path() / "best.json"));
}

// --- a run with validations that compute, killed and resumed --------------------------------

struct Killed {};

struct ValidatedRun : TinyRun {
  ValidatedRun() : TinyRun(3), held_out(tiny_pictures(12, 3)) {
    config.batch = 3;
    config.seed = 21;
    config.checkpoint_every = 5;
    config.keep_checkpoints = 2;
    config.validate_every = 3;
    config.ema_decay = 0.5;
    config.ema_relative_widths = {0.1};
    begin();
  }

  // As a new process does.
  void begin() {
    const auto newest = newest_valid(folder.path(), nullptr);
    network = Line(process::Prediction::eps, 3);
    state = newest ? load_checkpoint(*newest)
                   : TrainingState::fresh(network.named_parameters(), config.ema_relative_widths);
    cut_metrics(folder.path(), state.step);
    cut_validations(folder.path(), state.step);
    cut_snapshots(folder.path(), state.step);
    hooks = {};
    hooks.validate = [this](std::uint64_t step, const NamedTensors& averages) {
      return validate({judge, schedule, held_out, config}, step, averages, {}, hooks.stop);
    };
  }

  data::Dataset held_out;
  Line judge{process::Prediction::eps, 3};
};

void expect_same_files(const ValidatedRun& a, const ValidatedRun& b) {
  for (const char* file : {"validation.jsonl", "best.json"}) {
    EXPECT_EQ(read_text(a.folder.path() / file), read_text(b.folder.path() / file)) << file;
  }
  EXPECT_EQ(saved_steps(a.folder.path()), saved_steps(b.folder.path()));
  EXPECT_EQ(entries(a.folder.path() / "ema"), entries(b.folder.path() / "ema"));
  expect_same_state(a.state, b.state);
}

constexpr std::uint64_t kEnd = 14;

TEST(Validations, AKillAtAnyStepGivesTheFilesOfARunLeftAlone) {
  ValidatedRun alone;
  alone.train(kEnd);
  EXPECT_EQ(validated(alone.folder.path()), (Steps{3, 6, 9, 12, kEnd}));
  for (std::uint64_t step = 1; step <= kEnd; ++step) {
    ValidatedRun killed;
    // A step's report comes after its validation and before its checkpoint.
    killed.hooks.sinks.progress = [&](const Progress& progress) {
      if (progress.what == "training" && killed.state.step == step) throw Killed{};
    };
    EXPECT_THROW(killed.train(kEnd), Killed);
    killed.begin();
    EXPECT_EQ(killed.train(kEnd), Ending::finished);
    expect_same_files(alone, killed);
  }
}

// The checkpoint is there and best.json is not yet what it says.
TEST(Validations, AKillBetweenCheckpointAndBestIsMadeGood) {
  ValidatedRun alone;
  alone.train(kEnd);
  ValidatedRun killed;
  killed.train(kEnd);
  write_file(killed.folder.path() / "best.json",
             "{\"step\": 3, \"loss\": 9.0, \"standard_error\": 1.0}", Existing::replace);
  killed.begin();
  EXPECT_EQ(read_text(killed.folder.path() / "best.json"),
            read_text(alone.folder.path() / "best.json"));
}

TEST(Validations, OneThatAStopCameBeforeIsMadeOnResume) {
  ValidatedRun alone;
  alone.train(kEnd);
  ValidatedRun stopped;
  stopped.hooks.stop = [&] { return stopped.state.step == 6; };
  EXPECT_EQ(stopped.train(kEnd), Ending::stopped);
  EXPECT_EQ(validated(stopped.folder.path()), Steps{3});
  stopped.begin();
  ASSERT_EQ(stopped.state.step, 6u);
  stopped.train(kEnd);
  EXPECT_EQ(read_text(stopped.folder.path() / "validation.jsonl"),
            read_text(alone.folder.path() / "validation.jsonl"));
  EXPECT_EQ(read_text(stopped.folder.path() / "best.json"),
            read_text(alone.folder.path() / "best.json"));
  expect_same_state(stopped.state, alone.state);
}

}  // namespace
}  // namespace tinta::training
