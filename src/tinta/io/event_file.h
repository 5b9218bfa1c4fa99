#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// TensorBoard's files: records of TFRecord's framing, each an event in protobuf's wire format.
// Sources: TensorFlow's lib/io/record_writer.h, lib/hash/crc32c.h, util/event.proto,
// framework/summary.proto.

namespace tinta::io {

/// CRC-32C (Castagnoli's polynomial 0x1EDC6F41, reflected), as of RFC 3720, appendix B.4.
std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept;

/// The sum as a record bears it: turned right by 15 bits, plus 0xA282EAD8, so that a sum over bytes
/// that hold sums stays a sum.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes) noexcept;

/// A number under a tag.
struct EventScalar {
  std::string tag;
  double value = 0;  ///< kept in single precision
};

/// A picture under a tag.
struct EventImage {
  std::string tag;
  std::vector<std::byte> png;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;  ///< 1 or 3
};

using EventValue = std::variant<EventScalar, EventImage>;

/// An event of one step, without its frame.
std::vector<std::byte> encode_event(double wall_time, std::uint64_t step,
                                    std::span<const EventValue> values);

/// The first event of a file, which names the format.
std::vector<std::byte> encode_file_version(double wall_time);

/// The event that tells a reader to forget what other files say of this step and of later ones.
std::vector<std::byte> encode_restart(double wall_time, std::uint64_t step);

/// An event in its frame: length, the length's sum, the event, its sum.
std::vector<std::byte> encode_record(std::span<const std::byte> event);

/// A file of events that is written from its beginning; every write is checked, and an event is
/// written whole, so that a reader may look while it grows.
class EventFile {
 public:
  /// Makes missing folders and begins the file with its version and a restart at `first_step`.
  /// @throws SystemError when it exists or cannot be made
  EventFile(std::filesystem::path path, double wall_time, std::uint64_t first_step);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// @throws SystemError
  void append(double wall_time, std::uint64_t step, std::span<const EventValue> values);
  /// Down to the disk. @throws SystemError
  void flush();

 private:
  void write(std::span<const std::byte> event);

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace tinta::io
