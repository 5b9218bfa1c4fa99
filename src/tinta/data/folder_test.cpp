#include "tinta/data/folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/data/fit.h"
#include "tinta/data/info.h"
#include "tinta/data/label_table.h"
#include "tinta/data/testing.h"
#include "tinta/io/png.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

/// A folder of pictures of one colour each.
class FolderTest : public ::testing::Test {
 protected:
  void picture(const std::string& name, int grey = 100, std::int64_t height = 12,
               std::int64_t width = 9) const {
    write_file(path(name), io::encode_png(at::full({1, height, width}, grey, at::kByte)),
               Existing::refuse);
  }
  void text(const std::string& name, const std::string& content) const {
    write_file(path(name), content, Existing::refuse);
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] FolderListing list(Split split = Split::train) const {
    return list_folder(folder_.path(), split);
  }
  [[nodiscard]] config::DataConfig config(std::int64_t size = 8) const {
    return {.source = "folder", .path = folder_.path().string(), .size = size};
  }

  TestFolder folder_;
  testing::CacheFolder cache_;
};

TEST_F(FolderTest, SubfoldersAreClassesWithAllBelowThem) {
  picture("dog/1.png");
  picture("cat/b.PNG");
  picture("cat/kittens/a.png");
  text("cat/notes.txt", "notes");
  picture(".hidden/x.png");
  picture("dog/.thumb.png");
  const FolderListing listing = list();
  EXPECT_THAT(listing.files, ElementsAre("cat/b.PNG", "cat/kittens/a.png", "dog/1.png"));
  EXPECT_THAT(listing.labels, ElementsAre(0, 0, 1));
  EXPECT_THAT(listing.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(listing.passed_over, ElementsAre("cat/notes.txt"));
}

TEST_F(FolderTest, PicturesBesideSubfoldersOrInOneAloneHaveNoClasses) {
  picture("only/1.png");
  EXPECT_THAT(list().class_names, IsEmpty());
  EXPECT_THAT(list().labels, IsEmpty());
  picture("other/1.png");
  EXPECT_THAT(list().class_names, ElementsAre("only", "other"));
  picture("1.png");
  EXPECT_THAT(list().files, ElementsAre("1.png", "only/1.png", "other/1.png"));
  EXPECT_THAT(list().class_names, IsEmpty());
}

TEST_F(FolderTest, LinksAreFollowedAndOnesThatLeadNowhereAreNamed) {
  const TestFolder elsewhere;
  picture("a/1.png");
  write_file(elsewhere.path() / "2.png", io::encode_png(at::full({1, 9, 9}, 50, at::kByte)),
             Existing::refuse);
  fs::create_directory_symlink(elsewhere.path(), path("b"));
  EXPECT_THAT(list().files, ElementsAre("a/1.png", "b/2.png"));
  EXPECT_EQ(open(config(), Split::train).size(), 2);
  fs::create_symlink(path("none"), path("a/3.png"));
  EXPECT_THAT([&] { open(config(), Split::train); },
              ThrowsMessage<SystemError>(HasSubstr("a/3.png")));
}

TEST_F(FolderTest, ALinkToWhereItLiesIsNotFollowed) {
  picture("a/1.png");
  picture("b/2.png");
  fs::create_directory_symlink(folder_.path(), path("a/again"));
  fs::create_directory_symlink("..", path("b/up"));
  EXPECT_THAT(list().files, ElementsAre("a/1.png", "b/2.png"));
}

TEST_F(FolderTest, TestPicturesHaveTheLabelsOfATableWhoseClassesAreNumbers) {
  std::string table = "file,label\n";
  for (int i = 0; i <= 10; ++i) {
    const std::string name = std::to_string(i);
    picture("train/p" + name + ".png");
    picture("test/" + name + "/x.png");
    table += "p" + name + ".png," + name + "\n";
  }
  text("train/labels.csv", table);
  const FolderListing test = list(Split::test);
  ASSERT_EQ(test.files.size(), 11u);
  for (std::size_t i = 0; i < test.files.size(); ++i) {
    EXPECT_EQ(test.class_names.at(static_cast<std::size_t>(test.labels.at(i))) + "/x.png",
              test.files[i]);
  }
}

TEST_F(FolderTest, TrainAndTestAreSplitsWhereNothingElseIsThere) {
  picture("train/a/1.png");
  picture("train/b/1.png");
  EXPECT_THAT(folder_splits(folder_.path()), ElementsAre(Split::train));
  picture("val/a/2.png");
  picture("val/b/2.png");
  EXPECT_THAT(folder_splits(folder_.path()), ElementsAre(Split::train, Split::test));
  EXPECT_THAT(list().class_names, ElementsAre("a", "b"));
  EXPECT_THAT(list(Split::test).files, ElementsAre("a/2.png", "b/2.png"));
  picture("val/c/3.png");
  EXPECT_THAT([&] { static_cast<void>(list(Split::test)); },
              ThrowsMessage<DataError>(HasSubstr("got \"c\" besides")));
  fs::remove_all(path("val/c"));
  fs::remove_all(path("val/a"));
  EXPECT_THAT(list(Split::test).labels, ElementsAre(1));
  picture("bus/1.png");
  EXPECT_THAT(folder_splits(folder_.path()), ElementsAre(Split::train));
  EXPECT_THAT(list().class_names, ElementsAre("bus", "train", "val"));
  EXPECT_THAT([&] { static_cast<void>(list(Split::test)); },
              ThrowsMessage<DataError>(HasSubstr("data.validation above 0")));
}

TEST_F(FolderTest, ATableSaysWhichPicturesThereAreAndWhatTheyShow) {
  picture("1.png");
  picture("sub/a, b.png");
  picture("3.png");
  text("labels.csv", "file,label\r\n3.png,10\r\n\"sub/a, b.png\",9\n");
  const FolderListing listing = list();
  EXPECT_THAT(listing.files, ElementsAre("3.png", "sub/a, b.png"));
  EXPECT_THAT(listing.class_names, ElementsAre("9", "10"));
  EXPECT_THAT(listing.labels, ElementsAre(1, 0));
  write_file(path("labels.csv"), std::string_view("1.png,a\nnone.png,b\n"), Existing::replace);
  EXPECT_THAT([&] { static_cast<void>(list()); },
              ThrowsMessage<DataError>(HasSubstr("line 2: expected a picture of the folder, got "
                                                 "\"none.png\"")));
}

TEST(LabelTable, LinesThatAreNoneAreNamed) {
  const auto refusal = [](const std::string& text) {
    try {
      parse_label_table(text, "t.csv");
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(refusal("a.png,x\nb.png\n"),
              HasSubstr("line 2: expected \"file,label\", got 1 field"));
  EXPECT_THAT(refusal("a.png,x,y\n"), HasSubstr("line 1: expected \"file,label\", got 3 fields"));
  EXPECT_THAT(refusal("a.png,\n"), HasSubstr("one of them empty"));
  EXPECT_THAT(refusal("\"a.png,x\n"),
              HasSubstr("line 1: expected fields with their quotes closed"));
  EXPECT_THAT(refusal("a.png,x\na.png,y\n"), HasSubstr("line 2: expected each file once"));
  EXPECT_THAT(refusal("file,label\n"), HasSubstr("got none"));
  EXPECT_EQ(parse_label_table("\"a\"\"b.png\",x", "t.csv").front().file, "a\"b.png");
}

TEST(Fitted, TheCentredSquareIsKeptAndGreyBecomesColour) {
  at::Tensor wide = at::zeros({1, 4, 12}, at::kByte);
  wide.narrow(2, 4, 4).fill_(200);
  const at::Tensor out = fitted(wide, 8, 3);
  EXPECT_EQ(out.sizes(), at::IntArrayRef({3, 8, 8}));
  EXPECT_TRUE(out.eq(200).all().item<bool>());
  EXPECT_EQ(fitted(wide, 0, 1).sizes(), at::IntArrayRef({1, 4, 12}));
  EXPECT_THROW(fitted(wide.to(at::kFloat), 8, 3), ArgumentError);
}

TEST(Fitted, ColourBecomesGreyByItsLuma) {
  const at::Tensor red = at::zeros({3, 8, 8}, at::kByte);
  red[0].fill_(255);
  EXPECT_EQ(fitted(red, 8, 1)[0][0][0].item<int>(), 76);  // 0.299 * 255 = 76.2
  EXPECT_EQ(fitted(at::full({3, 9, 8}, 255, at::kByte), 8, 1)[0][0][0].item<int>(), 255);
}

TEST_F(FolderTest, PicturesOfAnySizeAreOpenedAtTheSideThatIsAskedFor) {
  picture("a/1.png", 10, 30, 20);
  picture("a/2.png", 20, 7, 7);
  picture("b/3.png", 30, 8, 100);
  const Dataset set = open(config(), Split::train);
  require_valid(set);
  EXPECT_EQ(set.images.sizes(), at::IntArrayRef({3, 3, 8, 8}));
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto grey = set.images[i][0][0][0].item<std::int64_t>();
    EXPECT_TRUE(set.images[i].eq(grey).all().item<bool>());
    EXPECT_EQ(set.labels[i].item<std::int64_t>(), grey == 30 ? 1 : 0);
  }
  EXPECT_EQ(detect_source(folder_.path().string()), "folder");
}

TEST_F(FolderTest, AChangedPictureIsSeenAndOtherSidesHaveTheirOwnFile) {
  picture("1.png", 10);
  picture("2.png", 20);
  EXPECT_EQ(open(config(), Split::train).images.sum().item<int>(), 30 * 3 * 64);
  EXPECT_EQ(open(config(16), Split::train).images.size(2), 16);
  // Another size, so that a clock which has not moved on does not hide the change.
  write_file(path("2.png"), io::encode_png(at::full({1, 40, 31}, 50, at::kByte)),
             Existing::replace);
  EXPECT_EQ(open(config(), Split::train).images.sum().item<int>(), 60 * 3 * 64);
  const fs::directory_iterator files(cache_.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
}

TEST_F(FolderTest, APictureThatIsNoneIsNamed) {
  picture("1.png");
  text("2.jpg", "not a picture");
  EXPECT_THAT([&] { open(config(), Split::train); },
              ThrowsMessage<DataError>(AllOf(HasSubstr("2.jpg"), HasSubstr("tinta data doctor"))));
}

TEST_F(FolderTest, WhatIsHeldOutIsTheTestSplitAndTheSameAtEverySize) {
  for (int i = 0; i < 40; ++i) picture(std::to_string(i) + ".png", i);
  config::DataConfig small = config(8), large = config(16);
  small.validation = large.validation = 0.25;
  const auto greys = [](const Dataset& set) {
    const at::Tensor column = std::get<0>(set.images.select(1, 0).select(1, 0).select(1, 0).sort());
    const std::uint8_t* const first = column.const_data_ptr<std::uint8_t>();
    return std::vector<int>(first, first + column.numel());
  };
  const std::vector<int> held_out = greys(open(small, Split::test));
  EXPECT_GT(held_out.size(), 3);
  EXPECT_EQ(open(small, Split::train).size(), 40 - static_cast<std::int64_t>(held_out.size()));
  EXPECT_EQ(greys(open(large, Split::validation)), held_out);
  // Beside other pictures, those stay where they were.
  picture("more.png", 99);
  for (const int grey : held_out)
    EXPECT_THAT(greys(open(small, Split::test)), ::testing::Contains(grey));
}

}  // namespace
}  // namespace tinta::data
