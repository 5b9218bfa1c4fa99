#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tinta/figures/canvas.h"

namespace tinta::figures {

/// Lines along which a grid, linear along its cells' sides, has one value (marching squares).
/// @param values [height * width], rows first; cells with a value that is not finite have no line
/// @return lines through points x = column, y = row; a closed one ends where it begins
std::vector<std::vector<Point>> contour_lines(std::span<const double> values, std::int64_t height,
                                              std::int64_t width, double level);

}  // namespace tinta::figures
