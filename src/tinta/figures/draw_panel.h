#pragma once

#include <cairo.h>

#include "tinta/figures/layout.h"

namespace tinta::figures {

/// Draws a panel with its axes, texts, legend and insets.
/// @param corner where the upper left corner of its plot area lies
void draw_panel(cairo_t* context, const PanelLayout& layout, Point corner);

}  // namespace tinta::figures
