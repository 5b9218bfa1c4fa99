#include "tinta/experiment/loss_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "tinta/core/error.h"

namespace tinta::experiment {
namespace {

constexpr int kColours = 7;
constexpr std::size_t kLegendInside = 4;  // more runs than this have their names beside the plot

// A name as Pango's markup shows it.
std::string escaped(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (c == '&') {
      text += "&amp;";
    } else if (c == '<') {
      text += "&lt;";
    } else if (c == '>') {
      text += "&gt;";
    } else {
      text += c;
    }
  }
  return text;
}

// Steps and losses that can be shown.
struct Series {
  std::vector<double> x{}, y{}, error{};
};

Series shown(const LossCurve& curve, bool log_loss) {
  Series series;
  for (const config::MetricsPoint& point : curve.points) {
    if (!std::isfinite(point.loss) || (log_loss && point.loss <= 0) || point.step == 0) continue;
    series.x.push_back(static_cast<double>(point.step));
    series.y.push_back(point.loss);
  }
  return series;
}

Series shown_validation(const LossCurve& curve, bool log_loss) {
  Series series;
  for (const config::ValidationPoint& point : curve.validation) {
    if (!std::isfinite(point.loss) || (log_loss && point.loss <= 0) || point.step == 0) continue;
    series.x.push_back(static_cast<double>(point.step));
    series.y.push_back(point.loss);
    series.error.push_back(std::isfinite(point.standard_error) ? point.standard_error : 0);
  }
  return series;
}

void draw(const LossCurve& curve, std::size_t place, double share, bool log_loss,
          figures::Panel& panel) {
  using figures::Dash;
  constexpr std::array<Dash, 3> kDashes = {Dash::solid, Dash::dashed, Dash::dotted};
  const int color = static_cast<int>(place % kColours);
  const Dash dash = kDashes.at(place / kColours % kDashes.size());
  const std::string name = escaped(curve.name);
  const Series logged = shown(curve, log_loss);
  if (!logged.x.empty()) {
    panel.layers.emplace_back(figures::Line{
        .x = logged.x, .y = logged.y, .style = {.color = color, .width = 0.7, .opacity = 0.3}});
    panel.layers.emplace_back(figures::Line{.x = logged.x,
                                            .y = smoothed(logged.y, share),
                                            .label = name,
                                            .style = {.color = color, .dash = dash, .width = 1.5}});
  }
  const Series held_out = shown_validation(curve, log_loss);
  if (!held_out.x.empty()) {
    panel.layers.emplace_back(figures::Markers{.x = held_out.x,
                                               .y = held_out.y,
                                               .error = held_out.error,
                                               .label = name + ", held out",
                                               .style = {.color = color},
                                               .size = 4});
  }
}

}  // namespace

std::vector<double> smoothed(std::span<const double> values, double share) {
  const auto count = static_cast<std::ptrdiff_t>(values.size());
  const auto most = static_cast<std::ptrdiff_t>(share * static_cast<double>(count) / 2);
  std::vector<double> means;
  means.reserve(values.size());
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const std::ptrdiff_t half = std::min({most, i, count - 1 - i});
    const auto around =
        values.subspan(static_cast<std::size_t>(i - half), static_cast<std::size_t>(2 * half + 1));
    means.push_back(std::accumulate(around.begin(), around.end(), 0.0) /
                    static_cast<double>(around.size()));
  }
  return means;
}

figures::Figure loss_figure(std::span<const LossCurve> curves, double share,
                            config::LogAxes log_axes) {
  using config::LogAxes;
  const bool log_loss = log_axes == LogAxes::loss || log_axes == LogAxes::both;
  const bool log_step = log_axes == LogAxes::step || log_axes == LogAxes::both;
  const auto scale = [](bool log) { return log ? figures::Scale::log : figures::Scale::linear; };
  figures::Panel panel{.x = {.label = "step", .scale = scale(log_step)},
                       .y = {.label = "loss", .scale = scale(log_loss)},
                       .legend = curves.size() > kLegendInside ? figures::Legend::outside
                                                               : figures::Legend::upper_right};
  for (std::size_t i = 0; i < curves.size(); ++i) draw(curves[i], i, share, log_loss, panel);
  if (panel.layers.empty()) {
    throw ArgumentError("[plot] expected runs with logged losses, got none in any of them");
  }
  return {.panels = {std::move(panel)}, .panel_width = 420, .panel_height = 260};
}

}  // namespace tinta::experiment
