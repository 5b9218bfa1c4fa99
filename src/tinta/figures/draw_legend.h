#pragma once

#include <cairo.h>

#include "tinta/figures/layout.h"

namespace tinta::figures {

/// @param box the panel's plot area @param right where what lies right of it ends
void draw_legend(cairo_t* context, const PanelLayout& layout, const Rect& box, double right);

}  // namespace tinta::figures
