#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tinta/training/checkpoint.h"
#include "tinta/training/metrics.h"
#include "tinta/training/test_support.h"
#include "tinta/training/trainer.h"

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using Steps = std::vector<std::uint64_t>;

constexpr std::uint64_t kEnd = 17;

/// Where a run is killed: in step `step` before it can save, or right after what it saved there.
struct Kill {
  std::uint64_t step;
  bool after_save;
};

struct Killed {};

/// A run in which every part has something to lose: labels, class dropout, epochs that end within a
/// batch (10 pictures, batches of 3), warm-up, cosine, clipping, decay of weights and averages.
/// Lines at 1, 4, 8, 12, 16, 17; checkpoints at 5, 10, 15, 17.
struct WholeRun : TinyRun {
  explicit WholeRun(std::uint64_t seed = 21) : TinyRun(3) {
    config.batch = 3;
    config.seed = seed;
    config.warmup_steps = 6;
    config.decay = "cosine";
    config.weight_decay = 0.1;
    config.clip_norm = 0.5;
    config.class_dropout = 0.3;
    config.log_every = 4;
    config.checkpoint_every = 5;
    config.ema_relative_widths = {0.05, 0.1};
    state = TrainingState::fresh(network.named_parameters(), config.ema_relative_widths);
  }
};

// Leaves the folder as a process does that is killed there.
void train_until(TinyRun& run, const Kill& kill) {
  // A step's report comes before its checkpoint, and the question whether to stop after the one
  // before it.
  run.hooks.sinks.progress = [&](const Progress&) {
    if (!kill.after_save && run.state.step == kill.step) throw Killed{};
  };
  run.hooks.stop = [&]() -> bool {
    if (kill.after_save && run.state.step == kill.step + 1) throw Killed{};
    return false;
  };
  EXPECT_THROW(run.train(kEnd), Killed);
  run.hooks = {};
}

// What a new process does in a run's folder: everything in memory begins anew.
void begin_anew(TinyRun& run) {
  const auto newest = newest_valid(run.folder.path(), nullptr);
  run.network = Line(process::Prediction::eps, 3);
  run.state =
      newest ? load_checkpoint(*newest)
             : TrainingState::fresh(run.network.named_parameters(), run.config.ema_relative_widths);
  cut_metrics(run.folder.path(), run.state.step);
  if (newest) run.network.scale.detach().fill_(99);  // must come from the checkpoint
}

// Lines of metrics.jsonl without what the wall clock says.
std::vector<std::string> repeatable_metrics(const fs::path& run) {
  std::vector<std::string> lines;
  for (auto line : metrics_of(run)) {
    EXPECT_EQ(line.erase("images_per_second"), 1u);
    EXPECT_EQ(line.erase("seconds"), 1u);
    EXPECT_EQ(line.erase("time"), 1u);
    lines.push_back(line.dump());
  }
  return lines;
}

void expect_same_checkpoint(const fs::path& run, const fs::path& other, std::uint64_t step) {
  const fs::path a = checkpoint_at(run, step).folder;
  const fs::path b = checkpoint_at(other, step).folder;
  for (const char* file : {"model.safetensors", "ema.safetensors", "ema-0.05.safetensors",
                           "ema-0.1.safetensors", "optimizer.safetensors", "state.json"}) {
    EXPECT_EQ(read_bytes(a / file), read_bytes(b / file)) << file << " of step " << step;
  }
}

void expect_same_run(const TinyRun& run, const TinyRun& other) {
  expect_same_state(run.state, other.state);
  EXPECT_EQ(repeatable_metrics(run.folder.path()), repeatable_metrics(other.folder.path()));
  const Steps saved = saved_steps(run.folder.path());
  ASSERT_EQ(saved, saved_steps(other.folder.path()));
  for (const std::uint64_t step : saved) {
    expect_same_checkpoint(run.folder.path(), other.folder.path(), step);
  }
}

TEST(Resume, TheSameRunTwiceIsTheSameBitsAndAnotherSeedIsNot) {
  WholeRun one;
  WholeRun two;
  WholeRun other(22);
  for (TinyRun* run :
       {static_cast<TinyRun*>(&one), static_cast<TinyRun*>(&two), static_cast<TinyRun*>(&other)}) {
    run->train(kEnd);
  }
  expect_same_run(one, two);
  EXPECT_FALSE(same_bits(one.state.parameters[0].master, other.state.parameters[0].master));
  EXPECT_NE(repeatable_metrics(one.folder.path()), repeatable_metrics(other.folder.path()));
}

class ResumeAfter : public testing::TestWithParam<std::vector<Kill>> {};

TEST_P(ResumeAfter, AKillGivesTheBitsOfARunLeftAlone) {
  WholeRun alone;
  alone.train(kEnd);
  WholeRun killed;
  for (const Kill& kill : GetParam()) {
    train_until(killed, kill);
    begin_anew(killed);
    EXPECT_EQ(killed.state.step, (kill.after_save ? kill.step : kill.step - 1) / 5 * 5);
  }
  EXPECT_EQ(killed.train(kEnd), Ending::finished);
  expect_same_run(alone, killed);
  EXPECT_EQ(logged_steps(killed.folder.path()), (Steps{1, 4, 8, 12, 16, kEnd}));
}

