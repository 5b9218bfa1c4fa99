#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tinta/io/labelled_images.h"

namespace tinta::io {

/// An IDX file of unsigned bytes (LeCun, "The MNIST database": magic 00 00 08 rank, big-endian
/// sizes, data), plain or gzip.
struct IdxArray {
  std::vector<std::int64_t> sizes;  ///< one to four dimensions
  std::vector<std::byte> bytes;     ///< product(sizes) of them
};

/// Parses an IDX file's bytes; gzip is recognised by its magic. Never reads outside of `bytes`,
/// never allocates more than the data that really follow the header.
/// @param path named in errors; offsets count unpacked bytes where it is followed by "(unpacked)"
/// @throws DataError with the byte offset: wrong magic, an element type other than unsigned byte,
///         rank outside 1..4, truncated, bytes left over, sizes whose product overflows or is zero,
///         broken gzip
IdxArray parse_idx(std::span<const std::byte> bytes, const std::string& path);

/// @throws SystemError when the file cannot be read, DataError as above
IdxArray read_idx(const std::filesystem::path& path);

/// Reads PREFIX-images-idx3-ubyte[.gz] and PREFIX-labels-idx1-ubyte[.gz] from a folder, where
/// PREFIX is "train" or "t10k".
/// @throws DataError when a file is missing (both names tried are named), has the wrong rank, or
///         the counts of images and labels differ
LabelledImages read_idx_split(const std::filesystem::path& folder, const std::string& prefix);

}  // namespace tinta::io
