#pragma once

#include <cstdint>
#include <span>

namespace tinta::data {

/// Draws one handwritten digit, white on black; see draw_glyphs.
/// @param index the digit is index % 10; below 2^56
/// @param size  side in pixels
/// @param out   size * size bytes, row by row
void draw_glyph(std::uint64_t seed, std::uint64_t index, std::int64_t size,
                std::span<std::uint8_t> out);

}  // namespace tinta::data
