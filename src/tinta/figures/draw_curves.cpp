#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "tinta/figures/draw_layers.h"
#include "tinta/figures/pen.h"

namespace tinta::figures {
namespace {

// Points nearer than this to the last one do not show: long curves stay small files.
constexpr double kNoticeable = 0.05;
// More markers than this become one picture in a vector drawing.
constexpr std::size_t kManyMarkers = 3000;
constexpr double kPictureScale = 5;  // pixels per point: 360 dots per inch

bool drawable(Point place) { return !std::isnan(place.x) && !std::isnan(place.y); }

bool apart(Point a, Point b) {
  return std::abs(a.x - b.x) > kNoticeable || std::abs(a.y - b.y) > kNoticeable;
}

void clip(cairo_t* context, const Rect& box) {
  add_rectangle(context, box);
  cairo_clip(context);
}

void draw_error_bars(cairo_t* context, const View& view, const Markers& markers) {
  Style style = markers.style;
  style.dash = Dash::solid;
  style.width = std::min(style.width, 0.8);
  set_pen(context, style);
  const double cap = std::max(0.6 * markers.size, 1.5);
  for (std::size_t i = 0; i < markers.error.size(); ++i) {
    const double x = view.x.at(markers.x[i]);
    const double error = markers.error[i];
    if (!std::isfinite(markers.y[i]) || !std::isfinite(error) || std::isnan(x)) continue;
    const double low = view.y.at_least(markers.y[i] - error);
    const double high = view.y.at_least(markers.y[i] + error);
    cairo_move_to(context, x, low);
    cairo_line_to(context, x, high);
    for (const double end : {low, high}) {
      cairo_move_to(context, x - cap, end);
      cairo_line_to(context, x + cap, end);
    }
  }
  cairo_stroke(context);
}

void draw_points(cairo_t* context, const View& view, const Markers& markers) {
  Style style = markers.style;
  style.dash = Dash::solid;
  set_pen(context, style);
  for (std::size_t i = 0; i < markers.x.size(); ++i) {
    const Point place = view.at(markers.x[i], markers.y[i]);
    if (drawable(place) && view.shows(place)) {
      draw_marker(context, place, markers.size, markers.marker);
    }
  }
}

// A picture of the points, as wide as the plot area and their size around it.
void draw_points_as_picture(cairo_t* context, const View& view, const Markers& markers) {
  const double around = markers.size + markers.style.width;
  const double width = view.box.width + 2 * around, height = view.box.height + 2 * around;
  cairo_surface_t* picture = cairo_image_surface_create(
      CAIRO_FORMAT_ARGB32, static_cast<int>(std::ceil(width * kPictureScale)),
      static_cast<int>(std::ceil(height * kPictureScale)));
  cairo_t* inner = cairo_create(picture);
  cairo_scale(inner, kPictureScale, kPictureScale);
  cairo_translate(inner, around - view.box.x, around - view.box.y);
  draw_points(inner, view, markers);
  cairo_destroy(inner);
  const Saved saved(context);
  cairo_translate(context, view.box.x - around, view.box.y - around);
  cairo_scale(context, 1 / kPictureScale, 1 / kPictureScale);
  cairo_set_source_surface(context, picture, 0, 0);
  cairo_paint(context);
  cairo_surface_destroy(picture);
}

// A length in points that arrows have room for: the distance of neighbours on a regular grid.
double spacing(const std::vector<Point>& tails) {
  Point low{1e9, 1e9}, high{-1e9, -1e9};
  for (const Point& tail : tails) {
    low = {std::min(low.x, tail.x), std::min(low.y, tail.y)};
    high = {std::max(high.x, tail.x), std::max(high.y, tail.y)};
  }
  const double n = static_cast<double>(tails.size());
  const double width = high.x - low.x, height = high.y - low.y;
  if (n < 2) return 30;
  if (width * height < 1) return std::max(width, height) / (n - 1);
  // n = (width / s + 1) (height / s + 1), solved for the spacing s.
  const double sum = width + height;
  return (sum + std::sqrt(sum * sum + 4 * (n - 1) * width * height)) / (2 * (n - 1));
}

}  // namespace

void draw_line(cairo_t* context, const View& view, const Line& line) {
  const Saved saved(context);
  clip(context, view.box);
  set_pen(context, line.style);
  std::optional<Point> last;
  for (std::size_t i = 0; i < line.x.size(); ++i) {
    const Point place = view.at(line.x[i], line.y[i]);
    if (!drawable(place)) {
      last.reset();
    } else if (!last) {
      cairo_move_to(context, place.x, place.y);
      last = place;
    } else if (i + 1 == line.x.size() || apart(place, *last)) {
      cairo_line_to(context, place.x, place.y);
      last = place;
    }
  }
  cairo_stroke(context);
}

void draw_band(cairo_t* context, const View& view, const Band& band) {
  const Saved saved(context);
  clip(context, view.box);
  set_pen(context, band.style);
  std::vector<Point> upper, lower;
  const auto fill = [&] {
    for (const Point& place : lower) cairo_line_to(context, place.x, place.y);
    for (auto it = upper.rbegin(); it != upper.rend(); ++it) cairo_line_to(context, it->x, it->y);
    if (!lower.empty()) cairo_close_path(context);
    cairo_fill(context);
    upper.clear();
    lower.clear();
  };
  for (std::size_t i = 0; i < band.x.size(); ++i) {
    const double x = view.x.at(band.x[i]);
    const Point low{x, view.y.at_least(band.low[i])}, high{x, view.y.at_least(band.high[i])};
    if (!drawable(low) || !drawable(high)) {
      fill();
    } else {
      lower.push_back(low);
      upper.push_back(high);
    }
  }
  fill();
}

void draw_markers(cairo_t* context, const View& view, const Markers& markers) {
  const Saved saved(context);
  if (!markers.error.empty()) {
    const Saved clipped(context);
    clip(context, view.box);
    draw_error_bars(context, view, markers);
  }
  if (is_vector(context) && markers.x.size() > kManyMarkers) {
    draw_points_as_picture(context, view, markers);
  } else {
    draw_points(context, view, markers);
  }
}

void draw_bars(cairo_t* context, const View& view, const Bars& bars) {
  const Saved saved(context);
  clip(context, view.box);
  const double foot = view.y.at_least(0);
  const auto outline = [&] {
    double last = foot;
    for (std::size_t i = 0; i < bars.heights.size(); ++i) {
      const double left = view.x.at_least(bars.edges[i]);
      const double right = view.x.at_least(bars.edges[i + 1]);
      const double top = std::isnan(bars.heights[i]) ? foot : view.y.at_least(bars.heights[i]);
      if (i == 0) cairo_move_to(context, left, foot);
      if (top != last || i == 0) cairo_line_to(context, left, top);
      cairo_line_to(context, right, top);
      last = top;
      if (i + 1 == bars.heights.size()) cairo_line_to(context, right, foot);
    }
  };
  // One area, not one for each bar: between them no hairlines show.
  set_pen(context, bars.style);
  outline();
  cairo_fill(context);
  Style edge = bars.style;
  edge.opacity = std::min(1.0, edge.opacity + 0.4);
  edge.width = std::min(edge.width, 0.8);
  set_pen(context, edge);
  outline();
  cairo_stroke(context);
}

void draw_arrows(cairo_t* context, const View& view, const Arrows& arrows) {
  std::vector<Point> tails, steps;
  double longest = 0;
  for (std::size_t i = 0; i < arrows.x.size(); ++i) {
    const Point tail = view.at(arrows.x[i], arrows.y[i]);
    // Along the axes as they lie on the page, so that arrows touch the curves that follow them.
    const Point step{arrows.u[i] * std::abs(view.x.per_unit()),
                     -arrows.v[i] * std::abs(view.y.per_unit())};
    const double length = std::hypot(step.x, step.y);
    if (!drawable(tail) || !std::isfinite(length)) continue;
    tails.push_back(tail);
    steps.push_back(step);
    longest = std::max(longest, length);
  }
  if (!(longest > 0)) return;
  const Saved saved(context);
  clip(context, view.box);
  set_pen(context, arrows.style);
  const double scale = spacing(tails) / longest;
  for (std::size_t i = 0; i < tails.size(); ++i) {
    const Point half{0.5 * scale * steps[i].x, 0.5 * scale * steps[i].y};
    // Centred, so that arrows at the edges stay inside.
    draw_arrow(context, {tails[i].x - half.x, tails[i].y - half.y},
               {tails[i].x + half.x, tails[i].y + half.y});
  }
}

}  // namespace tinta::figures
