#include "tinta/io/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstdlib>
#include <numeric>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"
#include "tinta/io/golden_testing.h"
#include "tinta/io/mutation_testing.h"

namespace tinta::io {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::golden;
using ::testing::HasSubstr;
using testing::refusal;
using Bytes = std::vector<std::byte>;

// An IDX file: magic, big-endian sizes, `data` bytes that count 0, 1, 2...
Bytes idx_file(const std::vector<std::uint32_t>& sizes, std::size_t data, int type = 8) {
  Bytes bytes{std::byte{0}, std::byte{0}, static_cast<std::byte>(type),
              static_cast<std::byte>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::byte>(size >> shift));
  }
  for (std::size_t i = 0; i < data; ++i) bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}

std::string idx_refusal(const Bytes& bytes) {
  return refusal([&] { parse_idx(bytes, "f.idx"); });
}

TEST(Idx, PlainPackedAndTwoMemberFilesHoldTheSameArray) {
  for (const std::string name : {"images.idx", "images.idx.gz", "members.idx.gz"}) {
    const IdxArray array = parse_idx(golden(name), name);
    EXPECT_THAT(array.sizes, ElementsAre(2, 3, 4)) << name;
    Bytes counted(24);
    for (std::size_t i = 0; i < 24; ++i) counted[i] = static_cast<std::byte>(i);
    EXPECT_EQ(array.bytes, counted) << name;
  }
}

TEST(Idx, OneToFourDimensionsAreReadAndNoOthers) {
  for (const std::vector<std::uint32_t>& sizes :
       {std::vector<std::uint32_t>{6}, {2, 3}, {1, 2, 3}, {1, 1, 2, 3}}) {
    EXPECT_EQ(parse_idx(idx_file(sizes, 6), "f.idx").sizes.size(), sizes.size());
  }
  EXPECT_THAT(idx_refusal(idx_file({}, 6)), HasSubstr("byte 3: expected 1 to 4 dimensions, got 0"));
  EXPECT_THAT(idx_refusal(idx_file({1, 1, 1, 2, 3}, 6)), HasSubstr("byte 3: expected 1 to 4"));
}

TEST(Idx, AWrongMagicOrElementTypeIsNamedAtItsOffset) {
  Bytes other = idx_file({6}, 6);
  other[1] = std::byte{7};
  EXPECT_THAT(idx_refusal(other), HasSubstr("[f.idx] byte 0: expected an IDX file"));
  EXPECT_THAT(idx_refusal(idx_file({6}, 6, 0x0D)),
              HasSubstr("byte 2: expected element type 8 (unsigned byte), got 13"));
}

TEST(Idx, DataThatAreTooFewOrTooManyForTheSizesAreRefused) {
  EXPECT_THAT(idx_refusal(idx_file({2, 3}, 5)), HasSubstr("byte 17: expected 6 bytes of data"));
  EXPECT_THAT(idx_refusal(idx_file({2, 3}, 7)),
              AllOf(HasSubstr("byte 18: expected 6 bytes of data"), HasSubstr("got 7")));
  EXPECT_THAT(idx_refusal(idx_file({2, 0}, 0)),
              HasSubstr("byte 8: expected a size of at least 1, got 0"));
}

TEST(Idx, SizesThatLieTakeNoMemory) {
  // 2^32 - 1 in each of four dimensions overflows; in one it would be 4 GiB for a 20-byte file.
  const std::uint32_t huge = 0xFFFFFFFF;
  EXPECT_THAT(idx_refusal(idx_file({huge, huge, huge, huge}, 4)), HasSubstr("fits 63 bits"));
  EXPECT_THAT(idx_refusal(idx_file({huge}, 4)), HasSubstr("expected 4294967295 bytes"));
}

TEST(Idx, AHeaderCutAnywhereIsRefusedAtTheCut) {
  const Bytes whole = idx_file({2, 3, 4}, 24);
  for (std::size_t size = 0; size < 16; ++size) {
    const std::string message = idx_refusal({whole.begin(), whole.begin() + std::ptrdiff_t(size)});
    EXPECT_THAT(message, HasSubstr("expected 4 bytes of IDX")) << size;
    EXPECT_THAT(message, HasSubstr("byte " + std::to_string(size / 4 * 4) + ":")) << size;
  }
}

