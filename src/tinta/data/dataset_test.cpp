#include "tinta/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/data/info.h"
#include "tinta/data/sources.h"
#include "tinta/data/testing.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAreArray;

/// Two pictures of 2 x 3 pixels, 0..5 and 6..11, with the labels 0 and 2.
void write_small_idx(const fs::path& folder, const std::string& prefix) {
  std::string images("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03", 16);
  for (char c = 0; c < 12; ++c) images += c;
  write_file(folder / (prefix + "-images-idx3-ubyte"), images, Existing::refuse);
  write_file(folder / (prefix + "-labels-idx1-ubyte"),
             std::string("\0\0\x08\x01\0\0\0\x02\0\x02", 10), Existing::refuse);
}

std::string mnist_folder() {
  const char* const given = std::getenv("TINTA_TEST_DATA");
  return (fs::path(given != nullptr ? given : TINTA_TEST_DATA_DEFAULT) / "mnist").string();
}

bool in_ci() {
  const char* const value = std::getenv("CI");
  return value != nullptr && std::string(value) == "true";
}

TEST(Split, NamesAreReadAndWritten) {
  EXPECT_EQ(split_from("train"), Split::train);
  EXPECT_EQ(split_from("test"), Split::test);
  EXPECT_EQ(to_string(Split::test), "test");
  EXPECT_EQ(split_from("validation"), Split::validation);
  EXPECT_EQ(to_string(Split::validation), "validation");
  EXPECT_THAT([] { split_from("tset"); }, ThrowsMessage<ArgumentError>(HasSubstr("got \"tset\"")));
}

TEST(Open, GlyphSplitsShareNoPicture) {
  const config::DataConfig config{.source = "glyphs", .path = "", .count = 300};
  const Dataset train = open(config, Split::train), test = open(config, Split::test);
  EXPECT_EQ(train.size(), 300);
  EXPECT_EQ(test.size(), 30);
  const at::Tensor a = train.images.flatten(1), b = test.images.flatten(1);
  for (std::int64_t i = 0; i < test.size(); ++i) {
    EXPECT_FALSE(a.eq(b[i]).all(1).any().item<bool>()) << i;
  }
}

TEST(Open, CondorIsOnePictureWithoutLabels) {
  const Dataset set = open({.source = "condor", .path = "", .size = 48}, Split::train);
  EXPECT_EQ(set.images.sizes(), (at::IntArrayRef{1, 3, 48, 48}));
  EXPECT_FALSE(set.labels.defined());
  EXPECT_EQ(set.classes, 0);
  require_valid(set);
}

TEST(Open, UnknownSourceSuggestsTheNearest) {
  EXPECT_THAT([] { open({.source = "mnits", .path = ""}, Split::train); },
              ThrowsMessage<ArgumentError>(HasSubstr("did you mean \"mnist\"?")));
}

TEST(Open, FilesWithoutAPathSayHowToGiveOne) {
  EXPECT_THAT([] { open({.source = "mnist", .path = ""}, Split::train); },
              ThrowsMessage<ArgumentError>(HasSubstr("--data DIR")));
  EXPECT_THAT([] { open({.source = "mnist", .path = "/nowhere/at/all"}, Split::train); },
              ThrowsMessage<ArgumentError>(HasSubstr("/nowhere/at/all")));
}

TEST(Open, IdxFilesAreFoundInTheFolderOrItsSubfolder) {
  const TestFolder folder;
  fs::create_directory(folder.path() / "mnist");
  write_small_idx(folder.path() / "mnist", "train");
  for (const fs::path& path : {folder.path(), folder.path() / "mnist"}) {
    const Dataset set = open({.source = "mnist", .path = path.string()}, Split::train);
    EXPECT_EQ(set.images.sizes(), (at::IntArrayRef{2, 1, 2, 3}));
    EXPECT_EQ(set.images.sum().item<int>(), 66);
    EXPECT_EQ(set.classes, 3);
    EXPECT_EQ(detect_source(path.string()), "mnist");
  }
  EXPECT_THROW(open({.source = "mnist", .path = folder.path().string()}, Split::test), DataError);
}

