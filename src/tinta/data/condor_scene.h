#pragma once

#include "tinta/data/canvas.h"

namespace tinta::data {

/// The evening around the condor. The unit square is the picture of equal sides; sky and mountains
/// go on beyond it, for pictures of other proportions.

/// Sky, sun and streaks of cloud at a point.
Color dusk_sky(Point p);

/// Three ranges, the far ones in haze, the middle one with snow.
/// @param left, right  where the ranges begin and end
/// @param bottom       how far down they reach
std::vector<Shape> mountains(double left, double right, double bottom);

}  // namespace tinta::data
