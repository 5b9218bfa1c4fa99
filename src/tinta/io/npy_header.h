#pragma once

#include <c10/core/ScalarType.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinta::io {

/// What the header of a .npy file says, for arrays in C order.
struct NpyHeader {
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;
};

/// The header's Python literal, padded as NumPy pads it: the same array gives the same file.
/// @throws ArgumentError on a dtype that NumPy lacks
std::string encode_npy_header(at::ScalarType type, at::IntArrayRef shape);

/// Parses the literal: a dict of descr, fortran_order and shape, each once, in any order.
/// @param origin offset of `text` within the file
/// @throws DataError with the byte offset
NpyHeader decode_npy_header(std::string_view text, const std::string& path, std::uint64_t origin);

}  // namespace tinta::io
