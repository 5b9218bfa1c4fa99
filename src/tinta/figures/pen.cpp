#include "tinta/figures/pen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace tinta::figures {

void set_color(cairo_t* context, const Rgb& color, double opacity) {
  cairo_set_source_rgba(context, color.r, color.g, color.b, opacity);
}

void set_pen(cairo_t* context, const Style& style) {
  set_color(context, palette(style.color), style.opacity);
  cairo_set_line_width(context, style.width);
  cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(context, CAIRO_LINE_CAP_BUTT);
  constexpr std::array<double, 2> kDashed{4, 2}, kDotted{0.01, 2};
  const double unit = std::max(style.width, 0.8);
  switch (style.dash) {
    case Dash::solid:
      cairo_set_dash(context, nullptr, 0, 0);
      break;
    case Dash::dashed: {
      const std::array<double, 2> dashes{kDashed[0] * unit, kDashed[1] * unit};
      cairo_set_dash(context, dashes.data(), 2, 0);
      break;
    }
    case Dash::dotted: {
      const std::array<double, 2> dashes{kDotted[0], kDotted[1] * unit};
      cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND);
      cairo_set_dash(context, dashes.data(), 2, 0);
      break;
    }
  }
}

void add_rectangle(cairo_t* context, const Rect& rect) {
  cairo_rectangle(context, rect.x, rect.y, rect.width, rect.height);
}

void draw_marker(cairo_t* context, Point center, double size, Marker marker) {
  const double half = size / 2;
  cairo_new_path(context);
  switch (marker) {
    case Marker::circle:
      cairo_arc(context, center.x, center.y, half, 0, 2 * std::numbers::pi);
      break;
    case Marker::square:
      add_rectangle(context,
                    {center.x - 0.9 * half, center.y - 0.9 * half, 1.8 * half, 1.8 * half});
      break;
    case Marker::triangle:
      cairo_move_to(context, center.x, center.y - 1.2 * half);
      cairo_line_to(context, center.x + 1.1 * half, center.y + 0.8 * half);
      cairo_line_to(context, center.x - 1.1 * half, center.y + 0.8 * half);
      cairo_close_path(context);
      break;
    case Marker::cross:
      cairo_move_to(context, center.x - half, center.y - half);
      cairo_line_to(context, center.x + half, center.y + half);
      cairo_move_to(context, center.x - half, center.y + half);
      cairo_line_to(context, center.x + half, center.y - half);
      cairo_stroke(context);
      return;
  }
  cairo_fill(context);
}

void draw_arrow(cairo_t* context, Point tail, Point tip) {
  const double dx = tip.x - tail.x, dy = tip.y - tail.y, length = std::hypot(dx, dy);
  if (!(length > 1e-3)) return;
  const double head = std::min(0.45 * length, 4.0), half = 0.38 * head;
  const Point neck{tip.x - dx / length * head, tip.y - dy / length * head};
  const Point side{-dy / length * half, dx / length * half};
  cairo_new_path(context);
  cairo_move_to(context, tail.x, tail.y);
  cairo_line_to(context, neck.x, neck.y);
  cairo_stroke(context);
  cairo_move_to(context, tip.x, tip.y);
  cairo_line_to(context, neck.x + side.x, neck.y + side.y);
  cairo_line_to(context, neck.x - side.x, neck.y - side.y);
  cairo_close_path(context);
  cairo_fill(context);
}

}  // namespace tinta::figures
