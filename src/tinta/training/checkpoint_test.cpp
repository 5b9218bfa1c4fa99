#include "tinta/training/checkpoint.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tinta/core/error.h"
#include "tinta/core/sha256.h"
#include "tinta/training/checkpoint_testing.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Steps = std::vector<std::uint64_t>;

TEST(Checkpoint, IsReadAsItWasWrittenBitForBit) {
  const RunFolder run;
  TrainingState state = varied_state(12345678901);
  auto* numbers = state.parameters[0].m.mutable_data_ptr<float>();
  numbers[0] = -0.0f;
  numbers[1] = std::numeric_limits<float>::denorm_min();
  numbers[2] = std::nanf("7");
  numbers[3] = -HUGE_VALF;
  state.images = std::numeric_limits<std::uint64_t>::max();
  state.loss_sum = 0.1 + 0.2;
  const TrainingState read = load_checkpoint(save_checkpoint(run.path(), state, 0));
  expect_same_state(read, state);
  EXPECT_EQ(read.seconds, state.seconds);
}

TEST(Checkpoint, OneFromBeforeLossesWereKeptByNoiseLevelIsRead) {
  const RunFolder run;
  TrainingState state = varied_state(5);
  state.level_losses = {};
  const CheckpointRef checkpoint = save_checkpoint(run.path(), state, 0);
  const auto rewrite = [&](const char* file, const auto& change) {
    auto json = nlohmann::json::parse(read_text(checkpoint.folder / file));
    change(json);
    write_file(checkpoint.folder / file, json.dump(), Existing::replace);
  };
  rewrite("state.json", [](auto& json) {
    EXPECT_EQ(json.erase("level_loss_sums"), 1u);
    EXPECT_EQ(json.erase("level_loss_counts"), 1u);
  });
  rewrite("manifest.json", [&](auto& json) {
    const std::vector<std::byte> bytes = read_bytes(checkpoint.folder / "state.json");
    json["files"]["state.json"] = {{"bytes", bytes.size()}, {"sha256", sha256(bytes)}};
  });
  expect_same_state(load_checkpoint(checkpoint), state);
}

TEST(Checkpoint, IsAFolderOfSixFilesNamedByItsStep) {
  const RunFolder run;
  const CheckpointRef checkpoint = saved(run, 40);
  EXPECT_EQ(checkpoint.folder, run.checkpoints() / "step-00000040");
  EXPECT_EQ(checkpoint.step, 40u);
  EXPECT_EQ(entries(run.checkpoints()), std::vector<std::string>{"step-00000040"});
  EXPECT_THAT(entries(checkpoint.folder), ::testing::ElementsAreArray(kCheckpointFiles));
  EXPECT_EQ(fault(checkpoint), std::nullopt);
}

TEST(Checkpoint, TrackedAveragesAreFurtherFilesAndComeBackInOrder) {
  const RunFolder run;
  const TrainingState state = varied_state(40, 0, {0.05, 0.075, 0.1});
  const CheckpointRef checkpoint = save_checkpoint(run.path(), state, 0);
  EXPECT_EQ(fault(checkpoint), std::nullopt);
  expect_same_state(load_checkpoint(checkpoint), state);
  EXPECT_EQ(entries(checkpoint.folder).size(), 9u);
  for (const char* name :
       {"ema-0.05.safetensors", "ema-0.075.safetensors", "ema-0.1.safetensors"}) {
    flip(checkpoint.folder / name, 150, 2);
    EXPECT_THAT(fault(checkpoint).value_or(""),
                HasSubstr(std::string(name) + "] expected SHA-256"));
    flip(checkpoint.folder / name, 150, 2);
  }
  fs::remove(checkpoint.folder / "ema-0.075.safetensors");
  EXPECT_NE(fault(checkpoint), std::nullopt);
}

