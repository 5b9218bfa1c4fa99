#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tinta/core/sha256.h"

namespace tinta::data {

/// The first 64 bits of the SHA-256 of some bytes, as a number.
inline std::uint64_t content_hash(std::span<const std::byte> bytes) {
  const std::string digits = sha256(bytes);
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + 16, value, 16);
  return value;
}

}  // namespace tinta::data