TEST(Describe, MeasuresTheSplitsThatAreThere) {
  const TestFolder folder;
  write_small_idx(folder.path(), "t10k");
  const Description description = describe(folder.path().string());
  EXPECT_EQ(description.source, "mnist");
  EXPECT_EQ(description.format, "IDX files");
  ASSERT_EQ(description.splits.size(), 1);
  const SplitInfo& split = description.splits[0];
  EXPECT_EQ(split.name, "test");
  EXPECT_EQ(split.count, 2);
  EXPECT_EQ(split.channels, 1);
  EXPECT_EQ(split.height, 2);
  EXPECT_EQ(split.width, 3);
  EXPECT_THAT(split.class_counts, ElementsAre(1, 0, 1));
  // Of 0..11: mean 11/2, variance (12^2 - 1) / 12.
  ASSERT_EQ(split.mean.size(), 1);
  EXPECT_NEAR(split.mean[0], 5.5 / 255, 1e-15);
  EXPECT_NEAR(split.standard_deviation[0], std::sqrt(143.0 / 12) / 255, 1e-15);
}

TEST(Describe, ChannelsAreMeasuredApart) {
  const config::DataConfig config{.source = "condor", .path = "", .size = 32};
  const Description description = describe(config);
  ASSERT_EQ(description.splits.size(), 2);
  const at::Tensor pixels = open(config, Split::train).images.to(at::kDouble).div_(255);
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    const at::Tensor plane = pixels.select(1, channel);
    const auto i = static_cast<std::size_t>(channel);
    EXPECT_NEAR(description.splits[0].mean[i], plane.mean().item<double>(), 1e-12);
    EXPECT_NEAR(description.splits[0].standard_deviation[i],
                plane.std(/*unbiased=*/false).item<double>(), 1e-12);
  }
  EXPECT_TRUE(description.splits[0].class_counts.empty());
}

TEST(Describe, SaysWhenAFolderHoldsNothingKnown) {
  const TestFolder folder;
  EXPECT_THAT([&] { describe(folder.path().string()); },
              ThrowsMessage<DataError>(HasSubstr("train-images-idx3-ubyte")));
  EXPECT_THROW(detect_source((folder.path() / "absent").string()), ArgumentError);
}

// The front knows sources by name alone; these are the ones that can be opened.
TEST(Sources, AreTheOnesThatAConfigMayName) {
  std::vector<std::string> readable, known;
  for (const config::Source& source : config::sources()) {
    if (source.pictures) readable.push_back(source.name);
  }
  for (const Source& source : sources()) {
    known.push_back(source.name);
    const config::Source* named = config::find_source(source.name);
    ASSERT_NE(named, nullptr) << source.name;
    EXPECT_EQ(source.built_in, named->origin == config::Origin::drawn) << source.name;
  }
  EXPECT_THAT(known, UnorderedElementsAreArray(readable));
}

TEST(Sources, BuiltInOnesOpenWithChannelsAndClassesAsNamed) {
  for (const Source& source : sources()) {
    if (!source.built_in) continue;
    const Dataset set =
        open({.source = source.name, .path = "", .count = 20, .size = 16}, Split::test);
    require_valid(set);
    const config::Source* named = config::find_source(source.name);
    EXPECT_EQ(set.images.size(1), named->channels) << source.name;
    EXPECT_EQ(set.classes, named->classes) << source.name;
  }
}

TEST(Mnist, IsTheOneThatEverybodyKnows) {
  const std::string folder = mnist_folder();
  if (!fs::exists(folder)) {
    ASSERT_FALSE(in_ci()) << "MNIST expected in " << folder;
    GTEST_SKIP() << "no MNIST in " << folder << ": set TINTA_TEST_DATA";
  }
  const Description description = describe(folder);
  ASSERT_EQ(description.splits.size(), 2);
  EXPECT_EQ(description.splits[0].count, 60000);
  // Counts of LeCun's page; mean and deviation as every tutorial normalises by (0.1307, 0.3081).
  EXPECT_THAT(description.splits[0].class_counts,
              ElementsAre(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949));
  EXPECT_NEAR(description.splits[0].mean[0], 0.1307, 5e-5);
  EXPECT_NEAR(description.splits[0].standard_deviation[0], 0.3081, 5e-5);
  EXPECT_EQ(description.splits[1].count, 10000);
  EXPECT_THAT(description.splits[1].class_counts,
              ElementsAre(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009));
}

}  // namespace
}  // namespace tinta::data
