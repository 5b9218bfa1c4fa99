#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tinta::io {

/// [-1, 1] -> 0..255, rounded to nearest, clamped; any shape, any floating dtype. Not finite
/// becomes 0. @throws ArgumentError on a dtype that is not floating
at::Tensor to_bytes(const at::Tensor& images);
/// 0..255 -> [-1, 1] float32: x / 127.5 - 1. Undone by to_bytes. @throws ArgumentError unless uint8
at::Tensor from_bytes(const at::Tensor& images);

/// Arranges pictures in rows, two pixels of grey between them.
/// @param images  [N,C,H,W] uint8
/// @param columns pictures per row
/// @return [C, rows * (H + 2) + 2, columns * (W + 2) + 2] uint8; places without a picture are grey
/// @throws ArgumentError on another shape or dtype, no pictures, or columns below 1
at::Tensor grid(const at::Tensor& images, std::int64_t columns);

/// Columns that make N pictures of H x W nearly a square, as a grid; of equals, the widest.
/// @throws ArgumentError when an argument is below 1
std::int64_t square_columns(std::int64_t count, std::int64_t height, std::int64_t width);

}  // namespace tinta::io
