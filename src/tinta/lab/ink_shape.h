#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tinta::lab {

/// The glass of the row ink-drop: 0 <= x <= 1, 0 <= y <= kGlassHeight.
inline constexpr double kGlassHeight = 1.25;
/// No particle of ink_drop_points() is nearer to a wall.
inline constexpr double kInkMargin = 0.23;

/// A drop of ink that has just sunk into the water (what thesis fig. 1.1 shows): a stem, a cap
/// whose rims have rolled up, and fingers below it. Particle i depends on (seed, i) alone.
/// @return [count,2] float32
at::Tensor ink_drop_points(std::int64_t count, std::uint64_t seed);

}  // namespace tinta::lab