INSTANTIATE_TEST_SUITE_P(
    Kills, ResumeAfter,
    testing::Values(std::vector<Kill>{{1, false}},   // in the first step
                    std::vector<Kill>{{3, false}},   // nothing saved yet
                    std::vector<Kill>{{4, false}},   // just logged
                    std::vector<Kill>{{5, false}},   // about to save for the first time
                    std::vector<Kill>{{5, true}},    // just saved
                    std::vector<Kill>{{7, false}},   // between all
                    std::vector<Kill>{{8, true}},    // logged, saved before that
                    std::vector<Kill>{{13, false}},  // a line to be cut
                    std::vector<Kill>{{16, false}},  // two lines later than the checkpoint
                    std::vector<Kill>{{17, false}},  // in the last step
                    std::vector<Kill>{{6, false}, {7, false}, {11, true}, {12, false}}),
    [](const auto& item) {
      std::string name;
      for (const Kill& kill : item.param) {
        name += (kill.after_save ? "After" : "In") + std::to_string(kill.step);
      }
      return name;
    });

TEST(Resume, ADamagedNewestCheckpointCostsOnlyTheStepsSinceTheOneBefore) {
  WholeRun alone;
  alone.train(kEnd);
  WholeRun killed;
  train_until(killed, {13, false});
  fs::resize_file(killed.folder.checkpoints() / "step-00000010" / "optimizer.safetensors", 100);
  begin_anew(killed);
  EXPECT_EQ(killed.state.step, 5u);
  killed.train(kEnd);
  expect_same_run(alone, killed);
}

// A stop is logged, which a run left alone does not do there; nothing else differs at the end.
TEST(Resume, AStopAndGoingOnGivesTheSameWeights) {
  WholeRun alone;
  alone.train(kEnd);
  for (const std::uint64_t step : Steps{6, 16}) {
    WholeRun stopped;
    stopped.hooks.stop = [&] { return stopped.state.step == step; };
    EXPECT_EQ(stopped.train(kEnd), Ending::stopped);
    stopped.hooks = {};
    begin_anew(stopped);
    EXPECT_EQ(stopped.state.step, step);
    EXPECT_EQ(stopped.train(kEnd), Ending::finished);
    expect_same_state(alone.state, stopped.state);
    expect_same_checkpoint(alone.folder.path(), stopped.folder.path(), kEnd);
  }
}

TEST(Resume, AStepGivenUpHalfWayIsTakenAnewWithTheSameBits) {
  WholeRun alone;
  alone.train(kEnd);
  WholeRun stopped;
  bool asked = false;
  stopped.network.spoil = [&](const at::Tensor& out, const Line& line) {
    asked = stopped.state.step == 7;
    if (line.last.training->at_each_block) line.last.training->at_each_block();
    return out;
  };
  stopped.hooks.stop = [&] { return asked; };
  EXPECT_EQ(stopped.train(kEnd), Ending::stopped);
  EXPECT_EQ(stopped.state.step, 7u);
  stopped.hooks = {};
  begin_anew(stopped);
  EXPECT_EQ(stopped.train(kEnd), Ending::finished);
  expect_same_state(alone.state, stopped.state);
  expect_same_checkpoint(alone.folder.path(), stopped.folder.path(), kEnd);
}

TEST(Resume, ALongerBudgetGoesOnWhereAConstantRateWouldHaveGone) {
  WholeRun whole;
  whole.config.decay = "constant";
  whole.train(kEnd);
  WholeRun parts;
  parts.config.decay = "constant";
  for (const std::uint64_t end : Steps{2, 9, kEnd}) {
    parts.train(end);
    begin_anew(parts);
  }
  expect_same_state(whole.state, parts.state);
}

// Every schedule after a kill, against its formula: the rates that were logged.
TEST(Resume, TheLearningRateGoesOnWhereItsFormulaSays) {
  for (const std::string decay : {"constant", "cosine", "inverse-sqrt"}) {
    WholeRun run;
    run.config.decay = decay;
    run.config.reference_steps = 4;
    run.config.ramp_images = 30;
    run.config.log_every = 1;
    train_until(run, {12, false});
    begin_anew(run);
    ASSERT_EQ(run.state.step, 10u);
    run.train(kEnd);
    const auto lines = metrics_of(run.folder.path());
    ASSERT_EQ(lines.size(), kEnd);
    for (std::uint64_t step = 1; step <= kEnd; ++step) {
      const auto n = static_cast<double>(step);
      double rate = run.config.learning_rate * (n < 6 ? n / 6 : 1) * (n < 10 ? 3 * n / 30 : 1);
      if (decay == "cosine") rate *= (1 + std::cos(M_PI * (n - 1) / kEnd)) / 2;
      if (decay == "inverse-sqrt") rate *= n > 4 ? 2 / std::sqrt(n) : 1;
      EXPECT_NEAR(lines[step - 1].at("learning_rate").get<double>(), rate, 1e-15)
          << decay << " " << step;
    }
  }
}

TEST(Resume, TheClockGoesOnFromTheCheckpoint) {
  WholeRun run;
  run.train(5);
  begin_anew(run);
  run.state.seconds += 1e6;  // as if the first part had taken long
  run.train(kEnd);
  EXPECT_GT(load_checkpoint(checkpoint_at(run.folder.path(), kEnd)).seconds, 1e6);
  EXPECT_GT(metrics_of(run.folder.path()).back().at("seconds").get<double>(), 1e6);
}

}  // namespace
}  // namespace tinta::training
