#include "tinta/figures/ranges.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tinta/core/error.h"

namespace tinta::figures {
namespace {

constexpr double kAir = 0.04;  // of the data's span, beyond each end
constexpr double kNever = std::numeric_limits<double>::infinity();

/// Gathers what one axis must show.
class Span {
 public:
  explicit Span(const Axis& axis) : log_(axis.scale == Scale::log) {}

  /// A value that wants air beyond it.
  void add(double value) {
    if (counts(value)) loose_ = {std::min(loose_.low, value), std::max(loose_.high, value)};
  }
  /// A value at which the axis may end.
  void add_edge(double value) {
    if (counts(value)) tight_ = {std::min(tight_.low, value), std::max(tight_.high, value)};
  }
  void add(const std::vector<double>& values) {
    for (const double value : values) add(value);
  }
  [[nodiscard]] bool log() const { return log_; }

  [[nodiscard]] Range range(const Axis& axis, const std::string& where, const char* name) const {
    double low = axis.low ? *axis.low : std::min(loose_.low, tight_.low);
    double high = axis.high ? *axis.high : std::max(loose_.high, tight_.high);
    if (!std::isfinite(low) || !std::isfinite(high)) {
      throw ArgumentError("[figures] " + where + ": expected a finite value" +
                          (log_ ? " above zero" : "") + " on the " + (log_ ? "logarithmic " : "") +
                          name + " axis, got none");
    }
    const Range widened = widen({low, high}, axis);
    const double from = inner(widened.low), to = inner(widened.high);
    const double air = kAir * (to - from);
    const bool airy_low = !axis.low && loose_.low < tight_.low;
    const bool airy_high = !axis.high && loose_.high > tight_.high;
    return {airy_low ? outer(from - air) : widened.low, airy_high ? outer(to + air) : widened.high};
  }

 private:
  [[nodiscard]] bool counts(double value) const {
    return std::isfinite(value) && (!log_ || value > 0);
  }
  [[nodiscard]] double inner(double value) const { return log_ ? std::log10(value) : value; }
  [[nodiscard]] double outer(double value) const { return log_ ? std::pow(10, value) : value; }

  // An axis of one value, or of ends that data do not reach, still has a length. The ends that the
  // panel names stay.
  [[nodiscard]] Range widen(Range range, const Axis& axis) const {
    const double from = inner(range.low), to = inner(range.high);
    // Below this a double has no digits left for the marks between.
    const double least = 1e-10 * std::max(std::abs(from), std::abs(to));
    if (to - from > least) return range;
    const double step = log_ || from == 0 ? 0.5 : 0.5 * std::abs(from);
    if (axis.low && !axis.high) return {range.low, outer(from + 2 * step)};
    if (axis.high && !axis.low) return {outer(to - 2 * step), range.high};
    if (axis.low && axis.high) return range;
    return {outer(from - step), outer(to + step)};
  }

  bool log_;
  Range loose_{kNever, -kNever}, tight_{kNever, -kNever};
};

/// Tells both axes what a layer shows.
struct Gather {
  Span& x;
  Span& y;

  void operator()(const Line& line) const {
    x.add(line.x);
    y.add(line.y);
  }
  void operator()(const Band& band) const {
    x.add(band.x);
    y.add(band.low);
    y.add(band.high);
  }
  void operator()(const Markers& markers) const {
    x.add(markers.x);
    y.add(markers.y);
    for (std::size_t i = 0; i < markers.error.size(); ++i) {
      y.add(markers.y[i] - markers.error[i]);
      y.add(markers.y[i] + markers.error[i]);
    }
  }
  void operator()(const Bars& bars) const {
    for (const double edge : bars.edges) x.add_edge(edge);
    y.add(bars.heights);
    y.add_edge(0);
  }
  void operator()(const Arrows& arrows) const {
    x.add(arrows.x);
    y.add(arrows.y);
  }
  template <class Grid>
  void add_grid(const Grid& grid) const {
    x.add_edge(grid.x_low);
    x.add_edge(grid.x_high);
    y.add_edge(grid.y_low);
    y.add_edge(grid.y_high);
  }
  void operator()(const HeatMap& map) const { add_grid(map); }
  void operator()(const Contours& contours) const { add_grid(contours); }
  void operator()(const Picture& picture) const {
    x.add_edge(0);
    x.add_edge(static_cast<double>(picture.image.size(2)));
    y.add_edge(0);
    y.add_edge(static_cast<double>(picture.image.size(1)));
  }
  void operator()(const Note&) const {}
};

}  // namespace

Ranges ranges_of(const Panel& panel, const std::string& where) {
  Span x(panel.x), y(panel.y);
  for (const Layer& layer : panel.layers) std::visit(Gather{x, y}, layer);
  return {x.range(panel.x, where, "x"), y.range(panel.y, where, "y")};
}

Range color_range(const HeatMap& map, const std::string& where) {
  const at::Tensor values = map.values.detach().to(at::kCPU, at::kDouble).contiguous();
  const auto* value = values.const_data_ptr<double>();
  Range range{kNever, -kNever};
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    if (!std::isfinite(value[i])) continue;
    range = {std::min(range.low, value[i]), std::max(range.high, value[i])};
  }
  if (!(range.low <= range.high) && !(map.low && map.high)) {
    throw ArgumentError("[figures] " + where +
                        ": expected a finite value in the heat map, got none");
  }
  if (map.map == ColorMap::diverging) {
    const double largest = std::max(std::abs(range.low), std::abs(range.high));
    range = {-largest, largest};
    if (map.low && !map.high) range = {*map.low, -*map.low};
    if (map.high && !map.low) range = {-*map.high, *map.high};
  }
  range = {map.low.value_or(range.low), map.high.value_or(range.high)};
  if (!(range.low < range.high)) {
    const double half = range.low == 0 ? 1 : 0.5 * std::abs(range.low);
    range = {range.low - half, range.low + half};
  }
  return range;
}

}  // namespace tinta::figures
