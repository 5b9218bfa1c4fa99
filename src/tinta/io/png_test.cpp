#include "tinta/io/png.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tinta/core/error.h"
#include "tinta/io/golden_testing.h"
#include "tinta/io/inflate.h"
#include "tinta/io/mutation_testing.h"
#include "tinta/io/npz.h"
#include "tinta/io/png_chunks.h"
#include "tinta/io/png_testing.h"

namespace tinta::io {
namespace {

using testing::golden;
using ::testing::HasSubstr;
using testing::refusal;
using testing::with_true_crcs;
using Bytes = std::vector<std::byte>;

std::string png_refusal(const Bytes& bytes) {
  return refusal([&] { decode_png(bytes, "f.png"); });
}

// Offsets of IHDR's fields: behind the signature, a length and a type.
constexpr std::size_t kWidth = 16, kHeight = 20, kDepth = 24;

void set_big_endian(Bytes& bytes, std::size_t offset, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    bytes[offset + i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

class PngGolden : public ::testing::TestWithParam<const char*> {};

// Expected pixels by the specification's formulas, in tests/golden/make_io_golden.py.
TEST_P(PngGolden, IsDecodedToTheSpecificationsPixels) {
  const std::string name = GetParam();
  const at::Tensor expected = decode_npy(golden(name + ".png.npy"), name);
  const at::Tensor image = decode_png(golden(name + ".png"), name);
  ASSERT_EQ(image.sizes(), expected.sizes());
  EXPECT_TRUE(at::equal(image, expected)) << image << expected;
}

INSTANTIATE_TEST_SUITE_P(EveryColourTypeAndDepth, PngGolden,
                         ::testing::Values("grey1", "grey2", "grey4", "grey8", "grey16",
                                           "grey1-interlaced", "grey2-interlaced",
                                           "grey4-interlaced", "grey8-interlaced",
                                           "grey16-interlaced", "grey2-transparent", "grey-alpha8",
                                           "grey-alpha16", "rgb8", "rgb16", "rgb8-interlaced",
                                           "rgb16-interlaced", "rgba8", "rgba16", "palette4",
                                           "palette8", "palette-alpha"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Png, WhatWasEncodedIsDecoded) {
  for (const std::int64_t channels : {1, 3}) {
    const at::Tensor image = at::arange(channels * 5 * 7, at::kByte).view({channels, 5, 7});
    EXPECT_TRUE(at::equal(decode_png(encode_png(image), "f.png"), image)) << channels;
  }
  const at::Tensor view = at::arange(2 * 3 * 4, at::kByte).view({4, 3, 2}).permute({1, 2, 0});
  EXPECT_TRUE(at::equal(decode_png(encode_png(view), "f.png"), view));
}

TEST(Png, TextSurvivesAndEqualPicturesGiveEqualBytes) {
  const at::Tensor image = at::zeros({1, 2, 2}, at::kByte);
  const std::map<std::string, std::string> text{
      {"Software", "tinta"}, {"run", "runs/cóndor"}, {"empty", ""}};
  const Bytes bytes = encode_png(image, text);
  EXPECT_EQ(png_text(bytes, "f.png"), text);
  EXPECT_EQ(encode_png(image, text), bytes);
  EXPECT_TRUE(png_text(encode_png(image), "f.png").empty());
}

TEST(Png, TextIsWrittenToTheChunkThatItsEncodingAsksFor) {
  const Bytes bytes = encode_png(at::zeros({1, 1, 1}, at::kByte), {{"a", "plain"}, {"b", "ñ"}});
  std::vector<std::string> types;
  for (const PngChunk& chunk : png_chunks(bytes, "f.png")) types.emplace_back(chunk.type);
  EXPECT_THAT(types, ::testing::ElementsAre("IHDR", "tEXt", "iTXt", "IDAT", "IEND"));
}

TEST(Png, TextOfOtherProgramsIsReadAsUtf8) {
  const std::map<std::string, std::string> expected{{"Title", "café"}, {"Name", "cóndor"}};
  EXPECT_EQ(png_text(golden("text.png"), "text.png"), expected);
}

TEST(Png, WrongArgumentsAreTheCallersFault) {
  const at::Tensor image = at::zeros({1, 2, 2}, at::kByte);
  EXPECT_THROW(encode_png(at::Tensor()), ArgumentError);
  EXPECT_THROW(encode_png(image.to(at::kFloat)), ArgumentError);
  EXPECT_THROW(encode_png(image[0]), ArgumentError);
  EXPECT_THROW(encode_png(at::zeros({2, 2, 2}, at::kByte)), ArgumentError);
  EXPECT_THROW(encode_png(at::zeros({1, 0, 2}, at::kByte)), ArgumentError);
  for (const std::string& key : {std::string(), std::string(80, 'a'), std::string(" a"),
                                 std::string("a "), std::string("a  b"), std::string("ñ")}) {
    EXPECT_THROW(encode_png(image, {{key, "text"}}), ArgumentError) << key;
  }
  EXPECT_THROW(encode_png(image, {{"key", std::string("a\0b", 3)}}), ArgumentError);
}

TEST(Png, AFileCutAnywhereIsRefused) {
  const Bytes whole = golden("grey8.png");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(png_refusal(cut), "no error") << size;
  }
}

TEST(Png, AnotherSignatureFirstChunkOrCrcIsRefusedAtItsOffset) {
  Bytes bytes = golden("grey8.png");
  bytes[0] = std::byte{0};
  EXPECT_THAT(png_refusal(bytes), HasSubstr("byte 0: expected a PNG file"));
  bytes = golden("grey8.png");
  bytes[kDepth] ^= std::byte{1};
  EXPECT_THAT(png_refusal(bytes),
              HasSubstr("byte 12: expected PNG chunk \"IHDR\" to match its CRC"));
  bytes = golden("grey8.png");
  bytes[12] = std::byte{'J'};
  EXPECT_THAT(png_refusal(with_true_crcs(bytes)), HasSubstr("expected PNG chunk IHDR first"));
}

TEST(Png, SizesThatTheDataCannotFillTakeNoMemory) {
  Bytes bytes = golden("grey8.png");
  set_big_endian(bytes, kWidth, 1 << 14);
  set_big_endian(bytes, kHeight, 1 << 14);
  EXPECT_THAT(png_refusal(with_true_crcs(bytes)), HasSubstr("can unpack to 268435456 bytes"));
  set_big_endian(bytes, kHeight, (1 << 14) + 1);
  EXPECT_THAT(png_refusal(with_true_crcs(bytes)), HasSubstr("expected at most 2^28 pixels"));
  set_big_endian(bytes, kWidth, 0xFFFFFFFF);
  set_big_endian(bytes, kHeight, 0xFFFFFFFF);
  EXPECT_THAT(png_refusal(with_true_crcs(bytes)), HasSubstr("expected at most 2^28 pixels"));
}

TEST(Png, HeadersThatNoPngHasAreRefused) {
  const auto with = [](std::size_t offset, int value) {
    Bytes bytes = golden("grey8.png");
    bytes[offset] = static_cast<std::byte>(value);
    return png_refusal(with_true_crcs(bytes));
  };
  EXPECT_THAT(with(kWidth + 3, 0), HasSubstr("expected a well-formed PNG"));
  EXPECT_THAT(with(kDepth, 3), HasSubstr("expected a well-formed PNG"));
  EXPECT_THAT(with(kDepth + 1, 5), HasSubstr("expected a well-formed PNG"));
  EXPECT_THAT(with(kHeight + 3, 200), HasSubstr("expected a well-formed PNG"));
  EXPECT_THAT(with(kDepth + 4, 2), HasSubstr("expected a well-formed PNG"));
}

TEST(Png, DamagedFilesAreRefusedOrReadNeverWorse) {
  const auto parse = [](std::span<const std::byte> bytes) {
    // Once as it is, where the CRCs catch nearly everything, and once past them.
    decode_png(with_true_crcs(bytes), "f.png");
    png_text(with_true_crcs(bytes), "f.png");
    decode_png(bytes, "f.png");
  };
  for (const std::string name : {"rgb16-interlaced.png", "palette-alpha.png", "text.png"}) {
    EXPECT_GT(testing::refusals(golden(name), 3000, parse), 2000) << name;
  }
}

}  // namespace
}  // namespace tinta::io
