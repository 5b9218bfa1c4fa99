#include "tinta/io/npz.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/mapped_file.h"
#include "tinta/core/test_folder.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/golden_testing.h"
#include "tinta/io/mutation_testing.h"
#include "tinta/io/npz_golden_testing.h"
#include "tinta/io/zip.h"
#include "tinta/io/zip_format.h"

namespace tinta::io {
namespace {

using testing::golden;
using ::testing::HasSubstr;
using testing::numpy_arrays;
using testing::refusal;
using Bytes = std::vector<std::byte>;

std::string npz_refusal(const Bytes& bytes) {
  return refusal([&] { decode_npz(bytes, "f.npz"); });
}

// An archive of one member, and the places of its records.
struct Archive {
  Bytes bytes;
  std::size_t local = 0;
  std::size_t directory = 0;
  std::size_t end = 0;

  void set16(std::size_t offset, std::uint16_t value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  void set32(std::size_t offset, std::uint32_t value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  [[nodiscard]] std::uint32_t get32(std::size_t offset) const {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }
};

constexpr std::size_t kNameBytes = 5;  // "a.npy"
constexpr std::size_t kLocalBytes = 30 + kNameBytes;
constexpr std::size_t kEntryBytes = 46 + kNameBytes;

Archive archive_of(int members) {
  ZipWriter writer;
  for (int i = 0; i < members; ++i) writer.add("a.npy", encode_npy(at::arange(64, at::kByte)));
  Archive archive{.bytes = writer.finish()};
  archive.end = archive.bytes.size() - zip::kEndBytes;
  archive.directory = archive.end - static_cast<std::size_t>(members) * kEntryBytes;
  return archive;
}

// Field offsets of APPNOTE 4.3.7 and 4.3.12; a directory entry has one more field in front.
enum Field : std::size_t { flags = 6, method = 8, crc = 14, packed = 18, unpacked = 22 };
constexpr std::size_t kEntryShift = 2;

// What a mapped file's bytes are, and whether a tensor's are among them.
bool lies_in(const at::Tensor& tensor, const MappedFile& file) {
  const auto* const first = static_cast<const std::byte*>(tensor.const_data_ptr());
  const std::span<const std::byte> bytes = file.bytes();
  return first >= bytes.data() && first + tensor.nbytes() <= bytes.data() + bytes.size();
}

TEST(Npz, BytesOfAMappedArchiveStayWhereTheyAreUnlessDeflated) {
  for (const std::string name : {"stored.npz", "deflated.npz"}) {
    auto file = std::make_shared<const MappedFile>(testing::golden_path(name));
    const std::weak_ptr<const MappedFile> mapping = file;
    auto read = map_npz(file, name);
    for (const auto& [key, array] : numpy_arrays()) {
      EXPECT_TRUE(at::equal(read.at(key), array)) << name << " " << key;
      EXPECT_EQ(read.at(key).scalar_type(), array.scalar_type()) << name << " " << key;
      EXPECT_EQ(lies_in(read.at(key), *file), name == "stored.npz" && key == "u1") << name << key;
    }
    file.reset();
    EXPECT_EQ(mapping.expired(), name == "deflated.npz") << "held by the view alone";
    EXPECT_EQ(read.at("u1").sum().item<int>(), 15);
    read.clear();
    EXPECT_TRUE(mapping.expired());
  }
}

TEST(Npz, BytesOfAMappedArrayStayWhereTheyAre) {
  const auto file = std::make_shared<const MappedFile>(testing::golden_path("u1.npy"));
  const at::Tensor read = map_npy(file, "u1.npy");
  EXPECT_TRUE(at::equal(read, numpy_arrays().at("u1")));
  EXPECT_TRUE(lies_in(read, *file));
  const auto floats = std::make_shared<const MappedFile>(testing::golden_path("f4.npy"));
  EXPECT_FALSE(lies_in(map_npy(floats, "f4.npy"), *floats)) << "may be anywhere in a file";
}

TEST(Npz, ADamagedByteOfAMappedArchiveIsRefused) {
  const TestFolder folder;
  Bytes bytes = golden("stored.npz");
  for (const ZipMember& member : read_zip_directory(bytes, "f.npz")) {
    if (member.name != "u1.npy") continue;
    bytes[member.packed_offset + member.packed.size() - 1] ^= std::byte{1};
  }
  write_file_checked(folder.path() / "f.npz", bytes);
  const auto file = std::make_shared<const MappedFile>(folder.path() / "f.npz");
  EXPECT_THAT(refusal([&] { map_npz(file, "f.npz"); }), HasSubstr("CRC"));
}

TEST(Npz, ArchivesMadeByNumpyAreReadStoredOrDeflated) {
  for (const std::string name : {"stored.npz", "deflated.npz"}) {
    const auto read = decode_npz(golden(name), name);
    const auto expected = numpy_arrays();
    ASSERT_EQ(read.size(), expected.size()) << name;
    for (const auto& [key, array] : expected) {
      ASSERT_TRUE(read.contains(key)) << name << " " << key;
      EXPECT_TRUE(at::equal(read.at(key), array)) << name << " " << key;
    }
  }
}

TEST(Npz, WhatWasWrittenIsReadAndEqualArraysGiveEqualBytes) {
  const auto arrays = numpy_arrays();
  const Bytes bytes = encode_npz(arrays);
  EXPECT_EQ(encode_npz(numpy_arrays()), bytes);
  for (const auto& [key, array] : decode_npz(bytes, "f.npz")) {
    EXPECT_TRUE(at::equal(array, arrays.at(key))) << key;
  }
  EXPECT_TRUE(decode_npz(encode_npz({}), "f.npz").empty());
}

TEST(Npz, RepetitiveArraysAreWrittenSmall) {
  EXPECT_LT(encode_npz({{"zeros", at::zeros({1 << 20}, at::kByte)}}).size(), 4096u);
}

TEST(Npz, WrongArgumentsAreTheCallersFault) {
  EXPECT_THROW(encode_npz({{"", at::zeros({1})}}), ArgumentError);
  EXPECT_THROW(encode_npz({{"a", at::zeros({1}, at::kBFloat16)}}), ArgumentError);
  EXPECT_THROW(encode_npz({{std::string(70000, 'a'), at::zeros({1})}}), ArgumentError);
}

TEST(Npz, AnArchiveWithoutItsEndIsRefused) {
  Bytes bytes = archive_of(1).bytes;
  bytes.pop_back();
  EXPECT_THAT(npz_refusal(bytes), HasSubstr("ends in its end record, got none"));
  EXPECT_THAT(npz_refusal({}), HasSubstr("byte 0: expected a zip archive"));
}

TEST(Npz, AWrongCrcIsRefused) {
  Archive archive = archive_of(1);
  archive.set32(Field::crc, archive.get32(Field::crc) ^ 1);
  EXPECT_THAT(npz_refusal(archive.bytes), HasSubstr("to agree with the directory"));
  archive.set32(archive.directory + kEntryShift + Field::crc, archive.get32(Field::crc));
  EXPECT_THAT(npz_refusal(archive.bytes), HasSubstr("to have the directory's CRC, got another"));
}

TEST(Npz, SizesThatLieAreRefused) {
  for (const std::uint32_t change : {1u, 0xFFFFFFFFu, 1u << 30}) {
    Archive archive = archive_of(1);
    const std::uint32_t lie = archive.get32(Field::unpacked) + change;
    archive.set32(archive.directory + kEntryShift + Field::unpacked, lie);
    EXPECT_THAT(npz_refusal(archive.bytes), HasSubstr("to agree with the directory"));
    archive.set32(Field::unpacked, lie);
    EXPECT_THAT(npz_refusal(archive.bytes), HasSubstr("to unpack to " + std::to_string(lie)));
  }
  Archive archive = archive_of(1);
  archive.set32(archive.directory + kEntryShift + Field::packed, 1u << 30);
  archive.set32(Field::packed, 1u << 30);
  EXPECT_THAT(npz_refusal(archive.bytes), HasSubstr("expected 1073741824 bytes of zip member"));
}

TEST(Npz, EncryptionOtherMethodsAndZip64AreRefused) {
  Archive encrypted = archive_of(1);
  encrypted.set16(encrypted.directory + kEntryShift + Field::flags, 1);
  EXPECT_THAT(npz_refusal(encrypted.bytes), HasSubstr("got an encrypted"));
  Archive lzma = archive_of(1);
  lzma.set16(lzma.directory + kEntryShift + Field::method, 14);
  EXPECT_THAT(npz_refusal(lzma.bytes),
              HasSubstr("expected compression 0 (stored) or 8 (deflated), got 14"));
  Archive strange = archive_of(1);
  strange.set16(strange.directory + kEntryShift + Field::flags, 1 << 5);
  EXPECT_THAT(npz_refusal(strange.bytes), HasSubstr("expected known zip flags, got 32"));
  Archive large = archive_of(1);
  large.set32(large.directory + kEntryShift + Field::packed, 0xFFFFFFFF);
  EXPECT_THAT(npz_refusal(large.bytes), HasSubstr("without zip64, got zip64"));
  Archive many = archive_of(1);
  many.set16(many.end + 10, 0xFFFF);
  EXPECT_THAT(npz_refusal(many.bytes), HasSubstr("without zip64, got zip64"));
  Archive parts = archive_of(1);
  parts.set16(parts.end + 4, 1);
  EXPECT_THAT(npz_refusal(parts.bytes), HasSubstr("expected a zip archive in one part"));
}

TEST(Npz, ADirectoryThatLiesAboutItsPlaceIsRefused) {
  Archive archive = archive_of(1);
  archive.set32(archive.end + 16, archive.get32(archive.end + 16) + 1);
  EXPECT_THAT(npz_refusal(archive.bytes), HasSubstr("expected the zip directory to end at"));
  Archive fewer = archive_of(2);
  fewer.set16(fewer.end + 8, 1);
  fewer.set16(fewer.end + 10, 1);
  EXPECT_THAT(npz_refusal(fewer.bytes), HasSubstr("expected the zip directory to end, got more"));
}

TEST(Npz, MembersThatShareBytesAreRefused) {
  // The second entry points at the first member: the way of an archive that unpacks without end.
  Archive archive = archive_of(2);
  archive.set32(archive.directory + kEntryBytes + 42, 0);
  EXPECT_THAT(npz_refusal(archive.bytes), HasSubstr("expected zip members that lie apart"));
}

TEST(Npz, ANameTwiceOrOfAnotherKindIsRefused) {
  EXPECT_THAT(npz_refusal(archive_of(2).bytes), HasSubstr("each array once, got \"a\" twice"));
  ZipWriter writer;
  writer.add("readme.txt", {});
  EXPECT_THAT(npz_refusal(writer.finish()), HasSubstr("expected members named *.npy"));
}

TEST(Npz, AnErrorWithinAMemberNamesTheMember) {
  ZipWriter writer;
  writer.add("a.npy", golden("bad-fortran.npy"));
  EXPECT_THAT(npz_refusal(writer.finish()), HasSubstr("[f.npz(\"a.npy\")] byte"));
}

TEST(Npz, SizesMayFollowTheData) {
  // What a writer to a pipe does: zeros in the local header, flag 3, a descriptor behind the data.
  Archive archive = archive_of(1);
  const std::uint16_t flagged = zip::kUtf8Flag | zip::kDescriptorFlag;
  archive.set16(Field::flags, flagged);
  archive.set16(archive.directory + kEntryShift + Field::flags, flagged);
  for (const Field field : {crc, packed, unpacked}) archive.set32(field, 0);
  EXPECT_EQ(decode_npz(archive.bytes, "f.npz").at("a").size(0), 64);
}

TEST(Npz, DamagedArchivesAreRefusedOrReadNeverWorse) {
  for (const std::string name : {"stored.npz", "deflated.npz"}) {
    EXPECT_GT(testing::refusals(golden(name), 4000, [](auto bytes) { decode_npz(bytes, "f.npz"); }),
              3000)
        << name;
  }
}

}  // namespace
}  // namespace tinta::io
