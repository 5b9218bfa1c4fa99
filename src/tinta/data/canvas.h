#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tinta/data/path.h"

namespace tinta::data {

/// Red, green, blue in 0..1, as displayed (not linear light).
using Color = std::array<float, 3>;

/// A colour from its usual name: rgb(0xFF8000) is orange.
constexpr Color rgb(std::uint32_t hex) {
  return {static_cast<float>(hex >> 16 & 0xFF) / 255.0F,
          static_cast<float>(hex >> 8 & 0xFF) / 255.0F, static_cast<float>(hex & 0xFF) / 255.0F};
}

/// a at share 0, b at share 1.
constexpr Color mix(const Color& a, const Color& b, float share) {
  return {a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])};
}

/// A linear gradient: `first` before and at `from`, `second` at and after `to`.
struct Paint {
  Color first{};
  Color second{};
  Point from{0, 0};
  Point to{0, 1};

  /// One colour everywhere.
  static Paint flat(const Color& color) { return {.first = color, .second = color}; }
  [[nodiscard]] Color at(Point p) const;
};

/// A closed outline (its last point joins its first) filled by the non-zero winding rule.
struct Shape {
  Path outline;
  Paint paint;
};

/// A drawing: shapes in the order they are painted, over a backdrop, in the plane's own units.
struct Drawing {
  std::function<Color(Point)> backdrop;
  std::vector<Shape> shapes;
};

/// Draws rows of pixels with antialiasing: the share of a pixel that a shape covers is exact across
/// and the mean of 16 lines down. Rows are independent of each other, so that any split of them
/// over threads gives the same bytes.
class Renderer {
 public:
  /// @param units_per_pixel side of a pixel in the plane's units
  /// @param origin          the upper left corner of the picture
  Renderer(Drawing drawing, double units_per_pixel, Point origin, std::int64_t width);

  /// @param row counted from the top
  /// @param out width colours
  void draw_row(std::int64_t row, std::span<Color> out) const;

 private:
  struct Placed {
    Path outline;  // in pixels
    Box box;
  };

  [[nodiscard]] Point plane(double x, double y) const;

  Drawing drawing_;
  std::vector<Placed> placed_;
  double units_per_pixel_;
  Point origin_;
  std::int64_t width_;
};

}  // namespace tinta::data
