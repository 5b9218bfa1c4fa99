#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "tinta/figures/canvas.h"
#include "tinta/figures/figure.h"
#include "tinta/figures/ranges.h"

namespace tinta::figures {

/// From the values of an axis to points on the page.
class AxisView {
 public:
  /// @param from, to where the range's low and high end lie
  AxisView(Range range, Scale scale, double from, double to)
      : log_(scale == Scale::log),
        low_(inner(range.low)),
        per_unit_((to - from) / (inner(range.high) - inner(range.low))),
        from_(from),
        range_(range) {}

  /// NaN for a value that has no place: not finite, or not above zero on a logarithmic axis.
  [[nodiscard]] double at(double value) const {
    if (!std::isfinite(value) || (log_ && value <= 0)) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    // cairo's numbers end at 2^23.
    return std::clamp(from_ + (inner(value) - low_) * per_unit_, -1e5, 1e5);
  }
  /// As at(), but what is below everything lies at the low end, and infinity at the high one.
  [[nodiscard]] double at_least(double value) const {
    if (value == std::numeric_limits<double>::infinity()) return at(range_.high);
    if ((log_ && value <= 0) || value == -std::numeric_limits<double>::infinity()) {
      return at(range_.low);
    }
    return at(value);
  }
  /// Points for one unit of a linear axis, or of log10.
  [[nodiscard]] double per_unit() const { return per_unit_; }
  [[nodiscard]] bool linear() const { return !log_; }
  [[nodiscard]] const Range& range() const { return range_; }

 private:
  [[nodiscard]] double inner(double value) const { return log_ ? std::log10(value) : value; }

  bool log_;
  double low_, per_unit_, from_;
  Range range_;
};

/// Where a panel's data lie on the page.
struct View {
  Rect box;  ///< the plot area
  AxisView x, y;

  View(Rect where, const Ranges& ranges, const Panel& panel)
      : box(where),
        x(ranges.x, panel.x.scale, where.x, where.x + where.width),
        y(ranges.y, panel.y.scale, where.y + where.height, where.y) {}

  [[nodiscard]] Point at(double data_x, double data_y) const {
    return {x.at(data_x), y.at(data_y)};
  }
  [[nodiscard]] bool shows(Point place) const {
    constexpr double kSlack = 1e-6;
    return place.x >= box.x - kSlack && place.x <= box.x + box.width + kSlack &&
           place.y >= box.y - kSlack && place.y <= box.y + box.height + kSlack;
  }
};

}  // namespace tinta::figures
