#include "tinta/figures/contours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

namespace tinta::figures {
namespace {

/// Sides of cells that a line crosses, each with the one or two sides that it comes from and goes
/// to.
class Crossings {
 public:
  Crossings(std::span<const double> values, std::int64_t width, double level)
      : values_(values), width_(width), level_(level) {}

  // A side is known by the lower of its two corners; those along a row are even.
  [[nodiscard]] std::int64_t along_row(std::int64_t row, std::int64_t column) const {
    return 2 * (row * width_ + column);
  }
  [[nodiscard]] std::int64_t along_column(std::int64_t row, std::int64_t column) const {
    return 2 * (row * width_ + column) + 1;
  }

  void join(std::int64_t a, std::int64_t b) {
    link(a, b);
    link(b, a);
  }

  [[nodiscard]] std::vector<std::vector<Point>> lines() {
    std::vector<std::vector<Point>> lines;
    // Open lines from one of their ends, and then what is left, which is closed.
    for (const std::int64_t side : order_) {
      if (sides_[side].count == 1 && !sides_[side].used) lines.push_back(walk(side));
    }
    for (const std::int64_t side : order_) {
      if (sides_[side].used) continue;
      lines.push_back(walk(side));
      lines.back().push_back(lines.back().front());
    }
    return lines;
  }

 private:
  struct Side {
    std::array<std::int64_t, 2> next{};
    std::size_t count = 0;
    bool used = false;
  };

  void link(std::int64_t from, std::int64_t to) {
    Side& side = sides_[from];
    if (side.count == 0) order_.push_back(from);
    side.next[side.count++] = to;
  }

  [[nodiscard]] Point place(std::int64_t side) const {
    const std::int64_t corner = side / 2, other = side % 2 == 0 ? corner + 1 : corner + width_;
    const double a = values_[static_cast<std::size_t>(corner)];
    const double b = values_[static_cast<std::size_t>(other)];
    const double share = (level_ - a) / (b - a);
    const auto row = static_cast<double>(corner / width_);
    const auto column = static_cast<double>(corner % width_);
    return side % 2 == 0 ? Point{column + share, row} : Point{column, row + share};
  }

  std::vector<Point> walk(std::int64_t side) {
    std::vector<Point> line;
    for (bool more = true; more;) {
      Side& here = sides_[side];
      here.used = true;
      line.push_back(place(side));
      more = false;
      for (std::size_t i = 0; i < here.count && !more; ++i) {
        if (sides_[here.next[i]].used) continue;
        side = here.next[i];
        more = true;
      }
    }
    return line;
  }

  std::span<const double> values_;
  std::int64_t width_;
  double level_;
  std::unordered_map<std::int64_t, Side> sides_;
  std::vector<std::int64_t> order_;  // in which they were found: the same lines every time
};

}  // namespace

std::vector<std::vector<Point>> contour_lines(std::span<const double> values, std::int64_t height,
                                              std::int64_t width, double level) {
  Crossings crossings(values, width, level);
  const auto value = [&](std::int64_t row, std::int64_t column) {
    return values[static_cast<std::size_t>(row * width + column)];
  };
  for (std::int64_t row = 0; row + 1 < height; ++row) {
    for (std::int64_t column = 0; column + 1 < width; ++column) {
      // Corners and sides run round the cell; side i lies between the corners i and i + 1.
      const std::array<double, 4> corners{value(row, column), value(row, column + 1),
                                          value(row + 1, column + 1), value(row + 1, column)};
      if (!std::all_of(corners.begin(), corners.end(), [](double c) { return std::isfinite(c); })) {
        continue;
      }
      const std::array<std::int64_t, 4> sides{
          crossings.along_row(row, column), crossings.along_column(row, column + 1),
          crossings.along_row(row + 1, column), crossings.along_column(row, column)};
      std::array<std::size_t, 4> crossed{};
      std::size_t count = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        if ((corners[i] >= level) != (corners[(i + 1) % 4] >= level)) crossed[count++] = i;
      }
      if (count == 2) crossings.join(sides[crossed[0]], sides[crossed[1]]);
      if (count == 4) {
        // A saddle: the mean of the corners says which two of them are joined.
        const double mean = (corners[0] + corners[1] + corners[2] + corners[3]) / 4;
        const std::size_t shift = (mean >= level) == (corners[0] >= level) ? 0 : 3;
        crossings.join(sides[shift % 4], sides[(shift + 1) % 4]);
        crossings.join(sides[(shift + 2) % 4], sides[(shift + 3) % 4]);
      }
    }
  }
  return crossings.lines();
}

}  // namespace tinta::figures
