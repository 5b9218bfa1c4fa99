#pragma once

#include <cstdint>

#include "tinta/data/dataset.h"

namespace tinta::data {

struct GlyphOptions {
  std::int64_t count = 20000;  ///< at least 1
  std::int64_t size = 28;      ///< side in pixels, 8 to 512
  std::uint64_t seed = 0;
  std::uint64_t first = 0;  ///< index of the first picture: glyph i depends on (seed, i) alone
};

/// Digits 0-9, white on black, drawn from strokes (lines and arcs of our own) with random rotation,
/// scale, shear, shift, elastic change and thickness, antialiased. Picture i is digit i % 10, so
/// that the classes are balanced, and depends on (seed, i) only.
/// @return [count,1,size,size], 10 classes
/// @throws ArgumentError
Dataset draw_glyphs(const GlyphOptions& options);

}  // namespace tinta::data
