#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tinta/core/error.h"

namespace tinta::io {

/// Text from a file as an error message may show it: in quotes, at most 80 characters, anything
/// that is not printable ASCII as '?'.
inline std::string shown(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 80)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 80 ? "...\"" : "\"");
}

/// Reads a format's fields one after another, and never beyond the end.
class ByteReader {
 public:
  /// @param path   named in errors
  /// @param origin offset of `bytes` within the file, so that errors name the file's offsets
  ByteReader(std::span<const std::byte> bytes, std::string path, std::uint64_t origin = 0)
      : bytes_(bytes), path_(std::move(path)), origin_(origin) {}

  /// Offset within the file of the next byte.
  [[nodiscard]] std::uint64_t offset() const noexcept { return origin_ + position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - position_; }

  /// The next `count` bytes. @throws DataError when fewer are left
  /// @param what named in the error: "expected 4 bytes of <what>, got 2"
  std::span<const std::byte> take(std::uint64_t count, std::string_view what) {
    if (count > remaining()) {
      fail("expected " + std::to_string(count) + " bytes of " + std::string(what) + ", got " +
           std::to_string(remaining()));
    }
    const auto part = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += part.size();
    return part;
  }

  std::string_view text(std::uint64_t count, std::string_view what) {
    const auto part = take(count, what);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

  template <std::unsigned_integral T>
  T little_endian(std::string_view what) {
    T value = 0;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  template <std::unsigned_integral T>
  T big_endian(std::string_view what) {
    std::uint64_t value = 0;
    for (const std::byte b : take(sizeof(T), what)) value = value << 8 | std::to_integer<T>(b);
    return static_cast<T>(value);
  }

  /// @throws DataError at the next byte's offset
  [[noreturn]] void fail(const std::string& what) const { throw DataError(path_, what, offset()); }

 private:
  std::span<const std::byte> bytes_;
  std::string path_;
  std::uint64_t origin_;
  std::size_t position_ = 0;
};

inline void append(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::size_t end = out.size();
  out.resize(end + bytes.size());
  std::memcpy(out.data() + end, bytes.data(), bytes.size());
}

inline void append(std::vector<std::byte>& out, std::string_view text) {
  append(out, std::as_bytes(std::span(text)));
}

/// Appends an integer's little-endian bytes.
template <std::unsigned_integral T>
void append_little_endian(std::vector<std::byte>& out, T value) {
  append(out, std::as_bytes(std::span(&value, 1)));
}

}  // namespace tinta::io
