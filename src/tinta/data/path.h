#pragma once

#include <span>
#include <vector>

namespace tinta::data {

/// A point or vector of the drawing plane: x to the right, y downwards. Units are the drawing's
/// own.
struct Point {
  double x = 0;
  double y = 0;

  friend constexpr bool operator==(const Point&, const Point&) = default;
  friend constexpr Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend constexpr Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend constexpr Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
};

/// A polyline; closed or open as its user takes it.
using Path = std::vector<Point>;

/// The smallest upright rectangle around a path.
struct Box {
  Point low;
  Point high;

  [[nodiscard]] constexpr Point centre() const { return 0.5 * (low + high); }
};

/// @param path at least one point
Box bounding_box(std::span<const Point> path);

/// A cubic curve through `knots`, as a polyline: uniform Catmull-Rom, so that the tangent at a knot
/// is half the chord between its neighbours. A knot given twice is a corner. An open curve.
/// Source: Catmull and Rom 1974, "A class of local interpolating splines".
/// @param knots at least two
/// @param parts straight pieces per span, at least 1
Path smooth(std::span<const Point> knots, int parts);

/// x -> linear * x + shift.
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1;  ///< rows of the linear part
  Point shift;

  [[nodiscard]] constexpr Point operator()(Point p) const {
    return {xx * p.x + xy * p.y + shift.x, yx * p.x + yy * p.y + shift.y};
  }
  [[nodiscard]] Path operator()(std::span<const Point> path) const;

  /// This map after `first`.
  [[nodiscard]] constexpr Affine after(const Affine& first) const {
    return {xx * first.xx + xy * first.yx, xx * first.xy + xy * first.yy,
            yx * first.xx + yy * first.yx, yx * first.xy + yy * first.yy, (*this)(first.shift)};
  }

  /// @param angle radians, from +x towards +y: clockwise as seen, since y points down
  static Affine rotation(double angle);
  static constexpr Affine scale(double x, double y) { return {x, 0, 0, y, {}}; }
  static constexpr Affine translation(Point by) { return {1, 0, 0, 1, by}; }
};

}  // namespace tinta::data
