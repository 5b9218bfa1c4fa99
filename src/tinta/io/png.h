#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tinta/io/pixels.h"  // what goes into a picture

namespace tinta::io {

/// Encodes a picture.
/// @param image [C,H,W] uint8 on the CPU, C = 1 (grey) or 3 (RGB)
/// @param text  what made the picture, sorted by key: tEXt chunks, or iTXt where a value is not
///              ASCII. Keys are 1 to 79 printable ASCII characters with single spaces inside
/// @throws ArgumentError on another shape or dtype, a side of 0 or above 10^6, an unfit key or a
///         value with a zero byte
std::vector<std::byte> encode_png(const at::Tensor& image,
                                  const std::map<std::string, std::string>& text = {});

/// Decodes a PNG of any colour type and depth to [C,H,W] uint8, C = 1 or 3; alpha is blended on
/// white, palettes are expanded, 16 bits are reduced to 8.
/// @throws DataError with the byte offset when it is not a whole PNG, any chunk's CRC is wrong, a
///         side is above 10^6, or it has more than 2^28 pixels or than its data could unpack to
at::Tensor decode_png(std::span<const std::byte> bytes, const std::string& path);

/// The tEXt chunks and the uncompressed iTXt ones, as UTF-8; of equal keys, the first.
/// @throws DataError when it is not a whole PNG
std::map<std::string, std::string> png_text(std::span<const std::byte> bytes,
                                            const std::string& path);

}  // namespace tinta::io
