#include "tinta/io/safetensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/golden_testing.h"
#include "tinta/io/mutation_testing.h"

namespace tinta::io {
namespace {

using testing::golden;
using ::testing::HasSubstr;
using testing::refusal;
using Bytes = std::vector<std::byte>;

// make_safetensors() of tests/golden/make_io_golden.py, in the order that the package writes.
TensorFile package_file() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {.tensors = {{"i64", (at::arange(4, at::kLong) * (std::int64_t{1} << 40)).view({2, 2})},
                      {"f64", at::full({}, 3.141592653589793, at::kDouble)},
                      {"empty", at::zeros({0, 7}, at::kFloat)},
                      {"f32", at::tensor({0.5f, -1.25f, kInfinity, 1e-40f})},
                      {"i32", at::arange(-3, 3, at::kInt)},
                      {"bf16", at::tensor({1.0f, -2.5f, 3.0f}).to(at::kBFloat16)},
                      {"f16", at::tensor({0.5f, 65504.0f}).to(at::kHalf).view({1, 2})},
                      {"i16", at::tensor({-300, 300}).to(at::kShort)},
                      {"i8", at::tensor({-128, 127}).to(at::kChar)},
                      {"u8", at::arange(5, at::kByte)},
                      {"bool", at::tensor({1, 0, 1}).to(at::kBool)}},
          .metadata = {{"made by", "the safetensors package, \"0.8\""}}};
}

void expect_same(const TensorFile& got, const TensorFile& expected) {
  EXPECT_EQ(got.metadata, expected.metadata);
  ASSERT_EQ(got.tensors.size(), expected.tensors.size());
  for (std::size_t i = 0; i < got.tensors.size(); ++i) {
    EXPECT_EQ(got.tensors[i].first, expected.tensors[i].first);
    EXPECT_EQ(got.tensors[i].second.scalar_type(), expected.tensors[i].second.scalar_type());
    EXPECT_TRUE(at::equal(got.tensors[i].second, expected.tensors[i].second))
        << got.tensors[i].first;
  }
}

// A file with a header of one's own.
Bytes file_with(const std::string& header, std::size_t data = 0) {
  Bytes bytes;
  append_little_endian(bytes, std::uint64_t{header.size()});
  append(bytes, header);
  bytes.resize(bytes.size() + data);
  return bytes;
}

std::string header_refusal(const std::string& header, std::size_t data = 0) {
  return refusal([&] { decode_safetensors(file_with(header, data), "f.safetensors"); });
}

// A header of one tensor "a" with these three values.
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}}";
}

TEST(Safetensors, FilesMadeByThePackageAreRead) {
  expect_same(decode_safetensors(golden("all.safetensors"), "all.safetensors"), package_file());
}

TEST(Safetensors, TheSameTensorsGiveTheBytesThatThePackageWrites) {
  EXPECT_EQ(encode_safetensors(package_file()), golden("all.safetensors"));
}

TEST(Safetensors, OrderNamesAndMetadataSurvive) {
  const TensorFile file{.tensors = {{"z", at::arange(3, at::kByte)},
                                    {"a \"quoted\" cóndor\n", at::arange(4, at::kFloat)},
                                    {"m", at::arange(6, at::kLong).view({2, 3}).t()}},
                        .metadata = {{"", "empty key"}, {"k", ""}}};
  const Bytes bytes = encode_safetensors(file);
  EXPECT_EQ((bytes.size() - 3 - 16 - 48) % 8, 0u);  // the data begin on a multiple of 8
  expect_same(decode_safetensors(bytes, "f.safetensors"), file);
  expect_same(decode_safetensors(encode_safetensors({}), "f.safetensors"), {});
}

TEST(Safetensors, TensorsOwnTheirMemory) {
  Bytes bytes = encode_safetensors({.tensors = {{"a", at::arange(4, at::kByte)}}});
  const TensorFile file = decode_safetensors(bytes, "f.safetensors");
  std::fill(bytes.begin(), bytes.end(), std::byte{0});
  EXPECT_EQ(file.at("a")[3].item<int>(), 3);
}

TEST(Safetensors, AnAbsentNameSuggestsTheNearest) {
  const TensorFile file{.tensors = {{"conv_in.weight", at::zeros({1})}}};
  try {
    (void)file.at("conv_in.wieght");
    FAIL() << "no error";
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"conv_in.weight\"?"));
  }
}

TEST(Safetensors, WrongArgumentsAreTheCallersFault) {
  const at::Tensor one = at::zeros({1});
  EXPECT_THROW(encode_safetensors({.tensors = {{"a", one}, {"a", one}}}), ArgumentError);
  EXPECT_THROW(encode_safetensors({.tensors = {{"__metadata__", one}}}), ArgumentError);
  EXPECT_THROW(encode_safetensors({.tensors = {{"a", at::Tensor()}}}), ArgumentError);
  EXPECT_THROW(encode_safetensors({.tensors = {{"a", one.to(at::kComplexFloat)}}}), ArgumentError);
  EXPECT_THROW(encode_safetensors({.tensors = {{"\xFF", one}}}), ArgumentError);
}