TEST(Checkpoint, AManifestNamesNothingElse) {
  const RunFolder run;
  const CheckpointRef checkpoint = save_checkpoint(run.path(), varied_state(4, 0, {0.05}), 0);
  const fs::path path = checkpoint.folder / "manifest.json";
  const std::string whole = read_text(path);
  for (const std::string name : {"ema-0.050", "ema-.05", "ema-", "ema-wide", "ema-0.05x"}) {
    std::string other = whole;
    other.replace(other.find("ema-0.05"), 8, name);
    write_file(path, other, Existing::replace);
    EXPECT_THAT(fault(checkpoint).value_or(""), HasSubstr("got an entry for " + name)) << name;
  }
}

TEST(Checkpoint, EqualStatesGiveEqualBytesButForTheClock) {
  const RunFolder one;
  const RunFolder two;
  TrainingState state = varied_state(7);
  const fs::path first = save_checkpoint(one.path(), state, 0).folder;
  state.seconds = 1e6;
  const fs::path second = save_checkpoint(two.path(), state, 0).folder;
  for (const std::string file : kCheckpointFiles) {
    const bool same = read_bytes(first / file) == read_bytes(second / file);
    EXPECT_EQ(same, file != "clock.json" && file != "manifest.json") << file;
  }
}

TEST(Checkpoint, WeightsAreReadAloneAndNamedByTheirContent) {
  const RunFolder run;
  const TrainingState state = varied_state(9);
  const CheckpointRef checkpoint = save_checkpoint(run.path(), state, 0);
  const NamedTensors raw = load_weights(checkpoint, WeightsKind::raw);
  const NamedTensors ema = load_weights(checkpoint, WeightsKind::ema);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(raw.at(i).first, state.parameters[i].name);
    EXPECT_TRUE(same_bits(raw.at(i).second, state.parameters[i].master));
    EXPECT_EQ(ema.at(i).first, state.parameters[i].name);
    EXPECT_TRUE(same_bits(ema.at(i).second, state.parameters[i].ema));
  }
  const std::string hash = content_hash(checkpoint, WeightsKind::ema);
  EXPECT_EQ(hash.size(), 16u);
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos) << hash;
  EXPECT_NE(hash, content_hash(checkpoint, WeightsKind::raw));
  TrainingState later = varied_state(9);
  later.step = 10;
  EXPECT_EQ(hash, content_hash(save_checkpoint(run.path(), later, 0), WeightsKind::ema));
  later.parameters[0].ema.mutable_data_ptr<float>()[0] += 1;
  EXPECT_NE(hash, content_hash(save_checkpoint(run.path(), later, 0), WeightsKind::ema));
}

TEST(ListCheckpoints, TakesFoldersOfTheRightNameNewestFirst) {
  const RunFolder run;
  EXPECT_TRUE(list_checkpoints(run.path()).empty());
  for (const char* name :
       {"step-00000020", "step-00000100", "step-123456789", "step-00000003", "step-3", "step-",
        "step-0000000x", "step-00000040.old", ".tmp-step-00000200-17", "notes"}) {
    fs::create_directories(run.checkpoints() / name);
  }
  write_file(run.checkpoints() / "step-00000999", "a file", Existing::refuse);
  EXPECT_EQ(saved_steps(run.path()), (Steps{3, 20, 100, 123456789}));
  EXPECT_EQ(list_checkpoints(run.path()).front().folder, run.checkpoints() / "step-123456789");
}

TEST(CheckpointAt, NamesWhatThereIsWhereTheStepIsMissing) {
  const RunFolder run;
  const auto message = [&](std::uint64_t step) {
    return message_of<ArgumentError>([&] { checkpoint_at(run.path(), step); });
  };
  EXPECT_THAT(message(5), HasSubstr("expected a checkpoint of step 5, got those of: none"));
  saved(run, 10);
  saved(run, 20);
  EXPECT_THAT(message(5), HasSubstr("expected a checkpoint of step 5, got those of: 20, 10"));
  EXPECT_EQ(checkpoint_at(run.path(), 10).folder, run.checkpoints() / "step-00000010");
  flip(run.checkpoints() / "step-00000010" / "model.safetensors", 200, 3);
  EXPECT_THAT(message_of<DataError>([&] { checkpoint_at(run.path(), 10); }),
              HasSubstr("model.safetensors] expected SHA-256"));
  EXPECT_EQ(checkpoint_at(run.path(), 20).step, 20u);
}