TEST(Idx, BrokenGzipIsRefused) {
  const Bytes whole = golden("images.idx.gz");
  Bytes cut(whole.begin(), whole.end() - 1);
  EXPECT_THAT(idx_refusal(cut), HasSubstr("expected more packed data"));
  Bytes flipped = whole;
  flipped[whole.size() - 6] ^= std::byte{1};  // the CRC of the content
  EXPECT_THAT(idx_refusal(flipped), HasSubstr("expected well-formed packed data"));
  Bytes longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_THAT(idx_refusal(longer), HasSubstr("byte " + std::to_string(whole.size()) +
                                             ": expected the packed data to end"));
}

TEST(Idx, GzipThatUnpacksToMoreThanTheHeaderPromisesStopsThere) {
  // The second member adds a whole file of 40 bytes behind the 24 that the header promises.
  Bytes doubled = golden("images.idx.gz");
  const Bytes again = doubled;
  doubled.insert(doubled.end(), again.begin(), again.end());
  EXPECT_THAT(
      idx_refusal(doubled),
      HasSubstr("[f.idx(unpacked)] byte 40: expected 24 bytes of data as the header's sizes "
                "say, got more"));
}

TEST(Idx, DamagedFilesAreRefusedOrReadNeverWorse) {
  const auto parse = [](std::span<const std::byte> bytes) {
    const IdxArray array = parse_idx(bytes, "f.idx");
    const auto product = std::accumulate(array.sizes.begin(), array.sizes.end(), std::int64_t{1},
                                         std::multiplies<>());
    EXPECT_EQ(static_cast<std::int64_t>(array.bytes.size()), product);
  };
  for (const std::string name : {"images.idx", "images.idx.gz", "members.idx.gz"}) {
    EXPECT_GT(testing::refusals(golden(name), 4000, parse), 2000) << name;
  }
}

TEST(IdxSplit, ImagesAndLabelsMustBeAsMany) {
  const TestFolder folder;
  const fs::path images = folder.path() / "t10k-images-idx3-ubyte";
  const fs::path labels = folder.path() / "t10k-labels-idx1-ubyte";
  const auto read = [&] { return read_idx_split(folder.path(), "t10k"); };
  EXPECT_THAT(refusal(read), AllOf(HasSubstr("t10k-images-idx3-ubyte or "), HasSubstr(".gz")));

  write_file(images, idx_file({2, 3, 4}, 24), Existing::refuse);
  write_file(labels, idx_file({3}, 3), Existing::refuse);
  EXPECT_THAT(refusal(read), HasSubstr("3 labels and 2 images"));
  write_file(labels, idx_file({2, 1}, 2), Existing::replace);
  EXPECT_THAT(refusal(read), HasSubstr("expected 1 dimensions, got 2"));

  write_file(labels, idx_file({2}, 2), Existing::replace);
  const LabelledImages split = read();
  EXPECT_EQ(split.images.sizes(), at::IntArrayRef({2, 1, 3, 4}));
  EXPECT_EQ(split.images[1][0][0][1].item<int>(), 13);
  EXPECT_EQ(split.labels.scalar_type(), at::kLong);
  EXPECT_EQ(split.labels[1].item<int>(), 1);
}

// Published facts of MNIST; the sums were computed by Python's gzip and sum() from the original
// files.
TEST(IdxSplit, MnistIsReadWhole) {
  const char* named = std::getenv("TINTA_TEST_DATA");
  const fs::path folder = fs::path(named != nullptr ? named : TINTA_TEST_DATA_DEFAULT) / "mnist";
  if (!fs::exists(folder)) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && std::string(ci) == "true") << "no MNIST in " << folder;
    GTEST_SKIP() << "no MNIST in " << folder << "; TINTA_TEST_DATA names the folder above it";
  }
  const LabelledImages train = read_idx_split(folder, "train");
  EXPECT_EQ(train.images.sizes(), at::IntArrayRef({60000, 1, 28, 28}));
  EXPECT_EQ(train.labels[0].item<int>(), 5);
  EXPECT_EQ(train.images.sum().item<std::int64_t>(), 1567298545);
  EXPECT_EQ(train.labels.sum().item<std::int64_t>(), 267236);
  const LabelledImages test = read_idx_split(folder, "t10k");
  EXPECT_EQ(test.images.sizes(), at::IntArrayRef({10000, 1, 28, 28}));
  EXPECT_EQ(test.labels[0].item<int>(), 7);
  EXPECT_EQ(test.images.sum().item<std::int64_t>(), 264923200);
}

}  // namespace
}  // namespace tinta::io
