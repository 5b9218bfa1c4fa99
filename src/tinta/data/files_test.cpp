// CIFAR's files and NumPy's arrays as sources.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/data/arrays.h"
#include "tinta/data/cifar.h"
#include "tinta/data/info.h"
#include "tinta/data/testing.h"
#include "tinta/io/npz.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

fs::path golden(const std::string& name) {
  return fs::path(TINTA_SOURCE_DIR) / "tests/golden/io" / name;
}

std::vector<std::int64_t> labels_of(const Dataset& set) {
  const std::int64_t* const first = set.labels.const_data_ptr<std::int64_t>();
  return {first, first + set.labels.numel()};
}

TEST(CifarFiles, BatchesOfAFolderFollowOneAnother) {
  const TestFolder folder;
  const fs::path inner = folder.path() / "cifar-10-batches-py";
  fs::create_directory(inner);
  for (int i = 1; i <= 5; ++i) {
    fs::copy_file(golden(i == 2 ? "cifar10-fortran.pickle" : "cifar10-batch.pickle"),
                  inner / ("data_batch_" + std::to_string(i)));
  }
  EXPECT_THAT(cifar_splits(folder.path(), io::Cifar::ten), ElementsAre(Split::train));
  fs::copy_file(golden("cifar10-batch.pickle"), inner / "test_batch");
  fs::copy_file(golden("cifar10-meta.pickle"), inner / "batches.meta");
  for (const fs::path& path : {folder.path(), inner}) {
    EXPECT_EQ(detect_source(path.string()), "cifar10");
    EXPECT_THAT(cifar_splits(path, io::Cifar::ten), ElementsAre(Split::train, Split::test));
    const Dataset set = open_cifar(path, Split::train, io::Cifar::ten);
    require_valid(set);
    EXPECT_EQ(set.images.sizes(), at::IntArrayRef({15, 3, 32, 32}));
    EXPECT_THAT(set.class_names, SizeIs(10));
    EXPECT_EQ(set.classes, 10);
  }
  fs::remove(inner / "data_batch_3");
  EXPECT_THAT([&] { open_cifar(inner, Split::train, io::Cifar::ten); },
              ThrowsMessage<DataError>(HasSubstr("got no data_batch_3")));
}

TEST(CifarFiles, AnArchiveIsReadAsItIs) {
  const TestFolder folder;
  const fs::path archive = folder.path() / "cifar-10-binary.tar.gz";
  fs::copy_file(golden("cifar.tar.gz"), archive);
  for (const fs::path& path : {folder.path(), archive}) {
    EXPECT_EQ(detect_source(path.string()), "cifar10");
    const Dataset set = open_cifar(path, Split::test, io::Cifar::ten);
    EXPECT_THAT(labels_of(set), ElementsAre(3, 0, 9));
    EXPECT_THAT(set.class_names, IsEmpty());
  }
  EXPECT_THAT([&] { open_cifar(archive, Split::train, io::Cifar::ten); },
              ThrowsMessage<DataError>(HasSubstr("got no data_batch_1.bin")));
}

TEST(CifarFiles, OneBatchIsTheTrainingSplit) {
  const TestFolder folder;
  fs::copy_file(golden("cifar10.bin"), folder.path() / "some.bin");
  fs::copy_file(golden("cifar100.bin"), folder.path() / "other.bin");
  EXPECT_EQ(detect_source((folder.path() / "some.bin").string()), "cifar10");
  EXPECT_EQ(detect_source((folder.path() / "other.bin").string()), "cifar100");
  EXPECT_THAT(labels_of(open_cifar(folder.path() / "other.bin", Split::train, io::Cifar::hundred)),
              ElementsAre(99, 0, 42));
}

TEST(CifarFiles, ASubfolderNamedTrainIsNoCifar100) {
  const TestFolder folder;
  fs::create_directory(folder.path() / "train");
  write_file(folder.path() / "meta", std::string_view("x"), Existing::refuse);
  EXPECT_FALSE(holds_cifar(folder.path(), io::Cifar::hundred));
  EXPECT_FALSE(holds_cifar(folder.path() / "none", io::Cifar::ten));
}

class ArrayTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string write(const std::string& name,
                                  const std::map<std::string, at::Tensor>& arrays) const {
    write_file(folder_.path() / name, io::encode_npz(arrays), Existing::replace);
    return (folder_.path() / name).string();
  }

  static Dataset open_at(const std::string& path, std::int64_t size = 0,
                         std::int64_t channels = 3) {
    return open({.source = "arrays", .path = path, .size = size, .channels = channels},
                Split::train);
  }

  static std::string refusal(const std::string& path) {
    try {
      open_at(path);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  }

  testing::CacheFolder cache_;
  TestFolder folder_;
};

TEST_F(ArrayTest, EveryLayoutHoldsTheSamePictures) {
  const at::Tensor planes =
      at::arange(2 * 3 * 4 * 5, at::kLong).to(at::kByte).reshape({2, 3, 4, 5});
  const at::Tensor labels = at::tensor({1, 0}, at::kInt);
  const Dataset a = open_at(write("a.npz", {{"images", planes}, {"labels", labels}}));
  const Dataset b = open_at(
      write("b.npz", {{"images", planes.permute({0, 2, 3, 1})}, {"labels", labels.to(at::kLong)}}));
  require_valid(a);
  EXPECT_EQ(a.images.sizes(), planes.sizes());
  EXPECT_TRUE(at::equal(a.images, b.images));
  EXPECT_TRUE(at::equal(a.labels, b.labels));
  EXPECT_EQ(a.classes, 2);
  const bool first = at::equal(a.images[0], planes[0]);
  EXPECT_TRUE(at::equal(a.images, first ? planes : planes.flip({0})));
  EXPECT_EQ(a.labels[0].item<int>(), first ? 1 : 0);
}

TEST_F(ArrayTest, GreyPicturesAreBroughtToTheSideAndChannelsThatAreAskedFor) {
  const at::Tensor grey = at::full({3, 6, 8}, 77, at::kByte);
  write_file(folder_.path() / "g.npy", io::encode_npy(grey), Existing::refuse);
  const std::string path = (folder_.path() / "g.npy").string();
  EXPECT_EQ(open_at(path).images.sizes(), at::IntArrayRef({3, 3, 6, 8}));
  EXPECT_EQ(open_at(path, 16, 1).images.sizes(), at::IntArrayRef({3, 1, 16, 16}));
  EXPECT_TRUE(open_at(path, 16, 1).images.eq(77).all().item<bool>());
  EXPECT_FALSE(open_at(path).labels.defined());
  EXPECT_EQ(detect_source(path), "arrays");
}

TEST_F(ArrayTest, AFolderHasSplitsByName) {
  const std::string path = write("train.npz", {{"images", at::zeros({4, 8, 8}, at::kByte)}});
  static_cast<void>(write("test.npz", {{"images", at::zeros({2, 8, 8}, at::kByte)}}));
  const std::string folder = folder_.path().string();
  EXPECT_THAT(array_splits(folder), ElementsAre(Split::train, Split::test));
  EXPECT_THAT(array_splits(path), ElementsAre(Split::train));
  EXPECT_EQ(open({.source = "arrays", .path = folder, .size = 0}, Split::test).size(), 2);
  EXPECT_EQ(detect_source(folder), "arrays");
}

TEST_F(ArrayTest, OtherArraysAreRefusedWithWhatTheyAre) {
  const at::Tensor images = at::zeros({2, 8, 8}, at::kByte);
  EXPECT_THAT(refusal(write("x.npz", {{"pictures", images}})),
              HasSubstr("expected an array \"images\", got none"));
  EXPECT_THAT(refusal(write("x.npz", {{"images", images.to(at::kFloat)}})),
              HasSubstr("C = 1 or 3, got Float [2, 8, 8]"));
  EXPECT_THAT(refusal(write("x.npz", {{"images", at::zeros({2, 4, 8, 8}, at::kByte)}})),
              HasSubstr("got Byte [2, 4, 8, 8]"));
  EXPECT_THAT(refusal(write("x.npz", {{"images", images}, {"labels", at::zeros({3}, at::kLong)}})),
              HasSubstr("a whole number for each of 2 pictures"));
  EXPECT_THAT(refusal(write("x.npz", {{"images", images}, {"labels", at::tensor({0, -1})}})),
              HasSubstr("got -1 for picture 1"));
}

}  // namespace
}  // namespace tinta::data
