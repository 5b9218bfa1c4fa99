#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinta::io {

/// One chunk of a PNG file, its CRC verified. Source: PNG specification, section 5.
struct PngChunk {
  std::string_view type;            ///< four characters, into the file's bytes
  std::span<const std::byte> data;  ///< into the file's bytes
  std::uint64_t offset = 0;         ///< of `data` in the file
};

/// The chunks from IHDR to IEND; bytes after IEND are ignored.
/// @throws DataError with the byte offset: another signature, no IHDR first, truncated, wrong CRC
std::vector<PngChunk> png_chunks(std::span<const std::byte> bytes, const std::string& path);

}  // namespace tinta::io
