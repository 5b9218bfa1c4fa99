#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/golden_testing.h"
#include "tinta/io/mutation_testing.h"
#include "tinta/io/npz.h"
#include "tinta/io/npz_golden_testing.h"

namespace tinta::io {
namespace {

using testing::golden;
using ::testing::HasSubstr;
using testing::numpy_arrays;
using testing::refusal;
using Bytes = std::vector<std::byte>;

// A file of format 1.0 with a header of one's own.
Bytes npy_file(const std::string& header, std::size_t data) {
  Bytes bytes;
  append(bytes, std::string_view("\x93NUMPY\x01\x00", 8));
  append_little_endian(bytes, static_cast<std::uint16_t>(header.size()));
  append(bytes, header);
  bytes.resize(bytes.size() + data);
  return bytes;
}

std::string npy_refusal(const std::string& header, std::size_t data = 0) {
  return refusal([&] { decode_npy(npy_file(header, data), "f.npy"); });
}

std::string descr_refusal(const std::string& descr) {
  return npy_refusal("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (), }", 8);
}

std::string shape_refusal(const std::string& shape, std::size_t data = 0) {
  return npy_refusal("{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }", data);
}

TEST(Npy, FilesMadeByNumpyAreRead) {
  for (const auto& [name, array] : numpy_arrays()) {
    const at::Tensor read = decode_npy(golden(name + ".npy"), name);
    EXPECT_EQ(read.scalar_type(), array.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read, array)) << name;
  }
}

TEST(Npy, TheSameArrayGivesTheBytesThatNumpyWrites) {
  for (const auto& [name, array] : numpy_arrays()) {
    EXPECT_EQ(encode_npy(array), golden(name + ".npy")) << name;
  }
}

TEST(Npy, AViewIsWrittenInTheOrderOfItsElements) {
  const at::Tensor view = at::arange(6, at::kInt).view({2, 3}).t();
  EXPECT_TRUE(at::equal(decode_npy(encode_npy(view), "f.npy"), view));
}

TEST(Npy, ADtypeThatNumpyLacksIsTheCallersFault) {
  EXPECT_THROW(encode_npy(at::zeros({2}, at::kBFloat16)), ArgumentError);
  EXPECT_THROW(encode_npy(at::Tensor()), ArgumentError);
}

TEST(Npy, WhatNumpyWritesAndTintaDoesNotReadIsNamed) {
  const auto message = [](const std::string& name) {
    return refusal([&] { decode_npy(golden(name), name); });
  };
  EXPECT_THAT(message("bad-fortran.npy"), HasSubstr("expected C order, got Fortran order"));
  EXPECT_THAT(message("bad-big-endian.npy"), HasSubstr("expected little-endian data, got \">f4\""));
  EXPECT_THAT(message("bad-object.npy"), HasSubstr("pickles and never read"));
  EXPECT_THAT(message("bad-dtype.npy"), HasSubstr("got \"<c8\""));
  EXPECT_THAT(message("bad-version.npy"), HasSubstr("byte 6: expected npy format 1.0, got 2.0"));
}

TEST(Npy, HeadersMayBeSpelledInAnyWayThatPythonReads) {
  const Bytes file = npy_file("{ \"shape\":(2 ,3),'fortran_order':False,\n\"descr\":'|u1'}  \n", 6);
  EXPECT_EQ(decode_npy(file, "f.npy").sizes(), at::IntArrayRef({2, 3}));
}

TEST(Npy, HeadersThatAreNotTheThreeKeysAreRefused) {
  EXPECT_THAT(npy_refusal("[]"), HasSubstr("byte 10: expected '{'"));
  EXPECT_THAT(npy_refusal("{'descr': '|u1', 'fortran_order': False}"), HasSubstr("got fewer"));
  EXPECT_THAT(npy_refusal("{'descr': '|u1', 'descr': '|u1'}"),
              HasSubstr("once each, got \"descr\""));
  EXPECT_THAT(npy_refusal("{'other': 1}"), HasSubstr("once each, got \"other\""));
  EXPECT_THAT(npy_refusal("{'descr"), HasSubstr("expected a closing quote"));
  EXPECT_THAT(npy_refusal("{'descr': '|u1' 'shape'"), HasSubstr("byte 26: expected '}'"));
  EXPECT_THAT(npy_refusal("{'fortran_order': 0}"), HasSubstr("expected True or False"));
  EXPECT_THAT(npy_refusal("{'descr': '|u1', 'fortran_order': False, 'shape': ()} x", 1),
              HasSubstr("expected the npy header to end"));
  EXPECT_THAT(descr_refusal("<f16"), HasSubstr("expected one of |u1"));
}

TEST(Npy, ShapesThatLieTakeNoMemory) {
  EXPECT_THAT(shape_refusal("(3,)", 2),
              HasSubstr("expected 3 bytes of data as the shape says, got 2"));
  EXPECT_THAT(shape_refusal("(3,)", 4), HasSubstr("expected 3 bytes"));
  EXPECT_THAT(shape_refusal("(9223372036854775807,)", 4), HasSubstr("9223372036854775807 bytes"));
  EXPECT_THAT(shape_refusal("(9223372036854775807, 2)"), HasSubstr("more than 2^63"));
  EXPECT_THAT(shape_refusal("(0, 9223372036854775807, 2)"), HasSubstr("more than 2^63"));
  EXPECT_THAT(shape_refusal("(9223372036854775808,)"), HasSubstr("expected sizes from 0"));
  EXPECT_THAT(shape_refusal("(-1,)"), HasSubstr("expected sizes from 0"));
  EXPECT_THAT(shape_refusal("(3)", 3), HasSubstr("expected ','"));
  EXPECT_THAT(shape_refusal("(3 4)", 12), HasSubstr("expected"));
  std::string deep = "(";
  for (int i = 0; i < 65; ++i) deep += "1,";
  EXPECT_THAT(shape_refusal(deep + ")", 1), HasSubstr("expected at most 64 dimensions"));
}

TEST(Npy, ABooleanThatIsNeitherIsRefusedAtItsOffset) {
  Bytes file = golden("b1.npy");
  const std::size_t last = file.size() - 1;
  file[last] = std::byte{2};
  EXPECT_THAT(refusal([&] { decode_npy(file, "f.npy"); }),
              HasSubstr("byte " + std::to_string(last) + ": expected booleans of 0 or 1, got 2"));
}

TEST(Npy, AFileCutAnywhereIsRefused) {
  const Bytes whole = golden("f4.npy");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(refusal([&] { decode_npy(cut, "f.npy"); }), "no error") << size;
  }
}

TEST(Npy, DamagedFilesAreRefusedOrReadNeverWorse) {
  for (const std::string name : {"u1.npy", "f8.npy", "b1.npy", "empty.npy"}) {
    EXPECT_GT(testing::refusals(golden(name), 2000, [](auto bytes) { decode_npy(bytes, "f.npy"); }),
              1000)
        << name;
  }
}

}  // namespace
}  // namespace tinta::io
