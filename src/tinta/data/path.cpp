#include "tinta/data/path.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tinta::data {

Box bounding_box(std::span<const Point> path) {
  Box box{path.front(), path.front()};
  for (const Point& p : path) {
    box.low = {std::min(box.low.x, p.x), std::min(box.low.y, p.y)};
    box.high = {std::max(box.high.x, p.x), std::max(box.high.y, p.y)};
  }
  return box;
}

Path smooth(std::span<const Point> knots, int parts) {
  const std::size_t last = knots.size() - 1;
  Path path{knots.front()};
  path.reserve(1 + last * static_cast<std::size_t>(parts));
  for (std::size_t i = 0; i < last; ++i) {
    const Point a = knots[i], b = knots[i + 1];
    if (a == b) continue;
    const Point tangent_a = 0.5 * (b - knots[i == 0 ? 0 : i - 1]);
    const Point tangent_b = 0.5 * (knots[std::min(i + 2, last)] - a);
    for (int part = 1; part <= parts; ++part) {
      const double t = static_cast<double>(part) / parts;
      const double s = 1 - t;
      // The cubic Hermite basis.
      path.push_back(s * s * (1 + 2 * t) * a + t * t * (3 - 2 * t) * b + t * s * s * tangent_a +
                     -t * t * s * tangent_b);
    }
  }
  return path;
}

Path Affine::operator()(std::span<const Point> path) const {
  Path out(path.size());
  std::transform(path.begin(), path.end(), out.begin(), [this](Point p) { return (*this)(p); });
  return out;
}

Affine Affine::rotation(double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  return {c, -s, s, c, {}};
}

}  // namespace tinta::data
