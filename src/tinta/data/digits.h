#pragma once

#include <span>
#include <vector>

#include "tinta/data/path.h"

namespace tinta::data {

/// One way of writing a digit: pen strokes, each the knots of a smooth() curve (a knot given twice
/// is a corner), in a box about 0.65 wide and 1 high.
using DigitDesign = std::vector<Path>;

/// The ways of writing a digit, at least two.
/// @param digit 0 to 9
std::span<const DigitDesign> digit_designs(int digit);

}  // namespace tinta::data
