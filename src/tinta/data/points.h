#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tinta::data {

/// Names of the 2-D point sets: moons, rings, swiss-roll, gaussians, checkerboard.
std::vector<std::string> point_set_names();

/// Draws a 2-D point set, standardised by its exact (not sampled) mean and largest standard
/// deviation, so that both coordinates are of order one. Point i depends on (seed, i) only.
/// @return [count,2] float32
/// @throws ArgumentError on an unknown name (nearest suggested) or count < 1
at::Tensor draw_points(const std::string& name, std::int64_t count, std::uint64_t seed);

}  // namespace tinta::data
