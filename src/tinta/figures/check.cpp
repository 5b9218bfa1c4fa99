#include "tinta/figures/check.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/error.h"
#include "tinta/figures/palette.h"

namespace tinta::figures {
namespace {

constexpr std::int64_t kMaxGrid = 8192;  // of a side: more cells than any print shows
constexpr int kDeepest = 3;              // insets within insets

/// Whose fault it is: "panel 1, layer 2 (line)".
class Checker {
 public:
  explicit Checker(std::string where) : where_(std::move(where)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw ArgumentError("[figures] " + where_ + ": expected " + what);
  }
  void require(bool holds, const std::string& what) const {
    if (!holds) fail(what);
  }
  void equal(const std::string& names, std::size_t a, std::size_t b) const {
    if (a == b) return;
    fail(names + " of one length, got " + std::to_string(a) + " and " + std::to_string(b));
  }
  void style(const Style& style) const {
    require(style.color >= -3 && style.color < kPaletteSize,
            "a colour of -3 to 6, got " + std::to_string(style.color));
    require(style.width > 0 && style.width < 1000,
            "a width above 0 points, got " + std::to_string(style.width));
    require(style.opacity >= 0 && style.opacity <= 1,
            "an opacity of 0 to 1, got " + std::to_string(style.opacity));
  }
  void rising(const std::string& what, double low, double high) const {
    require(std::isfinite(low) && std::isfinite(high) && low < high,
            what + " that rise, got " + std::to_string(low) + " and " + std::to_string(high));
  }
  void grid(const at::Tensor& values, std::int64_t least) const {
    require(values.defined() && values.dim() == 2 && values.is_floating_point() &&
                values.size(0) >= least && values.size(1) >= least && values.size(0) <= kMaxGrid &&
                values.size(1) <= kMaxGrid,
            "values [H,W], floating, sides of " + std::to_string(least) + " to " +
                std::to_string(kMaxGrid) + ", got " + shape_of(values));
  }
  static std::string shape_of(const at::Tensor& tensor) {
    if (!tensor.defined()) return "an undefined tensor";
    std::string text = std::string(c10::toString(tensor.scalar_type())) + " [";
    for (std::int64_t i = 0; i < tensor.dim(); ++i) {
      if (i > 0) text += ',';
      text += std::to_string(tensor.size(i));
    }
    return text + "]";
  }

 private:
  std::string where_;
};

/// Checks a layer of each kind.
struct LayerCheck {
  const Checker& that;

