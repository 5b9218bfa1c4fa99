#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tinta/core/error.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/checkpoint_testing.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Two checkpoints, 10 and 20, of which a test damages the newer.
class Damage : public testing::TestWithParam<const char*> {
 protected:
  Damage() {
    saved(run_, 10);
    newer_ = saved(run_, 20);
  }

  [[nodiscard]] const CheckpointRef& newer() const { return newer_; }
  [[nodiscard]] const fs::path& run() const { return run_.path(); }
  [[nodiscard]] fs::path file() const { return newer_.folder / GetParam(); }

  /// That the damage is seen, told, and the older checkpoint taken.
  void expect_passed_over(const std::string& what) const {
    const auto wrong = fault(newer_);
    ASSERT_TRUE(wrong.has_value()) << what;
    EXPECT_THAT(*wrong, HasSubstr(newer_.folder.string())) << what;
    std::vector<std::string> warnings;
    const auto found =
        newest_valid(run(), [&](const std::string& text) { warnings.push_back(text); });
    ASSERT_TRUE(found.has_value()) << what;
    EXPECT_EQ(found->step, 10u) << what;
    ASSERT_EQ(warnings.size(), 1u) << what;
    EXPECT_THAT(warnings[0], HasSubstr("step-00000020 is damaged")) << what;
    EXPECT_THAT(warnings[0], HasSubstr(*wrong)) << what;
    EXPECT_THAT(warnings[0], HasSubstr("step-00000010")) << "what is used instead";
  }

 private:
  RunFolder run_;
  CheckpointRef newer_;
};

// Each third byte, and with them each of the eight bits.
TEST_P(Damage, AFlippedBitAnywhereIsSeen) {
  const std::vector<std::byte> good = read_bytes(file());
  for (std::size_t i = 0; i < good.size(); i += 3) {
    std::vector<std::byte> bad = good;
    bad[i] ^= static_cast<std::byte>(1u << (i % 8));
    std::ofstream(file(), std::ios::binary)
        .write(reinterpret_cast<const char*>(bad.data()), static_cast<std::streamsize>(bad.size()));
    ASSERT_TRUE(fault(newer()).has_value()) << "byte " << i << " of " << good.size();
  }
  write_file_checked(file(), good);
  EXPECT_EQ(fault(newer()), std::nullopt);
}

TEST_P(Damage, AFlippedByteMakesTheOlderCheckpointTheNewestValid) {
  const std::size_t size = fs::file_size(file());
  for (const std::size_t byte : {std::size_t{0}, size / 3, size / 2, size - 2}) {
    flip(file(), byte, 1);
    expect_passed_over("byte " + std::to_string(byte));
    flip(file(), byte, 1);
  }
  EXPECT_EQ(newest_valid(run(), nullptr).value().step, 20u);
}

TEST_P(Damage, AFileCutShortOrGrownIsSeen) {
  const std::string good = read_text(file());
  for (const std::string& bad : {std::string(), good.substr(0, good.size() / 2),
                                 good.substr(0, good.size() - 2), good + "x"}) {
    write_file(file(), bad, Existing::replace);
    expect_passed_over(std::to_string(bad.size()) + " of " + std::to_string(good.size()));
  }
}

TEST_P(Damage, AMissingFileOrAFolderInItsPlaceIsSeen) {
  fs::remove(file());
  expect_passed_over("missing");
  fs::create_directory(file());
  expect_passed_over("a folder");
}

TEST_P(Damage, LoadingThrowsRatherThanGiveWrongNumbers) {
  flip(file(), fs::file_size(file()) / 2, 4);
  EXPECT_THROW(load_checkpoint(newer()), DataError);
}

INSTANTIATE_TEST_SUITE_P(Files, Damage, testing::ValuesIn(kCheckpointFiles), [](const auto& item) {
  const std::string name = item.param;
  return name.substr(0, name.find('.'));
});

TEST(NewestValid, IsNoneWhereAllAreDamagedAndEachIsTold) {
  const RunFolder run;
  EXPECT_EQ(newest_valid(run.path(), nullptr), std::nullopt);
  for (const std::uint64_t step : {10, 20, 30}) {
    fs::remove(saved(run, step).folder / "manifest.json");
  }
  std::vector<std::string> warnings;
  EXPECT_EQ(newest_valid(run.path(), [&](const auto& text) { warnings.push_back(text); }),
            std::nullopt);
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_THAT(warnings[0], HasSubstr("step-00000030"));
  EXPECT_THAT(warnings[2], HasSubstr("step-00000010"));
  EXPECT_EQ(newest_valid(run.path(), nullptr), std::nullopt) << "without anyone to tell";
}

