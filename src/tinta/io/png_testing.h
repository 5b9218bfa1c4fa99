#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tinta/io/inflate.h"

namespace tinta::io::testing {

/// A copy whose chunks, as far as they can be followed, have the CRC of their content: what damage
/// must look like to get past the check of the CRCs.
inline std::vector<std::byte> with_true_crcs(std::span<const std::byte> file) {
  std::vector<std::byte> bytes(file.begin(), file.end());
  constexpr std::size_t kSignature = 8, kAround = 12;  // a chunk's length, type and CRC
  for (std::size_t at = kSignature; at + kAround <= bytes.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      length = length << 8 | std::to_integer<std::size_t>(bytes[at + i]);
    }
    if (length > bytes.size() - at - kAround) break;
    const std::uint32_t crc = crc32_of(std::span(bytes).subspan(at + 4, length + 4));
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[at + 8 + length + i] = static_cast<std::byte>(crc >> (24 - 8 * i));
    }
    at += kAround + length;
  }
  return bytes;
}

}  // namespace tinta::io::testing
