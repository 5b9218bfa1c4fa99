#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>
#include <string>

namespace tinta::io {

/// Decodes a PNG, JPEG or WebP picture, known by its first bytes: [C,H,W] uint8, C = 1 (grey) or 3;
/// alpha is blended on white.
/// @throws DataError naming the format that was found, and where, when it is none of them or is not
///         whole, as decode_png() does
at::Tensor decode_image(std::span<const std::byte> bytes, const std::string& path);

/// Scales a picture, antialiased (bicubic). @param image [C,H,W] uint8 @return [C,height,width]
/// @throws ArgumentError on another shape or dtype, or sides below 1
at::Tensor resize(const at::Tensor& image, std::int64_t height, std::int64_t width);

}  // namespace tinta::io
