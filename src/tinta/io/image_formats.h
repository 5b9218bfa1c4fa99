#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

// Decoders of single formats behind decode_image(): [C,H,W] uint8, DataError as it says.

namespace tinta::io {

/// Refuses a picture of a side above 10^6 or of more than 2^28 pixels, before memory is taken.
void check_picture_size(std::uint64_t width, std::uint64_t height, const std::string& path);

/// A JPEG: grey or RGB, CMYK and YCCK as RGB by naive multiplication, turned as its EXIF
/// orientation says.
at::Tensor decode_jpeg(std::span<const std::byte> bytes, const std::string& path);

/// A still WebP; of an animation none. Alpha is blended on white.
at::Tensor decode_webp(std::span<const std::byte> bytes, const std::string& path);

/// The EXIF orientation of a TIFF block as it lies behind "Exif\0\0": 1 to 8; 1 where none is said
/// or the block is not whole, as pictures are shown all the same.
int exif_orientation(std::span<const std::byte> tiff);

/// Turns and mirrors a picture upright. @param image [C,H,W] @param orientation 1 to 8
at::Tensor upright(const at::Tensor& image, int orientation);

}  // namespace tinta::io
