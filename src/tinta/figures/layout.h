#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tinta/figures/figure.h"
#include "tinta/figures/ranges.h"
#include "tinta/figures/text.h"
#include "tinta/figures/ticks.h"

namespace tinta::figures {

// Lengths in points, the same in every figure.
inline constexpr double kAxisWidth = 0.6;
inline constexpr double kTickLength = 3;
inline constexpr double kMinorTickLength = 1.8;
inline constexpr double kGap = 2.5;        ///< between a mark, its label and the axis' label
inline constexpr double kBarWidth = 8;     ///< of a colour bar
inline constexpr double kBarGap = 7;       ///< between the plot area and what is right of it
inline constexpr double kSwatch = 16;      ///< sample of a layer in the legend
inline constexpr double kLegendInset = 5;  ///< of the legend in the plot area, and inside it

/// The marks of an axis with their texts laid out.
struct AxisTexts {
  Ticks ticks{};
  std::vector<Text> labels{};
  Text label{};
  Text power{};  ///< what the marks' labels are to be multiplied by

  [[nodiscard]] double widest() const;
  [[nodiscard]] double highest() const;
};

struct ColorBar {
  const HeatMap* map = nullptr;
  Range colors{};
  AxisTexts texts{};
  double left = 0;   ///< from the plot area's right side
  double width = 0;  ///< with its texts
};

/// A row of the legend: layers of one label share it.
struct LegendRow {
  std::vector<const Layer*> layers{};
  Text text{};
};

struct LegendBox {
  std::vector<LegendRow> rows{};
  double row_height = 0;
  Size size{};
};

/// Space that texts need around the plot area.
struct Margins {
  double left = 0, right = 0, top = 0, bottom = 0;
};

/// A panel ready to be drawn. Refers to the panel, which must live longer.
struct PanelLayout {
  const Panel* panel = nullptr;
  Fonts fonts{};
  Ranges ranges{};
  Size box{};        ///< the plot area
  bool axes = true;  ///< false with a picture
  AxisTexts x{}, y{};
  Text title{};
  std::vector<ColorBar> bars{};
  LegendBox legend{};
  Margins margins{};
  std::vector<PanelLayout> insets{};  ///< one for each inset of the panel

  /// The ends of a heat map's colours.
  [[nodiscard]] Range colors_of(const HeatMap& map) const;
};

/// @param room  the largest plot area; less of it is used where shapes must be kept
/// @param where names the panel in messages
/// @throws ArgumentError when there is nothing to draw, or on broken markup
PanelLayout lay_out(const Panel& panel, Size room, const Fonts& fonts, const std::string& where);

}  // namespace tinta::figures
