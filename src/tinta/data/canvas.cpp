#include "tinta/data/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace tinta::data {
namespace {

constexpr int kLines = 16;  // per row of pixels

/// Where an outline crosses a horizontal line, and which way.
struct Crossing {
  double x;
  int winding;
};

void find_crossings(const Path& outline, double y, std::vector<Crossing>& out) {
  out.clear();
  Point a = outline.back();
  for (const Point b : outline) {
    // Half-open in y, so that a corner on the line counts once.
    if ((a.y <= y) != (b.y <= y)) {
      out.push_back({a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x), a.y <= y ? 1 : -1});
    }
    a = b;
  }
  std::sort(out.begin(), out.end(), [](const Crossing& l, const Crossing& r) { return l.x < r.x; });
}

/// Adds weight times the covered share of each pixel between `left` and `right`.
void add_span(double left, double right, float weight, std::span<float> coverage) {
  const auto width = static_cast<double>(coverage.size());
  left = std::clamp(left, 0.0, width);
  right = std::clamp(right, 0.0, width);
  if (left >= right) return;
  const auto first = static_cast<std::size_t>(left);
  const auto last = std::min(static_cast<std::size_t>(right), coverage.size() - 1);
  for (std::size_t i = first; i <= last; ++i) {
    const double covered =
        std::min(right, static_cast<double>(i + 1)) - std::max(left, static_cast<double>(i));
    coverage[i] += weight * static_cast<float>(covered);
  }
}

void cover_row(const Path& outline, std::int64_t row, std::vector<Crossing>& crossings,
               std::span<float> coverage) {
  std::fill(coverage.begin(), coverage.end(), 0.0F);
  for (int line = 0; line < kLines; ++line) {
    find_crossings(outline, static_cast<double>(row) + (line + 0.5) / kLines, crossings);
    int winding = 0;
    for (std::size_t i = 0; i + 1 < crossings.size(); ++i) {
      winding += crossings[i].winding;
      if (winding != 0) add_span(crossings[i].x, crossings[i + 1].x, 1.0F / kLines, coverage);
    }
  }
}

}  // namespace

Color Paint::at(Point p) const {
  const Point along = to - from, offset = p - from;
  const double share =
      (offset.x * along.x + offset.y * along.y) / (along.x * along.x + along.y * along.y);
  return mix(first, second, static_cast<float>(std::clamp(share, 0.0, 1.0)));
}

Renderer::Renderer(Drawing drawing, double units_per_pixel, Point origin, std::int64_t width)
    : drawing_(std::move(drawing)),
      units_per_pixel_(units_per_pixel),
      origin_(origin),
      width_(width) {
  const Affine to_pixels = Affine::scale(1 / units_per_pixel, 1 / units_per_pixel)
                               .after(Affine::translation(-1 * origin));
  for (const Shape& shape : drawing_.shapes) {
    Path outline = to_pixels(shape.outline);
    const Box box = bounding_box(outline);
    placed_.push_back({std::move(outline), box});
  }
}

Point Renderer::plane(double x, double y) const { return origin_ + units_per_pixel_ * Point{x, y}; }

void Renderer::draw_row(std::int64_t row, std::span<Color> out) const {
  const auto top = static_cast<double>(row);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = drawing_.backdrop(plane(static_cast<double>(i) + 0.5, top + 0.5));
  }
  std::vector<float> coverage(static_cast<std::size_t>(width_));
  std::vector<Crossing> crossings;
  for (std::size_t s = 0; s < placed_.size(); ++s) {
    const Box& box = placed_[s].box;
    if (box.high.y <= top || box.low.y >= top + 1) continue;
    cover_row(placed_[s].outline, row, crossings, coverage);
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (coverage[i] <= 0) continue;
      const Color color =
          drawing_.shapes[s].paint.at(plane(static_cast<double>(i) + 0.5, top + 0.5));
      out[i] = mix(out[i], color, std::min(coverage[i], 1.0F));
    }
  }
}

}  // namespace tinta::data
