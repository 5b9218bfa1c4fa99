#include "tinta/io/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "tinta/core/error.h"

namespace tinta::io {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t remainder = i;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0x82F63B78u : 0u);
    }
    table[i] = remainder;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

// Numbers of protobuf's fields in event.proto and summary.proto.
namespace field {
constexpr std::uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr std::uint32_t kSummaryValue = 1, kTag = 1, kSimpleValue = 2, kImage = 4;
constexpr std::uint32_t kHeight = 1, kWidth = 2, kColorspace = 3, kEncoded = 4;
constexpr std::uint32_t kStatus = 1;
}  // namespace field

constexpr std::uint64_t kSessionStart = 1;  // SessionLog.START

// A message of protobuf as its fields are put in, in wire format.
class Message {
 public:
  void varint(std::uint32_t number, std::uint64_t value) {
    put_varint(number << 3 | 0);
    put_varint(value);
  }
  void number(std::uint32_t number, double value) {
    put_varint(number << 3 | 1);
    put_little_endian(std::bit_cast<std::uint64_t>(value), 8);
  }
  void number(std::uint32_t number, float value) {
    put_varint(number << 3 | 5);
    put_little_endian(std::bit_cast<std::uint32_t>(value), 4);
  }
  void bytes(std::uint32_t number, std::span<const std::byte> value) {
    put_varint(number << 3 | 2);
    put_varint(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void text(std::uint32_t number, std::string_view value) {
    bytes(number, std::as_bytes(std::span(value)));
  }
  void put_little_endian(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_.push_back(static_cast<std::byte>(value >> 8 * i));
  }
  void put(std::span<const std::byte> value) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  [[nodiscard]] const Bytes& content() const { return bytes_; }
  Bytes take() { return std::move(bytes_); }

 private:
  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<std::byte>(value | 0x80));
    bytes_.push_back(static_cast<std::byte>(value));
  }

  Bytes bytes_;
};

Bytes encode_value(const EventScalar& scalar) {
  Message value;
  value.text(field::kTag, scalar.tag);
  value.number(field::kSimpleValue, static_cast<float>(scalar.value));
  return value.take();
}

Bytes encode_value(const EventImage& picture) {
  Message image;
  image.varint(field::kHeight, static_cast<std::uint64_t>(picture.height));
  image.varint(field::kWidth, static_cast<std::uint64_t>(picture.width));
  image.varint(field::kColorspace, static_cast<std::uint64_t>(picture.channels));
  image.bytes(field::kEncoded, picture.png);
  Message value;
  value.text(field::kTag, picture.tag);
  value.bytes(field::kImage, image.content());
  return value.take();
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept {
  std::uint32_t sum = ~0u;
  for (const std::byte byte : bytes) {
    sum = sum >> 8 ^ kTable[(sum ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  }
  return ~sum;
}

std::uint32_t masked_crc32c(std::span<const std::byte> bytes) noexcept {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

std::vector<std::byte> encode_event(double wall_time, std::uint64_t step,
                                    std::span<const EventValue> values) {
  Message summary;
  for (const EventValue& value : values) {
    summary.bytes(field::kSummaryValue,
                  std::visit([](const auto& known) { return encode_value(known); }, value));
  }
  Message event;
  event.number(field::kWallTime, wall_time);
  event.varint(field::kStep, step);
  event.bytes(field::kSummary, summary.content());
  return event.take();
}

std::vector<std::byte> encode_file_version(double wall_time) {
  Message event;
  event.number(field::kWallTime, wall_time);
  event.text(field::kFileVersion, "brain.Event:2");
  return event.take();
}

std::vector<std::byte> encode_restart(double wall_time, std::uint64_t step) {
  Message session;
  session.varint(field::kStatus, kSessionStart);
  Message event;
  event.number(field::kWallTime, wall_time);
  event.varint(field::kStep, step);
  event.bytes(field::kSessionLog, session.content());
  return event.take();
}

std::vector<std::byte> encode_record(std::span<const std::byte> event) {
  Message length;
  length.put_little_endian(event.size(), 8);
  Message record;
  record.put(length.content());
  record.put_little_endian(masked_crc32c(length.content()), 4);
  record.put(event);
  record.put_little_endian(masked_crc32c(event), 4);
  return record.take();
}

EventFile::EventFile(fs::path path, double wall_time, std::uint64_t first_step)
    : path_(std::move(path)) {
  std::error_code failed;
  fs::create_directories(path_.parent_path(), failed);
  if (failed) {
    throw SystemError("[" + path_.parent_path().string() + "] cannot make the folder",
                      failed.value());
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw SystemError("[" + path_.string() + "] cannot create", errno);
  try {
    write(encode_file_version(wall_time));
    write(encode_restart(wall_time, first_step));
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

EventFile::~EventFile() { ::close(descriptor_); }

void EventFile::append(double wall_time, std::uint64_t step, std::span<const EventValue> values) {
  write(encode_event(wall_time, step, values));
}

void EventFile::write(std::span<const std::byte> event) {
  const Bytes record = encode_record(event);
  const ssize_t written = ::write(descriptor_, record.data(), record.size());
  if (written < 0) throw SystemError("[" + path_.string() + "] cannot write", errno);
  if (static_cast<std::size_t>(written) != record.size()) {
    throw SystemError("[" + path_.string() + "] cannot write the whole event: is the disk full?");
  }
}

void EventFile::flush() {
  if (::fsync(descriptor_) != 0) throw SystemError("[" + path_.string() + "] cannot flush", errno);
}

}  // namespace tinta::io
