#include "tinta/figures/page.h"

#include <algorithm>
#include <numeric>

#include "tinta/figures/check.h"
#include "tinta/figures/draw_panel.h"
#include "tinta/figures/pen.h"

namespace tinta::figures {
namespace {

constexpr double kEdge = 6;     // around the page
constexpr double kBetween = 9;  // between panels
constexpr double kTitleSize = 11;

/// Space that a row or a column of panels takes, before, for and behind the plot areas.
struct Track {
  double before = 0, inner = 0, behind = 0;

  void take(double need_before, double need_inner, double need_behind) {
    before = std::max(before, need_before);
    inner = std::max(inner, need_inner);
    behind = std::max(behind, need_behind);
  }
  [[nodiscard]] double length() const { return before + inner + behind; }
};

double total(const std::vector<Track>& tracks) {
  const double lengths =
      std::accumulate(tracks.begin(), tracks.end(), 0.0,
                      [](double sum, const Track& t) { return sum + t.length(); });
  return lengths + kBetween * static_cast<double>(tracks.size() - 1);
}

// Where the plot areas' space of each track begins.
std::vector<double> starts(const std::vector<Track>& tracks, double from) {
  std::vector<double> begins;
  for (const Track& track : tracks) {
    begins.push_back(from + track.before);
    from += track.length() + kBetween;
  }
  return begins;
}

}  // namespace

Page page_of(const Figure& figure) {
  check(figure);
  Page page;
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    page.panels.push_back(lay_out(figure.panels[i], {figure.panel_width, figure.panel_height},
                                  Fonts{}, panel_name(i, figure.panels[i])));
  }
  const std::size_t columns =
      std::min(static_cast<std::size_t>(figure.columns), page.panels.size());
  std::vector<Track> across(columns), down((page.panels.size() + columns - 1) / columns);
  for (std::size_t i = 0; i < page.panels.size(); ++i) {
    const PanelLayout& panel = page.panels[i];
    across[i % columns].take(panel.margins.left, panel.box.width, panel.margins.right);
    down[i / columns].take(panel.margins.top, panel.box.height, panel.margins.bottom);
  }
  const double width = total(across);
  page.title = Text(figure.title, kTitleSize, width);
  const double top = page.title.empty() ? kEdge : kEdge + page.title.height() + kEdge;
  const double left = kEdge + std::max(0.0, (page.title.width() - width) / 2);
  page.size = {std::max(width, page.title.width()) + 2 * kEdge, top + total(down) + kEdge};
  const std::vector<double> x = starts(across, left), y = starts(down, top);
  for (std::size_t i = 0; i < page.panels.size(); ++i) {
    const Size& box = page.panels[i].box;
    // A plot area smaller than its neighbours' lies in the middle of its place.
    page.corners.push_back({x[i % columns] + (across[i % columns].inner - box.width) / 2,
                            y[i / columns] + (down[i / columns].inner - box.height) / 2});
  }
  return page;
}

void draw_page(cairo_t* context, const Page& page) {
  set_color(context, kBlack);
  page.title.draw(context, {page.size.width / 2, kEdge}, Across::center, Down::top);
  for (std::size_t i = 0; i < page.panels.size(); ++i) {
    draw_panel(context, page.panels[i], page.corners[i]);
  }
}

}  // namespace tinta::figures
