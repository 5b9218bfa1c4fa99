#include "tinta/experiment/loss_plot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <variant>

#include "tinta/core/error.h"
#include "tinta/figures/check.h"

namespace tinta::experiment {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

LossCurve falling(const std::string& name, int lines) {
  LossCurve curve{.name = name};
  for (int i = 1; i <= lines; ++i) {
    curve.points.push_back({.step = static_cast<std::uint64_t>(10 * i), .loss = 1.0 / i});
  }
  return curve;
}

template <class Layer>
std::vector<Layer> layers_of(const figures::Figure& figure) {
  std::vector<Layer> all;
  for (const figures::Layer& layer : figure.panels.at(0).layers) {
    if (const auto* one = std::get_if<Layer>(&layer)) all.push_back(*one);
  }
  return all;
}

TEST(Smoothed, LeavesAStraightLineAsItIsAndTakesNoiseAway) {
  std::vector<double> line(40), noise(4000);
  std::iota(line.begin(), line.end(), 3.0);
  for (const double share : {0.0, 0.05, 0.3, 1.0}) {
    const auto means = smoothed(line, share);
    ASSERT_EQ(means.size(), line.size());
    for (std::size_t i = 0; i < line.size(); ++i) EXPECT_NEAR(means[i], line[i], 1e-12);
  }
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = i % 2 == 0 ? 1 : -1;
  // 100 on either side and the value itself.
  EXPECT_NEAR(smoothed(noise, 0.05)[2000], 1.0 / 201, 1e-12);
  EXPECT_EQ(smoothed(noise, 0), noise);
  EXPECT_TRUE(smoothed({}, 0.5).empty());
}

TEST(LossFigure, DrawsEachRunFaintAndSmoothedInOneColour) {
  const std::vector<LossCurve> curves = {falling("one", 30), falling("a<b&c", 20)};
  const figures::Figure figure = loss_figure(curves, 0.2, config::LogAxes::none);
  figures::check(figure);
  const auto lines = layers_of<figures::Line>(figure);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].label, "");
  EXPECT_LT(lines[0].style.opacity, 0.5);
  EXPECT_EQ(lines[0].y.at(29), 1.0 / 30);
  EXPECT_EQ(lines[1].label, "one");
  EXPECT_EQ(lines[1].y, smoothed(lines[0].y, 0.2));
  EXPECT_EQ(lines[0].style.color, lines[1].style.color);
  EXPECT_NE(lines[1].style.color, lines[3].style.color);
  EXPECT_EQ(lines[3].label, "a&lt;b&amp;c");
  EXPECT_EQ(lines[3].x, lines[2].x);
}

TEST(LossFigure, HeldOutLossesHaveTheirErrorsAndTheRunsColour) {
  LossCurve curve = falling("run", 5);
  curve.validation = {{.step = 20, .loss = 0.5, .standard_error = 0.1},
                      {.step = 40, .loss = 0.25, .standard_error = kNaN},
                      {.step = 50, .loss = kNaN, .standard_error = 0.1}};
  const figures::Figure figure = loss_figure(std::vector{curve}, 0, config::LogAxes::both);
  figures::check(figure);
  const auto markers = layers_of<figures::Markers>(figure);
  ASSERT_EQ(markers.size(), 1u);
  EXPECT_EQ(markers[0].x, (std::vector<double>{20, 40}));
  EXPECT_EQ(markers[0].y, (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(markers[0].error, (std::vector<double>{0.1, 0}));
  EXPECT_EQ(markers[0].style.color, layers_of<figures::Line>(figure).at(0).style.color);
  EXPECT_EQ(figure.panels[0].x.scale, figures::Scale::log);
  EXPECT_EQ(figure.panels[0].y.scale, figures::Scale::log);
}

TEST(LossFigure, LeavesOutWhatAnAxisCannotShowAndRefusesToDrawNothing) {
  LossCurve curve{.name = "run"};
  curve.points = {{.step = 1, .loss = 0}, {.step = 2, .loss = kNaN}, {.step = 3, .loss = 2}};
  const auto lines = [&](config::LogAxes axes) {
    return layers_of<figures::Line>(loss_figure(std::vector{curve}, 0, axes));
  };
  EXPECT_EQ(lines(config::LogAxes::none).at(0).x, (std::vector<double>{1, 3}));
  EXPECT_EQ(lines(config::LogAxes::loss).at(0).x, (std::vector<double>{3}));
  curve.points = {};
  EXPECT_THROW(lines(config::LogAxes::none), ArgumentError);
}

TEST(LossFigure, ManyRunsAreToldApartByDashesAndNamedBesideThePlot) {
  std::vector<LossCurve> curves;
  for (int i = 0; i < 9; ++i) curves.push_back(falling("run " + std::to_string(i), 3));
  const figures::Figure figure = loss_figure(curves, 0, config::LogAxes::none);
  EXPECT_EQ(figure.panels[0].legend, figures::Legend::outside);
  const auto lines = layers_of<figures::Line>(figure);
  EXPECT_EQ(lines[1].style.color, lines[15].style.color);
  EXPECT_NE(lines[1].style.dash, lines[15].style.dash);
}

}  // namespace
}  // namespace tinta::experiment
