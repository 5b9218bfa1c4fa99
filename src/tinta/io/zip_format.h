#pragma once

#include <cstdint>

/// Numbers of the zip format that its reader and its writer share. Source: PKWARE APPNOTE.TXT 6.3,
/// sections 4.3-4.5.
namespace tinta::io::zip {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kDirectorySignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint64_t kEndBytes = 22;

constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;

constexpr std::uint16_t kEncryptedFlag = 1;
constexpr std::uint16_t kLevelFlags =
    2 | 4;  // how hard the packer tried; means nothing to a reader
constexpr std::uint16_t kDescriptorFlag =
    8;  // sizes follow the data; the local header may hold zeros
constexpr std::uint16_t kUtf8Flag = 1 << 11;

// A size that stands in a zip64 extra field instead.
constexpr std::uint32_t kInZip64Field = 0xFFFFFFFF;
constexpr std::uint16_t kZip64Field = 1;

}  // namespace tinta::io::zip
