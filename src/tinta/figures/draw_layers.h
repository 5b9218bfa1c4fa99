#pragma once

#include <cairo.h>

#include "tinta/figures/figure.h"
#include "tinta/figures/ranges.h"
#include "tinta/figures/text.h"
#include "tinta/figures/view.h"

namespace tinta::figures {

// Each draws one kind of layer of a checked figure. Only a note and a marker may reach over the
// plot area's edges.

void draw_line(cairo_t* context, const View& view, const Line& line);
void draw_band(cairo_t* context, const View& view, const Band& band);
void draw_markers(cairo_t* context, const View& view, const Markers& markers);
void draw_bars(cairo_t* context, const View& view, const Bars& bars);
void draw_arrows(cairo_t* context, const View& view, const Arrows& arrows);
/// @param colors the ends of the colours
void draw_heat_map(cairo_t* context, const View& view, const HeatMap& map, Range colors);
void draw_contours(cairo_t* context, const View& view, const Contours& contours);
void draw_picture(cairo_t* context, const View& view, const Picture& picture);
void draw_note(cairo_t* context, const View& view, const Note& note, const Fonts& fonts);

/// The colours of a map, the lowest at the foot.
void draw_ramp(cairo_t* context, const Rect& rect, ColorMap map);

}  // namespace tinta::figures