TEST(SaveCheckpoint, TheSameStepAgainReplacesTheFirst) {
  const RunFolder run;
  saved(run, 10);
  saved(run, 20);
  const TrainingState second = varied_state(20, /*salt=*/1);
  const CheckpointRef checkpoint = save_checkpoint(run.path(), second, 0);
  EXPECT_EQ(fault(checkpoint), std::nullopt);
  expect_same_state(load_checkpoint(checkpoint), second);
  EXPECT_EQ(entries(run.checkpoints()),
            (std::vector<std::string>{"step-00000010", "step-00000020"}));
}

TEST(SaveCheckpoint, ReplacesADamagedOneOfTheSameStep) {
  const RunFolder run;
  const CheckpointRef checkpoint = saved(run, 20);
  fs::remove(checkpoint.folder / "ema.safetensors");
  write_file(checkpoint.folder / "left over", "text", Existing::refuse);
  saved(run, 20);
  EXPECT_EQ(fault(checkpoint), std::nullopt);
  EXPECT_THAT(entries(checkpoint.folder), ::testing::ElementsAreArray(kCheckpointFiles));
}

TEST(SaveCheckpoint, KeepsTheNewestOnesAsAsked) {
  const RunFolder all;
  const RunFolder two;
  const RunFolder one;
  for (std::uint64_t step = 1; step <= 4; ++step) {
    save_checkpoint(all.path(), varied_state(step), 0);
    save_checkpoint(two.path(), varied_state(step), 2);
    save_checkpoint(one.path(), varied_state(step), 1);
  }
  EXPECT_EQ(saved_steps(all.path()), (Steps{1, 2, 3, 4}));
  EXPECT_EQ(saved_steps(two.path()), (Steps{3, 4}));
  EXPECT_EQ(saved_steps(one.path()), Steps{4});
  save_checkpoint(all.path(), varied_state(5), 3);
  EXPECT_EQ(saved_steps(all.path()), (Steps{3, 4, 5}));
}

TEST(PruneCheckpoints, KeepsOneBesideTheNewest) {
  const RunFolder run;
  for (const std::uint64_t step : Steps{1, 2, 3, 4, 5}) saved(run, step);
  prune_checkpoints(run.path(), 2, 2);
  EXPECT_EQ(saved_steps(run.path()), (Steps{2, 4, 5}));
  prune_checkpoints(run.path(), 2, 5);
  EXPECT_EQ(saved_steps(run.path()), (Steps{4, 5}));
  prune_checkpoints(run.path(), 1, 99);
  EXPECT_EQ(saved_steps(run.path()), Steps{5});
  prune_checkpoints(run.path(), 0, {});
  EXPECT_EQ(saved_steps(run.path()), Steps{5});
}

// One that is damaged must not push out the one that a run could be resumed from.
TEST(SaveCheckpoint, ADamagedCheckpointDoesNotCountAsKept) {
  const RunFolder run;
  for (const std::uint64_t step : Steps{10, 20, 30, 40}) saved(run, step);
  flip(run.checkpoints() / "step-00000040" / "state.json", 0, 0);
  fs::remove(run.checkpoints() / "step-00000020" / "manifest.json");
  save_checkpoint(run.path(), varied_state(50), 2);
  // 50 and 30 are whole; 40 is newer than what is needed and stays to be looked at.
  EXPECT_EQ(saved_steps(run.path()), (Steps{30, 40, 50}));
}

