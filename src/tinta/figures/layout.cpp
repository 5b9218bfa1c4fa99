#include "tinta/figures/layout.h"

#include <algorithm>
#include <cmath>

namespace tinta::figures {
namespace {

constexpr double kPerTickAcross = 38;  // points of a horizontal axis for each mark, at least
constexpr double kPerTickUp = 24;
constexpr double kApart = 5;  // between labels of neighbouring marks

Ticks ticks_of(Range range, Scale scale, int at_most) {
  return scale == Scale::log ? log_ticks(range.low, range.high, at_most)
                             : linear_ticks(range.low, range.high, at_most);
}

void set_ticks(AxisTexts& texts, Ticks ticks, const Fonts& fonts) {
  texts.ticks = std::move(ticks);
  texts.labels.clear();
  for (const Tick& tick : texts.ticks.major) texts.labels.emplace_back(tick.label, fonts.tick);
  texts.power =
      texts.ticks.exponent == 0 ? Text() : Text(power_label(texts.ticks.exponent), fonts.tick);
}

// As many marks as their labels leave room for.
AxisTexts across(const Axis& axis, Range range, double length, const Fonts& fonts) {
  AxisTexts texts;
  texts.label = Text(axis.label, fonts.label, std::max(length, 60.0));
  int at_most = std::max(2, static_cast<int>(length / kPerTickAcross) + 1);
  for (; axis.ticks && at_most >= 2; --at_most) {
    set_ticks(texts, ticks_of(range, axis.scale, at_most), fonts);
    const double count = static_cast<double>(texts.labels.size());
    if (count * (texts.widest() + kApart) <= length + texts.widest() + kApart) break;
  }
  return texts;
}

AxisTexts upwards(const Axis& axis, Range range, double length, const Fonts& fonts) {
  AxisTexts texts;
  texts.label = Text(axis.label, fonts.label, std::max(length, 60.0));
  if (axis.ticks) {
    const int at_most = std::max(2, static_cast<int>(length / kPerTickUp) + 1);
    set_ticks(texts, ticks_of(range, axis.scale, at_most), fonts);
  }
  return texts;
}

std::string label_of(const Layer& layer) {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (requires { value.label; }) {
          return value.label;
        } else {
          return "";
        }
      },
      layer);
}

LegendBox legend_of(const Panel& panel, const Fonts& fonts) {
  LegendBox box;
  if (panel.legend == Legend::none) return box;
  std::vector<std::string> labels;
  for (const Layer& layer : panel.layers) {
    const std::string label = label_of(layer);
    if (label.empty()) continue;
    const auto known = std::find(labels.begin(), labels.end(), label);
    if (known != labels.end()) {
      box.rows[static_cast<std::size_t>(known - labels.begin())].layers.push_back(&layer);
      continue;
    }
    labels.push_back(label);
    box.rows.push_back({{&layer}, Text(label, fonts.tick)});
  }
  double widest = 0;
  for (const LegendRow& row : box.rows) {
    widest = std::max(widest, row.text.width());
    box.row_height = std::max(box.row_height, row.text.height() + 1);
  }
  if (box.rows.empty()) return box;
  box.size = {widest + kSwatch + 3 * kLegendInset,
              box.row_height * static_cast<double>(box.rows.size()) + 1.2 * kLegendInset};
  return box;
}

void add_bars(PanelLayout& layout, const std::string& where) {
  double left = kBarGap;
  for (const Layer& layer : layout.panel->layers) {
    const auto* map = std::get_if<HeatMap>(&layer);
    if (map == nullptr) continue;
    ColorBar bar{.map = map, .colors = color_range(*map, where)};
    if (map->bar) {
      bar.texts = upwards({.label = map->bar_label}, bar.colors, layout.box.height, layout.fonts);
      bar.left = left;
      bar.width = kBarWidth + kTickLength + kGap + bar.texts.widest();
      if (!bar.texts.label.empty()) bar.width += kGap + bar.texts.label.height();
      bar.width = std::max(bar.width, bar.texts.power.width());
      left += bar.width + kBarGap;
    }
    layout.bars.push_back(std::move(bar));
  }
}