TEST(Safetensors, AHeaderSizeThatLiesIsRefused) {
  EXPECT_THAT(refusal([] { decode_safetensors(Bytes(7), "f"); }),
              HasSubstr("expected 8 bytes of safetensors header size, got 7"));
  for (const std::uint64_t size : {std::uint64_t{3}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    Bytes bytes;
    append_little_endian(bytes, size);
    append(bytes, "{}");
    EXPECT_THAT(refusal([&] { decode_safetensors(bytes, "f"); }),
                HasSubstr("byte 0: expected a header within the file and under 100 MB, got " +
                          std::to_string(size)));
  }
}

TEST(Safetensors, HeadersThatAreNotStrictJsonAreRefused) {
  EXPECT_THAT(header_refusal(""), HasSubstr("byte 8: expected '{'"));
  EXPECT_THAT(header_refusal(" {}"), HasSubstr("byte 8: expected '{'"));
  EXPECT_THAT(header_refusal("{,}"), HasSubstr("byte 9: expected JSON, got a syntax error"));
  EXPECT_THAT(header_refusal("{}x"), HasSubstr("byte 10: expected JSON, got a syntax error"));
  EXPECT_THAT(header_refusal("{\"\xFF\":0}"), HasSubstr("expected JSON, got a syntax error"));
  EXPECT_THAT(header_refusal("{\"a\":1e999}"), HasSubstr("expected JSON numbers within range"));
  EXPECT_THAT(header_refusal("{\"a\":0,\"a\":0}"),
              HasSubstr("each JSON key once, got \"a\" twice"));
  EXPECT_THAT(header_refusal("{\"a\":{\"b\":0,\"b\":0}}"), HasSubstr("got \"b\" twice"));
  EXPECT_THAT(header_refusal("{\"a\":" + std::string(100000, '[')),
              HasSubstr("expected JSON nested at most 3 deep"));
}

TEST(Safetensors, EntriesMustBeWhatTheFormatSays) {
  EXPECT_THAT(header_refusal("{\"a\":0}"), HasSubstr("exactly dtype, shape and data_offsets"));
  EXPECT_THAT(header_refusal("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"other\":[]}}"),
              HasSubstr("exactly dtype, shape and data_offsets"));
  EXPECT_THAT(header_refusal(entry("\"U9\"", "[]", "[0,1]")), HasSubstr("a known dtype"));
  EXPECT_THAT(header_refusal(entry("8", "[]", "[0,1]")), HasSubstr("a known dtype"));
  EXPECT_THAT(header_refusal(entry("\"U8\"", "1", "[0,1]")), HasSubstr("a list as shape"));
  EXPECT_THAT(header_refusal(entry("\"U8\"", "[-1]", "[0,1]")), HasSubstr("whole numbers from 0"));
  EXPECT_THAT(header_refusal(entry("\"U8\"", "[1.0]", "[0,1]")), HasSubstr("whole numbers from 0"));
  EXPECT_THAT(header_refusal(entry("\"U8\"", "[1]", "[0]")), HasSubstr("two data_offsets"));
  EXPECT_THAT(header_refusal("{\"__metadata__\":[]}"), HasSubstr("__metadata__ as an object"));
  EXPECT_THAT(header_refusal("{\"__metadata__\":{\"k\":1}}"), HasSubstr("text for metadata \"k\""));
  std::string deep = "[1";
  for (int i = 0; i < 64; ++i) deep += ",1";
  EXPECT_THAT(header_refusal(entry("\"U8\"", deep + "]", "[0,1]"), 1),
              HasSubstr("at most 64 dimensions"));
}

TEST(Safetensors, OffsetsMustMatchDtypeAndShape) {
  EXPECT_THAT(header_refusal(entry("\"F32\"", "[2]", "[0,4]"), 4),
              HasSubstr("match dtype and shape"));
  EXPECT_THAT(header_refusal(entry("\"U8\"", "[1]", "[1,0]"), 1),
              HasSubstr("expected data to begin at 0"));
  EXPECT_THAT(header_refusal(entry("\"U8\"", "[18446744073709551615]", "[0,1]"), 1),
              HasSubstr("match dtype and shape"));
  EXPECT_THAT(header_refusal(entry("\"F64\"", "[4294967296,4294967296]", "[0,0]")),
              HasSubstr("match dtype and shape"));
  EXPECT_THAT(header_refusal(entry("\"F64\"", "[0,4294967296,4294967296]", "[0,0]")),
              HasSubstr("match dtype and shape"));
}

TEST(Safetensors, DataMustBeCoveredExactly) {
  EXPECT_THAT(header_refusal(entry("\"U8\"", "[2]", "[0,2]"), 1),
              HasSubstr("expected data up to 2 for tensor \"a\", got a file that ends at 1"));
  EXPECT_THAT(header_refusal(entry("\"U8\"", "[2]", "[0,2]"), 3), HasSubstr("got 1 more bytes"));
  const auto two = [](const std::string& first, const std::string& second) {
    return header_refusal("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":" + first +
                              "},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":" + second +
                              "}}",
                          5);
  };
  EXPECT_THAT(two("[0,2]", "[1,3]"),
              HasSubstr("expected data to begin at 2 for tensor \"b\", got 1"));
  EXPECT_THAT(two("[0,2]", "[3,5]"),
              HasSubstr("expected data to begin at 2 for tensor \"b\", got 3"));
  EXPECT_THAT(two("[1,3]", "[3,5]"), HasSubstr("expected data to begin at 0"));
}

TEST(Safetensors, ABooleanThatIsNeitherIsRefused) {
  Bytes bytes = file_with(entry("\"BOOL\"", "[1]", "[0,1]"), 1);
  bytes.back() = std::byte{255};
  EXPECT_THAT(refusal([&] { decode_safetensors(bytes, "f"); }),
              HasSubstr("byte " + std::to_string(bytes.size() - 1) + ": expected booleans"));
}

TEST(Safetensors, DamagedFilesAreRefusedOrReadNeverWorse) {
  // Damage within the 104 bytes of data is not the format's to see: a checksum beside the file is.
  EXPECT_GT(testing::refusals(golden("all.safetensors"), 8000,
                              [](auto bytes) { decode_safetensors(bytes, "f.safetensors"); }),
            4000);
}

}  // namespace
}  // namespace tinta::io
