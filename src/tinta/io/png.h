#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace tinta::io {

/// Encodes a picture.
/// @param image [C,H,W] uint8 on the CPU, C = 1 (grey) or 3 (RGB)
/// @param text  written into tEXt chunks, sorted by key: what made the picture
/// @throws ArgumentError on another shape or dtype
std::vector<std::byte> encode_png(const at::Tensor& image,
                                  const std::map<std::string, std::string>& text = {});

/// Decodes a PNG of any colour type and depth to [C,H,W] uint8, C = 1 or 3; alpha is blended on
/// white, palettes are expanded, 16 bits are reduced to 8.
/// @throws DataError when it is not a whole PNG or larger than 2^28 pixels
at::Tensor decode_png(std::span<const std::byte> bytes, const std::string& path);

/// The tEXt chunks. @throws DataError
std::map<std::string, std::string> png_text(std::span<const std::byte> bytes,
                                            const std::string& path);

/// [-1, 1] -> 0..255, rounded to nearest, clamped; any shape. Not finite becomes 0.
at::Tensor to_bytes(const at::Tensor& images);
/// 0..255 -> [-1, 1] float32: x / 127.5 - 1.
at::Tensor from_bytes(const at::Tensor& images);

/// Arranges pictures in rows, two pixels of grey between them.
/// @param images  [N,C,H,W] uint8
/// @param columns pictures per row
/// @return [C, rows * (H + 2) + 2, columns * (W + 2) + 2] uint8
at::Tensor grid(const at::Tensor& images, std::int64_t columns);

/// Columns that make N pictures of H x W nearly a square, as a grid.
std::int64_t square_columns(std::int64_t count, std::int64_t height, std::int64_t width);

}  // namespace tinta::io
