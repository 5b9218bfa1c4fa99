#include "tinta/figures/draw_panel.h"

#include <algorithm>

#include "tinta/figures/draw_layers.h"
#include "tinta/figures/draw_legend.h"
#include "tinta/figures/pen.h"
#include "tinta/figures/view.h"

namespace tinta::figures {
namespace {

/// Draws a layer of any kind.
struct LayerDrawing {
  cairo_t* context;
  const View& view;
  const PanelLayout& layout;

  void operator()(const Line& line) const { draw_line(context, view, line); }
  void operator()(const Band& band) const { draw_band(context, view, band); }
  void operator()(const Markers& markers) const { draw_markers(context, view, markers); }
  void operator()(const Bars& bars) const { draw_bars(context, view, bars); }
  void operator()(const Arrows& arrows) const { draw_arrows(context, view, arrows); }
  void operator()(const HeatMap& map) const {
    draw_heat_map(context, view, map, layout.colors_of(map));
  }
  void operator()(const Contours& contours) const { draw_contours(context, view, contours); }
  void operator()(const Picture& picture) const { draw_picture(context, view, picture); }
  void operator()(const Note& note) const { draw_note(context, view, note, layout.fonts); }
};

void use_axis_pen(cairo_t* context) {
  set_pen(context, {.color = -1, .width = kAxisWidth});
  cairo_set_line_join(context, CAIRO_LINE_JOIN_MITER);
}

void mark(cairo_t* context, Point from, double dx, double dy) {
  cairo_move_to(context, from.x, from.y);
  cairo_rel_line_to(context, dx, dy);
}

void draw_x_axis(cairo_t* context, const View& view, const AxisTexts& texts) {
  const double bottom = view.box.y + view.box.height;
  const double labels = bottom + kTickLength + kGap / 2;
  for (std::size_t i = 0; i < texts.labels.size(); ++i) {
    const double x = view.x.at(texts.ticks.major[i].value);
    mark(context, {x, bottom}, 0, kTickLength);
    cairo_stroke(context);
    texts.labels[i].draw(context, {x, labels}, Across::center, Down::top);
  }
  for (const double value : texts.ticks.minor) {
    mark(context, {view.x.at(value), bottom}, 0, kMinorTickLength);
  }
  cairo_stroke(context);
  double below = texts.labels.empty() ? bottom + 1 : labels + texts.highest();
  if (!texts.power.empty()) {
    texts.power.draw(context, {view.box.x + view.box.width, below}, Across::right, Down::top);
    const double sides = texts.label.width() + 2 * texts.power.width() + 12;
    if (sides > view.box.width) below += texts.power.height();
  }
  texts.label.draw(context, {view.box.x + view.box.width / 2, below}, Across::center, Down::top);
}

void draw_y_axis(cairo_t* context, const View& view, const AxisTexts& texts) {
  const double left = view.box.x, labels = left - kTickLength - kGap;
  for (std::size_t i = 0; i < texts.labels.size(); ++i) {
    const double y = view.y.at(texts.ticks.major[i].value);
    mark(context, {left, y}, -kTickLength, 0);
    cairo_stroke(context);
    texts.labels[i].draw(context, {labels, y}, Across::right, Down::middle);
  }
  for (const double value : texts.ticks.minor) {
    mark(context, {left, view.y.at(value)}, -kMinorTickLength, 0);
  }
  cairo_stroke(context);
  texts.power.draw(context, {left, view.box.y - 1}, Across::left, Down::bottom);
  if (texts.label.empty()) return;
  const double beside = texts.labels.empty() ? left : labels - texts.widest();
  texts.label.draw_rising(
      context, {beside - kGap - texts.label.height() / 2, view.box.y + view.box.height / 2});
}

void draw_color_bar(cairo_t* context, const Rect& box, const ColorBar& bar) {
  const Rect ramp{box.x + box.width + bar.left, box.y, kBarWidth, box.height};
  draw_ramp(context, ramp, bar.map->map);
  use_axis_pen(context);
  add_rectangle(context, ramp);
  cairo_stroke(context);
  const double right = ramp.x + ramp.width, labels = right + kTickLength + kGap;
  const AxisView view(bar.colors, Scale::linear, ramp.y + ramp.height, ramp.y);
  for (std::size_t i = 0; i < bar.texts.labels.size(); ++i) {
    const double y = view.at(bar.texts.ticks.major[i].value);
    mark(context, {right, y}, kTickLength, 0);
    cairo_stroke(context);
    bar.texts.labels[i].draw(context, {labels, y}, Across::left, Down::middle);
  }
  bar.texts.power.draw(context, {ramp.x, ramp.y - 1}, Across::left, Down::bottom);
  const Text& label = bar.texts.label;
  if (label.empty()) return;
  label.draw_rising(
      context, {labels + bar.texts.widest() + kGap + label.height() / 2, ramp.y + ramp.height / 2});
}

void draw_axes(cairo_t* context, const View& view, const PanelLayout& layout) {
  use_axis_pen(context);
  add_rectangle(context, view.box);
  cairo_stroke(context);
  draw_x_axis(context, view, layout.x);
  draw_y_axis(context, view, layout.y);
}

// White behind an inset and its texts, so that what it lies on does not disturb.
void clear_behind(cairo_t* context, const PanelLayout& inset, Point corner) {
  add_rectangle(context, {corner.x - inset.margins.left - 2, corner.y - inset.margins.top - 1,
                          inset.margins.left + inset.box.width + inset.margins.right + 4,
                          inset.margins.top + inset.box.height + inset.margins.bottom + 2});
  set_color(context, {1, 1, 1}, 0.9);
  cairo_fill(context);
}

void draw_insets(cairo_t* context, const PanelLayout& layout, const Rect& box) {
  for (std::size_t i = 0; i < layout.insets.size(); ++i) {
    const Inset& inset = layout.panel->insets[i];
    const PanelLayout& inner = layout.insets[i];
    const Point corner{box.x + inset.x * box.width,
                       box.y + (1 - inset.y) * box.height - inner.box.height};
    clear_behind(context, inner, corner);
    draw_panel(context, inner, corner);
  }
}

}  // namespace

void draw_panel(cairo_t* context, const PanelLayout& layout, Point corner) {
  const Rect box{corner.x, corner.y, layout.box.width, layout.box.height};
  const View view(box, layout.ranges, *layout.panel);
  for (const Layer& layer : layout.panel->layers) {
    const Saved saved(context);
    std::visit(LayerDrawing{context, view, layout}, layer);
  }
  const Saved saved(context);
  if (layout.axes) draw_axes(context, view, layout);
  double right = box.x + box.width;
  for (const ColorBar& bar : layout.bars) {
    if (!bar.map->bar) continue;
    draw_color_bar(context, box, bar);
    right = box.x + box.width + bar.left + bar.width;
  }
  draw_insets(context, layout, box);
  draw_legend(context, layout, box, right);
  if (layout.title.empty()) return;
  set_color(context, kBlack);
  const double bottom = box.y - layout.margins.top + layout.title.height();
  layout.title.draw(context, {box.x + box.width / 2, bottom}, Across::center, Down::bottom);
}

}  // namespace tinta::figures
