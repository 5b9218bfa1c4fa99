#include "tinta/figures/draw_legend.h"

#include <algorithm>

#include "tinta/figures/pen.h"

namespace tinta::figures {
namespace {

/// Draws a sample of a layer.
struct Swatch {
  cairo_t* context;
  Rect at;

  [[nodiscard]] Point middle() const { return {at.x + at.width / 2, at.y + at.height / 2}; }

  // White shows on what it was chosen for, not on the legend.
  static Style shown(Style style) {
    if (style.color == -3) style.color = -2;
    return style;
  }

  void stroke(const Style& style) const {
    set_pen(context, shown(style));
    cairo_move_to(context, at.x, middle().y);
    cairo_line_to(context, at.x + at.width, middle().y);
    cairo_stroke(context);
  }
  void fill(const Style& style) const {
    set_pen(context, shown(style));
    add_rectangle(context, {at.x, middle().y - 3, at.width, 6});
    cairo_fill(context);
  }

  void operator()(const Line& line) const { stroke(line.style); }
  void operator()(const Band& band) const { fill(band.style); }
  void operator()(const Bars& bars) const { fill(bars.style); }
  void operator()(const Markers& markers) const {
    Style style = shown(markers.style);
    style.dash = Dash::solid;
    // In a cloud of pale points each adds to the others; alone it would hardly be seen.
    style.opacity = std::max(style.opacity, 0.7);
    set_pen(context, style);
    draw_marker(context, middle(), std::clamp(markers.size, 2.5, 6.0), markers.marker);
  }
  void operator()(const Arrows& arrows) const {
    set_pen(context, shown(arrows.style));
    draw_arrow(context, {at.x, middle().y}, {at.x + at.width, middle().y});
  }
  template <class Other>
  void operator()(const Other&) const {}
};

Point corner_of(Legend place, const Rect& box, const Size& size, double right) {
  const double far_x = box.x + box.width - size.width - kLegendInset;
  const double far_y = box.y + box.height - size.height - kLegendInset;
  const double near_x = box.x + kLegendInset, near_y = box.y + kLegendInset;
  switch (place) {
    case Legend::upper_left:
      return {near_x, near_y};
    case Legend::lower_right:
      return {far_x, far_y};
    case Legend::lower_left:
      return {near_x, far_y};
    case Legend::outside:
      return {right + kBarGap, box.y};
    case Legend::upper_right:
    case Legend::none:
      break;
  }
  return {far_x, near_y};
}

}  // namespace

void draw_legend(cairo_t* context, const PanelLayout& layout, const Rect& box, double right) {
  const LegendBox& legend = layout.legend;
  if (legend.rows.empty()) return;
  const Point corner = corner_of(layout.panel->legend, box, legend.size, right);
  const Saved saved(context);
  if (layout.panel->legend != Legend::outside) {
    add_rectangle(context, {corner.x, corner.y, legend.size.width, legend.size.height});
    set_color(context, {1, 1, 1}, 0.85);
    cairo_fill_preserve(context);
    set_color(context, {0.8, 0.8, 0.8});
    cairo_set_line_width(context, 0.5);
    cairo_stroke(context);
  }
  double y = corner.y + 0.6 * kLegendInset;
  for (const LegendRow& row : legend.rows) {
    const Rect swatch{corner.x + kLegendInset, y, kSwatch, legend.row_height};
    for (const Layer* layer : row.layers) std::visit(Swatch{context, swatch}, *layer);
    set_color(context, kBlack);
    row.text.draw(
        context,
        {swatch.x + kSwatch + kLegendInset, y + legend.row_height / 2 - row.text.height() / 2},
        Across::left, Down::top);
    y += legend.row_height;
  }
}

}  // namespace tinta::figures
