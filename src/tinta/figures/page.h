#pragma once

#include <cairo.h>

#include <vector>

#include "tinta/figures/layout.h"

namespace tinta::figures {

/// A figure ready to be drawn. Refers to the figure, which must live longer.
struct Page {
  Size size{};
  Text title{};
  std::vector<PanelLayout> panels{};
  std::vector<Point> corners{};  ///< of the plot areas, upper left
};

/// Panels of a row share their plot areas' heights, those of a column their widths.
/// @throws ArgumentError as check() and lay_out() do
Page page_of(const Figure& figure);

void draw_page(cairo_t* context, const Page& page);

}  // namespace tinta::figures