TEST(NewestValid, IsTheNewestByStepNotByTime) {
  const RunFolder run;
  saved(run, 20);
  saved(run, 10);
  std::vector<std::string> warnings;
  const auto newest = newest_valid(run.path(), [&](const auto& text) { warnings.push_back(text); });
  EXPECT_EQ(newest.value().step, 20u);
  EXPECT_TRUE(warnings.empty());
}

TEST(Fault, FilesOfAnotherCheckpointAreSeen) {
  const RunFolder run;
  const CheckpointRef older = saved(run, 10);
  const CheckpointRef newer = saved(run, 20);
  const auto size = [](const fs::path& path) { return fs::file_size(path); };
  ASSERT_EQ(size(older.folder / "ema.safetensors"), size(newer.folder / "ema.safetensors"));
  fs::copy_file(older.folder / "ema.safetensors", newer.folder / "ema.safetensors",
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(fault(newer).value_or("none"), HasSubstr("ema.safetensors] expected SHA-256"));
}

TEST(Fault, AFolderRenamedToAnotherStepIsSeen) {
  const RunFolder run;
  fs::rename(saved(run, 10).folder, run.checkpoints() / "step-00000030");
  EXPECT_THAT(fault(list_checkpoints(run.path()).front()).value_or("none"),
              HasSubstr("manifest.json] expected step 30, got 10"));
}

TEST(Fault, ManifestsOfAnotherFormOrFormatAreSeen) {
  const RunFolder run;
  const CheckpointRef checkpoint = saved(run, 10);
  const fs::path path = checkpoint.folder / "manifest.json";
  const nlohmann::json good = nlohmann::json::parse(read_text(path));
  const auto told = [&](const nlohmann::json& manifest) {
    write_file(path, manifest.dump(), Existing::replace);
    return fault(checkpoint).value_or("none");
  };
  EXPECT_EQ(told(good), "none");
  for (const char* key : {"format", "step", "files"}) {
    nlohmann::json bad = good;
    bad.erase(key);
    EXPECT_THAT(told(bad), HasSubstr(key));
    bad[key] = {1, 2};
    EXPECT_NE(told(bad), "none") << key;
  }
  for (const char* key : {"bytes", "sha256"}) {
    nlohmann::json bad = good;
    bad["files"]["state.json"].erase(key);
    EXPECT_THAT(told(bad), HasSubstr(key));
  }
  nlohmann::json other = good;
  other["format"] = "tinta-checkpoint-2";
  EXPECT_THAT(told(other), HasSubstr("expected format tinta-checkpoint-1"));
  nlohmann::json more = good;
  more["files"]["more.json"] = more["files"]["state.json"];
  EXPECT_THAT(told(more), HasSubstr("got an entry for more.json"));
  EXPECT_NE(told(nlohmann::json::array({1})), "none");
  EXPECT_NE(told("text"), "none");
}

// What no manifest can see: files that are whole and their own, but do not fit each other.
TEST(LoadCheckpoint, TensorsThatDoNotFitEachOtherAreADataError) {
  const RunFolder run;
  TrainingState state = varied_state(10);
  const CheckpointRef checkpoint = save_checkpoint(run.path(), state, 0);
  state.parameters.pop_back();
  const RunFolder other;
  const CheckpointRef fewer = save_checkpoint(other.path(), state, 0);
  nlohmann::json manifest = nlohmann::json::parse(read_text(checkpoint.folder / "manifest.json"));
  const nlohmann::json donor = nlohmann::json::parse(read_text(fewer.folder / "manifest.json"));
  manifest["files"]["ema.safetensors"] = donor["files"]["ema.safetensors"];
  write_file(checkpoint.folder / "manifest.json", manifest.dump(), Existing::replace);
  fs::copy_file(fewer.folder / "ema.safetensors", checkpoint.folder / "ema.safetensors",
                fs::copy_options::overwrite_existing);
  ASSERT_EQ(fault(checkpoint), std::nullopt);
  EXPECT_THAT(message_of<DataError>([&] { load_checkpoint(checkpoint); }),
              HasSubstr("expected the same tensors in every file"));
}

}  // namespace
}  // namespace tinta::training
