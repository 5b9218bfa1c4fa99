#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace tinta {

/// SHA-256 of the bytes, 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view text);

/// Two lower-case hexadecimal digits a byte, as digests are written.
std::string hex(std::span<const unsigned char> bytes);

}  // namespace tinta
