#pragma once

#include <string>

#include "tinta/figures/figure.h"

namespace tinta::figures {

struct Range {
  double low = 0, high = 1;
};

struct Ranges {
  Range x, y;
};

/// What a panel's axes span: the ends that it names, and for the others its data's, with some air
/// beyond points and curves and none beyond grids and the foot of a histogram. Values that are not
/// finite, or not above zero on a logarithmic axis, do not count.
/// @param where names the panel in messages
/// @throws ArgumentError when no value counts
Ranges ranges_of(const Panel& panel, const std::string& where);

/// The finite ends of a heat map's colours; the diverging map's are opposite.
/// @throws ArgumentError when no value is finite
Range color_range(const HeatMap& map, const std::string& where);

}  // namespace tinta::figures
