#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tinta/core/file_writer.h"
#include "tinta/core/mapped_file.h"
#include "tinta/core/sink.h"

// The format of packed pictures, version 1. Integers are little-endian.
//
//   0    "TINTAPK1"
//   8    uint64: offset of the pictures, a multiple of 4096
//   16   SHA-256 of bytes 80 up to the pictures, as 64 hexadecimal digits
//   80   uint64: length of the JSON that follows: content, count, channels, height, width,
//   labelled,
//        classes, class_names, block (pictures in each block)
//        the JSON, then, each at a multiple of 8:
//        int64[count] labels where labelled, uint64[count] hashes, rising,
//        SHA-256 of each block of pictures, 64 hexadecimal digits each
//        zeros
//        the pictures, [count, channels, height, width] bytes

namespace tinta::data {

/// What stands before the pictures.
struct PackHeader {
  std::string content;  ///< SHA-256 of PackKey::content
  std::int64_t count = 0, channels = 0, height = 0, width = 0;
  std::int64_t classes = 0;
  std::vector<std::string> class_names{};
  std::int64_t block = 1;
  std::vector<std::int64_t> labels{};  ///< empty without
  std::vector<std::uint64_t> hashes{};
  std::vector<std::string> digests{};  ///< of the blocks

  [[nodiscard]] std::int64_t picture_bytes() const { return channels * height * width; }
  [[nodiscard]] std::int64_t blocks() const { return (count + block - 1) / block; }
};

/// Where the pictures of a file with this header begin; the digests may still be missing.
std::uint64_t pictures_offset(const PackHeader& header);

/// The bytes before the pictures. @param header complete
std::vector<std::byte> encode_pack_header(const PackHeader& header);

/// A packed file that was read and found whole.
struct PackFile {
  PackHeader header;
  std::shared_ptr<const MappedFile> file;
  std::span<const std::byte> pictures;
};

/// Reads the header and compares it with its checksum, not yet the pictures with theirs.
/// @throws DataError on a file that is not whole, SystemError
PackFile read_pack_header(const std::filesystem::path& path);

/// Compares all pictures with their checksums. @throws DataError naming the first damaged byte
/// range; Stopped
void verify_pictures(const PackFile& pack, const std::string& path, const StopRequested& stop = {});

}  // namespace tinta::data
