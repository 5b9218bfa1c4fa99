#include "tinta/io/event_file.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/sha256.h"
#include "tinta/core/test_folder.h"

namespace tinta::io {
namespace {

std::string hex_of(std::span<const std::byte> bytes) {
  return hex({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Made by TensorBoard 2.21.0's own protobuf classes and its pywrap_tensorflow.masked_crc32c.
constexpr const char* kVersionRecord =
    "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c";
constexpr const char* kRestartRecord =
    "0f000000000000006d532b0909000000000000f83f10073a020801774771c7";
constexpr const char* kValuesRecord =
    "3200000000000000241956ec09000000000000f83f10ac022a240a0b0a046c6f7373150000803e"
    "0a150a0773616d706c6573220a080210031803220289501479453c";

const std::vector<EventValue>& some_values() {
  static const std::vector<EventValue> values = {
      EventScalar{.tag = "loss", .value = 0.25},
      EventImage{.tag = "samples",
                 .png = {std::byte{0x89}, std::byte{'P'}},
                 .height = 2,
                 .width = 3,
                 .channels = 3}};
  return values;
}

// The check value of the catalogue of parametrised CRC algorithms, and RFC 3720, appendix B.4.
TEST(Crc32c, GivesThePublishedSums) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(bytes_of("")), 0u);
  std::vector<std::byte> bytes(32);
  EXPECT_EQ(crc32c(bytes), 0x8A9136AAu);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(bytes), 0x46DD794Eu);
  bytes.assign(32, std::byte{0xFF});
  EXPECT_EQ(crc32c(bytes), 0x62A8AB43u);
}

TEST(Crc32c, IsMaskedByATurnAndASum) {
  // 0xE3069283 turned right by 15 bits is 0x2507C60D.
  EXPECT_EQ(masked_crc32c(bytes_of("123456789")), 0x2507C60Du + 0xA282EAD8u);
  EXPECT_EQ(masked_crc32c(bytes_of("123456789")), 0xC78AB0E5u);
}

TEST(Event, RecordsAreTheBytesThatTensorBoardMakes) {
  EXPECT_EQ(hex_of(encode_record(encode_file_version(1.5))), kVersionRecord);
  EXPECT_EQ(hex_of(encode_record(encode_restart(1.5, 7))), kRestartRecord);
  EXPECT_EQ(hex_of(encode_record(encode_event(1.5, 300, some_values()))), kValuesRecord);
}

TEST(EventFile, BeginsWithItsVersionAndARestartAndHoldsEachEvent) {
  const TestFolder folder;
  const auto path = folder.path() / "tb" / "events";
  EventFile file(path, 1.5, 7);
  file.append(1.5, 300, some_values());
  // Before it is closed: what is appended can be read at once.
  EXPECT_EQ(hex_of(read_bytes(path)), std::string(kVersionRecord) + kRestartRecord + kValuesRecord);
  file.flush();
}

TEST(EventFile, OneThatExistsOrCannotBeMadeIsAnError) {
  const TestFolder folder;
  const auto path = folder.path() / "events";
  write_file(path, "kept", Existing::refuse);
  EXPECT_THROW(EventFile(path, 1, 1), SystemError);
  EXPECT_EQ(read_text(path), "kept");
  EXPECT_THROW(EventFile(path / "below", 1, 1), SystemError);
}

}  // namespace
}  // namespace tinta::io
