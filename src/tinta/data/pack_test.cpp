#include "tinta/data/pack.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/data/pack_file.h"
#include "tinta/data/testing.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Five pictures of 3 x 2 x 4 whose bytes are their index; picture i has the hash 10 (4 - i).
class PackTest : public ::testing::Test {
 protected:
  Dataset open(const std::string& content = "content") {
    return packed(
        folder_.path(), {.place = "place", .content = content}, [this] { return source(); },
        {.log =
             [this](LogLevel level, const std::string& text) {
               (level == LogLevel::warning ? warnings_ : infos_).push_back(text);
             }},
        [this] { return --patience_ < 0; });
  }

  PackSource source() {
    return {.count = 5,
            .channels = 3,
            .height = 2,
            .width = 4,
            .labels = {0, 1, 2, 0, 1},
            .class_names = {"a", "b", "c"},
            .classes = 3,
            .hash = [](std::int64_t i) { return static_cast<std::uint64_t>(10 * (4 - i)); },
            .picture =
                [this](std::int64_t i) {
                  ++decoded_;
                  if (broken_ >= 0 && i >= broken_) {
                    throw DataError("picture" + std::to_string(i), "expected a picture", 7);
                  }
                  return at::full({3, 2, 4}, i, at::kByte);
                }};
  }

  [[nodiscard]] fs::path only_file() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_.path())) files.push_back(entry.path());
    EXPECT_THAT(files, SizeIs(1));
    return files.front();
  }

  void change_byte(std::uint64_t at) const {
    std::vector<std::byte> bytes = read_bytes(only_file());
    bytes[at] ^= std::byte{1};
    write_file(only_file(), bytes, Existing::replace);
  }

  TestFolder folder_;
  std::atomic<int> decoded_ = 0;
  std::int64_t broken_ = -1;
  std::atomic<int> patience_ = 1000;  ///< a stop is asked for after so many questions
  std::vector<std::string> warnings_, infos_;
};

std::vector<std::int64_t> values(const at::Tensor& tensor) {
  const at::Tensor wide = tensor.to(at::kLong).contiguous();
  const std::int64_t* const first = wide.const_data_ptr<std::int64_t>();
  return {first, first + wide.numel()};
}

TEST_F(PackTest, PicturesLieInTheOrderOfTheirHashesWithTheirLabels) {
  const Dataset set = open();
  require_valid(set);
  EXPECT_EQ(set.images.sizes(), at::IntArrayRef({5, 3, 2, 4}));
  EXPECT_THAT(values(set.images.select(1, 0).select(1, 0).select(1, 0)),
              ElementsAre(4, 3, 2, 1, 0));
  EXPECT_TRUE(set.images.eq(set.images.select(3, 0).unsqueeze(3)).all().item<bool>());
  EXPECT_THAT(values(set.labels), ElementsAre(1, 0, 2, 1, 0));
  EXPECT_THAT(values(set.hashes), ElementsAre(0, 10, 20, 30, 40));
  EXPECT_EQ(set.classes, 3);
  EXPECT_THAT(set.class_names, ElementsAre("a", "b", "c"));
  EXPECT_FALSE(set.streamed);
}

TEST_F(PackTest, ASecondOpeningReadsTheFileAndNoPicture) {
  const at::Tensor first = open().images.clone();
  EXPECT_EQ(decoded_, 5);
  EXPECT_TRUE(at::equal(open().images, first));
  EXPECT_EQ(decoded_, 5);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(PackTest, OtherContentPacksAgainInPlaceOfTheFile) {
  const Dataset old = open();
  open("other content");
  EXPECT_EQ(decoded_, 10);
  EXPECT_TRUE(fs::exists(only_file()));
  // Who has the old one open keeps it.
  EXPECT_EQ(old.images.sum().item<int>(), (0 + 1 + 2 + 3 + 4) * 24);
}

TEST_F(PackTest, ADamagedFileIsNoticedAndPackedAgain) {
  const std::uint64_t size = fs::file_size((open(), only_file()));
  const std::vector<std::uint64_t> places = {0, 9, 20, 90, 4000, 4096, size - 1};
  for (const std::uint64_t at : places) {
    change_byte(at);
    EXPECT_EQ(open().images.sum().item<int>(), 240) << at;
  }
  EXPECT_THAT(warnings_, SizeIs(places.size()));
  EXPECT_THAT(warnings_.back(), HasSubstr("byte 4096: expected pictures with the checksum"));
  for (const std::uint64_t cut :
       {std::uint64_t{0}, std::uint64_t{60}, std::uint64_t{4096}, size - 1}) {
    fs::resize_file(only_file(), cut);
    EXPECT_EQ(open().images.sum().item<int>(), 240) << cut;
  }
  EXPECT_EQ(decoded_, 5 * static_cast<int>(1 + places.size() + 4));
}

TEST_F(PackTest, APictureThatCannotBeReadIsNamedAndNothingIsLeft) {
  broken_ = 1;
  try {
    open();
    ADD_FAILURE() << "expected a refusal";
  } catch (const DataError& error) {
    // The first in the order of the file: pictures 4, 3, 2 and 1 fail.
    EXPECT_STREQ(error.what(),
                 "[picture4] byte 7: expected a picture; 3 more pictures cannot be read; see tinta "
                 "data doctor");
  }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(PackTest, AStopAnywhereLeavesNothingOfANewFile) {
  constexpr int kQuestions = 10;  // a hash and a decoding of each picture
  for (int questions = 0; questions < kQuestions; ++questions) {
    patience_ = questions;
    decoded_ = 0;
    EXPECT_THROW(open(), Stopped) << questions;
    EXPECT_LE(decoded_, std::max(0, questions - 5));
    EXPECT_TRUE(fs::is_empty(folder_.path())) << questions;
  }
  patience_ = kQuestions;
  EXPECT_EQ(open().images.sum().item<int>(), 240);
}

TEST_F(PackTest, AStopWhileAFileIsVerifiedLeavesItAsItIs) {
  open();
  patience_ = 0;
  EXPECT_THROW(open(), Stopped);
  patience_ = 1;
  EXPECT_EQ(open().images.sum().item<int>(), 240);
  EXPECT_EQ(decoded_, 5);
}

TEST_F(PackTest, AFolderThatCannotBeWrittenIsNamed) {
  write_file(folder_.path() / "file", std::string_view("x"), Existing::refuse);
  EXPECT_THROW(packed(folder_.path() / "file", {}, [this] { return source(); }, {}), SystemError);
}

}  // namespace
}  // namespace tinta::data