// The largest plot area of the shape that pictures and equal axes ask for.
Size fitted(const Panel& panel, const Ranges& ranges, Size room, bool picture) {
  const bool keeps = picture || (panel.equal_aspect && panel.x.scale == Scale::linear &&
                                 panel.y.scale == Scale::linear);
  if (!keeps) return room;
  const double width = ranges.x.high - ranges.x.low, height = ranges.y.high - ranges.y.low;
  const double scale = std::min(room.width / width, room.height / height);
  // A shape too slender for its own marks is not kept.
  const double least = picture ? 2 : 30;
  return {std::max(width * scale, std::min(least, room.width)),
          std::max(height * scale, std::min(least, room.height))};
}

Margins axis_margins(const PanelLayout& layout) {
  Margins margins{1, 1, 1, 1};
  if (!layout.axes) return margins;
  const AxisTexts &x = layout.x, &y = layout.y;
  if (!y.labels.empty()) margins.left = kTickLength + kGap + y.widest();
  if (!y.label.empty()) margins.left += kGap + y.label.height();
  if (!x.labels.empty()) margins.bottom = kTickLength + kGap / 2 + x.highest();
  if (!x.label.empty() || !x.power.empty()) {
    margins.bottom += std::max(x.label.height(), x.power.height());
  }
  if (!x.power.empty() && x.label.width() + 2 * x.power.width() + 12 > layout.box.width) {
    margins.bottom += x.power.height();
  }
  // Labels of marks at the ends reach over the plot area.
  margins.left = std::max(margins.left, x.widest() / 2);
  margins.right = std::max(margins.right, x.widest() / 2);
  margins.top = std::max(margins.top, y.labels.empty() ? 1.0 : y.highest() / 2);
  if (!y.power.empty()) margins.top = std::max(margins.top, y.power.height() + 1);
  return margins;
}

Margins margins_of(const PanelLayout& layout) {
  Margins margins = axis_margins(layout);
  double right = 0;
  for (const ColorBar& bar : layout.bars) {
    if (bar.map->bar) right = bar.left + bar.width;
    if (!bar.texts.power.empty()) {
      margins.top = std::max(margins.top, bar.texts.power.height() + 1);
    }
    if (bar.map->bar) margins.top = std::max(margins.top, bar.texts.highest() / 2);
  }
  if (layout.panel->legend == Legend::outside && !layout.legend.rows.empty()) {
    right += kBarGap + layout.legend.size.width;
  }
  margins.right = std::max(margins.right, right);
  if (!layout.title.empty()) {
    margins.top += layout.title.height() + 1;
    const double over = (layout.title.width() - layout.box.width) / 2;
    margins.left = std::max(margins.left, over);
    margins.right = std::max(margins.right, over);
  }
  return margins;
}

}  // namespace

double AxisTexts::widest() const {
  double widest = 0;
  for (const Text& text : labels) widest = std::max(widest, text.width());
  return widest;
}

double AxisTexts::highest() const {
  double highest = 0;
  for (const Text& text : labels) highest = std::max(highest, text.height());
  return highest;
}

Range PanelLayout::colors_of(const HeatMap& map) const {
  for (const ColorBar& bar : bars) {
    if (bar.map == &map) return bar.colors;
  }
  return {};
}

PanelLayout lay_out(const Panel& panel, Size room, const Fonts& fonts, const std::string& where) {
  PanelLayout layout{.panel = &panel, .fonts = fonts, .ranges = ranges_of(panel, where)};
  layout.axes = std::none_of(panel.layers.begin(), panel.layers.end(), [](const Layer& layer) {
    return std::holds_alternative<Picture>(layer);
  });
  layout.box = fitted(panel, layout.ranges, room, !layout.axes);
  if (layout.axes) {
    layout.x = across(panel.x, layout.ranges.x, layout.box.width, fonts);
    layout.y = upwards(panel.y, layout.ranges.y, layout.box.height, fonts);
  }
  layout.title = Text(panel.title, fonts.title, std::max(layout.box.width, 50.0));
  layout.legend = legend_of(panel, fonts);
  add_bars(layout, where);
  layout.margins = margins_of(layout);
  const Fonts smaller{0.85 * fonts.label, 0.85 * fonts.tick, 0.85 * fonts.title};
  for (const Inset& inset : panel.insets) {
    layout.insets.push_back(
        lay_out(*inset.panel, {inset.width * layout.box.width, inset.height * layout.box.height},
                smaller, where + ", inset"));
  }
  return layout;
}

}  // namespace tinta::figures
