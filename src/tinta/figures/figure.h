#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What a figure shows, as plain values: tables and tensors in, no drawing yet. render.h draws it.
// All texts are UTF-8 and may hold Pango's markup: "x<sub>t</sub>", "<i>q</i>(x)".

namespace tinta::figures {

enum class Dash { solid, dashed, dotted };

/// How a layer is drawn. Colours differ in lightness too, so that a print in grey still tells them
/// apart.
struct Style {
  int color = 0;  ///< place in the palette, 0 to 6; -1: black, -2: grey, -3: white
  Dash dash = Dash::solid;
  double width = 1.2;  ///< points
  double opacity = 1;
};

/// A curve through points; a NaN breaks it.
struct Line {
  std::vector<double> x, y;
  std::string label{};  ///< in the legend; "": not there
  Style style{};
};

/// The area between two curves: an error band.
struct Band {
  std::vector<double> x, low, high;
  std::string label{};
  Style style{.opacity = 0.25};
};

enum class Marker { circle, square, triangle, cross };

/// Points, with error bars where `error` is given.
struct Markers {
  std::vector<double> x, y;
  std::vector<double> error{};  ///< one standard error each way; empty: none
  std::string label{};
  Style style{};
  double size = 3;  ///< diameter in points
  Marker marker = Marker::circle;
};

/// A histogram.
struct Bars {
  std::vector<double> edges;    ///< n + 1, rising
  std::vector<double> heights;  ///< n
  std::string label{};
  Style style{.opacity = 0.3};
};

/// A vector field; arrows are scaled together so that the longest is as long as their spacing.
struct Arrows {
  std::vector<double> x, y, u, v;
  std::string label{};
  Style style{.color = -1, .width = 0.7};
};

enum class ColorMap { viridis, magma, grey, diverging };  ///< diverging is centred on zero

/// Values on a regular grid, and a colour bar.
struct HeatMap {
  at::Tensor values;                    ///< [H,W] floating; row 0 lies at y_low
  double x_low, x_high, y_low, y_high;  ///< edges of the grid
  ColorMap map = ColorMap::viridis;
  std::optional<double> low{}, high{};  ///< ends of the colours; absent: the values' own
  std::string bar_label{};              ///< text beside the colour bar
  bool bar = true;                      ///< whether a colour bar is drawn
};

/// Lines of equal value of a grid.
struct Contours {
  at::Tensor values;  ///< [H,W] floating; row 0 lies at y_low
  double x_low, x_high, y_low, y_high;
  std::vector<double> levels;
  Style style{.color = -1, .width = 0.7};
};

/// A picture, pixels kept square and sharp; a panel that holds one has no axes.
struct Picture {
  at::Tensor image;  ///< [C,H,W] uint8, C = 1 or 3; row 0 at the top
};

/// Words at a place in data coordinates.
struct Note {
  double x, y;
  std::string text;
  Style style{.color = -1};
};

using Layer = std::variant<Line, Band, Markers, Bars, Arrows, HeatMap, Contours, Picture, Note>;

enum class Scale { linear, log };

struct Axis {
  std::string label{};
  Scale scale = Scale::linear;
  std::optional<double> low{}, high{};  ///< absent: from the data
  bool ticks = true;
};

enum class Legend { none, upper_right, upper_left, lower_right, lower_left, outside };

struct Inset;

/// One drawing with its own axes.
struct Panel {
  std::string title{};
  Axis x{};
  Axis y{};
  std::vector<Layer> layers{};  ///< drawn in order
  Legend legend = Legend::upper_right;
  bool equal_aspect = false;  ///< one unit of x as long as one of y
  std::vector<Inset> insets{};
};

/// A small panel inside another; place and size in shares of the outer one's plot area, from its
/// lower left corner.
struct Inset {
  std::shared_ptr<const Panel> panel;
  double x, y, width, height;
};

/// Panels in rows, all of one size.
struct Figure {
  std::string title{};
  std::vector<Panel> panels;
  std::int64_t columns = 1;
  double panel_width = 230;   ///< points of the plot area, axes' texts not counted
  double panel_height = 170;  ///< points
};

}  // namespace tinta::figures