  void operator()(const Line& line) const {
    that.equal("x and y", line.x.size(), line.y.size());
    that.style(line.style);
  }
  void operator()(const Band& band) const {
    that.equal("x and low", band.x.size(), band.low.size());
    that.equal("x and high", band.x.size(), band.high.size());
    that.style(band.style);
  }
  void operator()(const Markers& markers) const {
    that.equal("x and y", markers.x.size(), markers.y.size());
    if (!markers.error.empty()) that.equal("x and error", markers.x.size(), markers.error.size());
    that.require(std::none_of(markers.error.begin(), markers.error.end(),
                              [](double error) { return error < 0; }),
                 "errors of at least 0, got one below");
    that.require(markers.size > 0 && markers.size < 1000,
                 "a size above 0 points, got " + std::to_string(markers.size));
    that.style(markers.style);
  }
  void operator()(const Bars& bars) const {
    that.require(bars.edges.size() == bars.heights.size() + 1,
                 "one edge more than heights, got " + std::to_string(bars.edges.size()) + " and " +
                     std::to_string(bars.heights.size()));
    for (std::size_t i = 0; i + 1 < bars.edges.size(); ++i) {
      that.rising("edges", bars.edges[i], bars.edges[i + 1]);
    }
    that.style(bars.style);
  }
  void operator()(const Arrows& arrows) const {
    that.equal("x and y", arrows.x.size(), arrows.y.size());
    that.equal("x and u", arrows.x.size(), arrows.u.size());
    that.equal("x and v", arrows.x.size(), arrows.v.size());
    that.style(arrows.style);
  }
  void operator()(const HeatMap& map) const {
    that.grid(map.values, 1);
    that.rising("edges of x", map.x_low, map.x_high);
    that.rising("edges of y", map.y_low, map.y_high);
    if (map.low && map.high) that.rising("ends of the colours", *map.low, *map.high);
    for (const std::optional<double>& end : {map.low, map.high}) {
      that.require(!end || std::isfinite(*end), "finite ends of the colours, got another");
    }
  }
  void operator()(const Contours& contours) const {
    that.grid(contours.values, 2);
    that.rising("edges of x", contours.x_low, contours.x_high);
    that.rising("edges of y", contours.y_low, contours.y_high);
    that.style(contours.style);
  }
  void operator()(const Picture& picture) const {
    const at::Tensor& image = picture.image;
    that.require(image.defined() && image.dim() == 3 && image.scalar_type() == at::kByte &&
                     (image.size(0) == 1 || image.size(0) == 3) && image.size(1) >= 1 &&
                     image.size(2) >= 1,
                 "a picture [C,H,W] uint8, C = 1 or 3, got " + Checker::shape_of(image));
  }
  void operator()(const Note& note) const {
    that.require(std::isfinite(note.x) && std::isfinite(note.y), "a finite place, got another");
    that.style(note.style);
  }
};

void check_axis(const Checker& panel, const char* name, const Axis& axis) {
  for (const std::optional<double>& end : {axis.low, axis.high}) {
    panel.require(!end || std::isfinite(*end),
                  std::string("finite ends of the ") + name + " axis, got another");
    panel.require(!end || axis.scale == Scale::linear || *end > 0,
                  std::string("ends above 0 of the logarithmic ") + name + " axis, got another");
  }
  if (axis.low && axis.high) {
    panel.rising(std::string("ends of the ") + name + " axis", *axis.low, *axis.high);
  }
}

void check_panel(const std::string& name, const Panel& panel, int depth) {
  static constexpr const char* kNames[] = {"line",     "band",     "markers", "bars", "arrows",
                                           "heat map", "contours", "picture", "note"};
  const Checker whole(name);
  check_axis(whole, "x", panel.x);
  check_axis(whole, "y", panel.y);
  for (std::size_t i = 0; i < panel.layers.size(); ++i) {
    const Checker layer(name + ", layer " + std::to_string(i + 1) + " (" +
                        kNames[panel.layers[i].index()] + ")");
    std::visit(LayerCheck{layer}, panel.layers[i]);
  }
  for (const Inset& inset : panel.insets) {
    whole.require(inset.panel != nullptr, "an inset's panel, got none");
    whole.require(inset.width > 0 && inset.height > 0 && inset.width <= 1 && inset.height <= 1,
                  "an inset's width and height above 0 and at most 1, got others");
    whole.require(depth < kDeepest, "insets at most 3 deep, got more");
    check_panel(name + ", inset", *inset.panel, depth + 1);
  }
}

}  // namespace

std::string panel_name(std::size_t index, const Panel& panel) {
  const std::string number = "panel " + std::to_string(index + 1);
  return panel.title.empty() ? number : number + " (\"" + panel.title + "\")";
}

void check(const Figure& figure) {
  const Checker whole("figure");
  whole.require(!figure.panels.empty(), "at least one panel, got none");
  whole.require(figure.columns >= 1, "at least one column, got " + std::to_string(figure.columns));
  whole.require(figure.panel_width >= 10 && figure.panel_height >= 10 &&
                    figure.panel_width <= 5000 && figure.panel_height <= 5000,
                "panels of 10 to 5000 points a side, got " + std::to_string(figure.panel_width) +
                    " x " + std::to_string(figure.panel_height));
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    check_panel(panel_name(i, figure.panels[i]), figure.panels[i], 0);
  }
}

}  // namespace tinta::figures