TEST(SaveCheckpoint, ARunThatCannotHoldOneIsAnError) {
  const RunFolder run;
  write_file(run.path() / "file", "text", Existing::refuse);
  EXPECT_THROW(save_checkpoint(run.path() / "file", varied_state(1), 0), SystemError);
  write_file(run.checkpoints(), "text", Existing::refuse);
  EXPECT_THROW(save_checkpoint(run.path(), varied_state(1), 0), SystemError);
  EXPECT_EQ(entries(run.path()), (std::vector<std::string>{"checkpoints", "file"}));
  EXPECT_EQ(read_text(run.checkpoints()), "text");
}

// The limit is one byte less than a file, so that this file is the first that cannot be written.
TEST(SaveCheckpoint, OnAFullDiskThrowsAndLeavesWhatWasThere) {
  const RunFolder run;
  const CheckpointRef old = saved(run, 10);
  const auto size = [&](const char* file) { return fs::file_size(old.folder / file); };
  ASSERT_LT(size("clock.json"), size("ema.safetensors"));
  ASSERT_LT(size("ema.safetensors"), size("optimizer.safetensors"));
  ASSERT_LT(size("optimizer.safetensors"), size("manifest.json"));
  const TrainingState again = varied_state(10, /*salt=*/1);
  const TrainingState next = varied_state(20);
  for (const std::string file :
       {"clock.json", "ema.safetensors", "optimizer.safetensors", "manifest.json"}) {
    for (const TrainingState* state : {&again, &next}) {
      const LimitedChild child = with_file_limit(size(file.c_str()) - 1, PastLimit::error, [&] {
        const std::string message =
            message_of<SystemError>([&] { save_checkpoint(run.path(), *state, 1); });
        const bool named = message.find(file + "] cannot write") != std::string::npos;
        return named ? 0 : 1;
      });
      EXPECT_EQ(child.exit_status, 0) << file << " of step " << state->step;
      EXPECT_EQ(entries(run.checkpoints()), std::vector<std::string>{"step-00000010"});
      EXPECT_EQ(fault(old), std::nullopt);
    }
  }
  expect_same_state(load_checkpoint(old), varied_state(10));
}

TEST(SaveCheckpoint, KilledWhileWritingLeavesTheOldOneAndTheNextSaveCleansUp) {
  const RunFolder run;
  const CheckpointRef old = saved(run, 10);
  const TrainingState next = varied_state(20);
  for (const char* file : {"clock.json", "ema.safetensors", "manifest.json"}) {
    const std::uint64_t limit = fs::file_size(old.folder / file) - 1;
    const LimitedChild child = with_file_limit(limit, PastLimit::kill, [&] {
      save_checkpoint(run.path(), next, 0);
      return 0;
    });
    EXPECT_EQ(child.signal, SIGXFSZ) << file;
    const std::vector<std::string> left = entries(run.checkpoints());
    ASSERT_EQ(left.size(), 2u) << file;
    EXPECT_THAT(left[0], ::testing::StartsWith(".tmp-step-00000020-"));
    EXPECT_EQ(saved_steps(run.path()), Steps{10});
    EXPECT_EQ(newest_valid(run.path(), nullptr).value().step, 10u);
    saved(run, 10);
    EXPECT_EQ(entries(run.checkpoints()), std::vector<std::string>{"step-00000010"});
  }
}

// Killed between the last flush and the rename: whole, but not yet in its place.
TEST(SaveCheckpoint, AWholeTemporaryFolderIsNotACheckpointAndIsCleanedUp) {
  const RunFolder run;
  saved(run, 10);
  fs::copy(run.checkpoints() / "step-00000010", run.checkpoints() / ".tmp-step-00000020-4711");
  fs::create_directory(run.checkpoints() / ".tmp-step-00000030-4712-old");
  EXPECT_EQ(newest_valid(run.path(), nullptr).value().step, 10u);
  saved(run, 15);
  EXPECT_EQ(entries(run.checkpoints()),
            (std::vector<std::string>{"step-00000010", "step-00000015"}));
}

}  // namespace
}  // namespace tinta::training
