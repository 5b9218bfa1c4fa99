#pragma once

#include <vector>

#include "tinta/data/canvas.h"

namespace tinta::data {

/// An Andean condor (Vultur gryphus, male) seen from above in soaring flight: half its span is 1,
/// the middle of its back is the origin, its head points up (towards -y) and looks left.
/// @param place from the bird's units to the picture's
/// @return shapes in the order of painting
std::vector<Shape> condor_bird(const Affine& place);

}  // namespace tinta::data
