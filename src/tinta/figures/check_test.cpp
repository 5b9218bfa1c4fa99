#include "tinta/figures/check.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tinta/core/error.h"
#include "tinta/figures/render.h"

namespace tinta::figures {
namespace {

using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string refusal(const Figure& figure) {
  try {
    rasterise(figure, 1);
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "no error";
}

std::string refusal(const Panel& panel) { return refusal(Figure{.panels = {panel}}); }

std::string refusal(const Layer& layer) { return refusal(Panel{.title = "p", .layers = {layer}}); }

TEST(Check, NamesPanelAndLayer) {
  const Panel good{.layers = {Line{{0, 1}, {0, 1}}}};
  const Panel bad{.title = "loss", .layers = {Line{{0, 1}, {0, 1}}, Band{{0, 1}, {0}, {0, 1}}}};
  EXPECT_EQ(refusal(Figure{.panels = {good, bad}}),
            "[figures] panel 2 (\"loss\"), layer 2 (band): expected x and low of one length, got 2 "
            "and 1");
}

TEST(Check, LengthsMustAgree) {
  EXPECT_THAT(refusal(Line{{0, 1}, {0}}), HasSubstr("layer 1 (line): expected x and y of one"));
  EXPECT_THAT(refusal(Band{{0}, {0}, {}}), HasSubstr("x and high of one length, got 1 and 0"));
  EXPECT_THAT(refusal(Markers{{0, 1}, {0, 1}, {1}}), HasSubstr("x and error of one length"));
  EXPECT_THAT(refusal(Markers{{0}, {0}, {-1}}), HasSubstr("errors of at least 0"));
  EXPECT_THAT(refusal(Bars{{0, 1}, {1, 2}}), HasSubstr("one edge more than heights, got 2 and 2"));
  EXPECT_THAT(refusal(Bars{{0, 1, 1}, {1, 2}}), HasSubstr("edges that rise"));
  EXPECT_THAT(refusal(Arrows{{0}, {0}, {1}, {}}), HasSubstr("x and v of one length"));
}

TEST(Check, GridsAndPicturesHaveTheirShapes) {
  const at::Tensor grid = at::zeros({2, 3});
  EXPECT_THAT(refusal(HeatMap{at::zeros({2}), 0, 1, 0, 1}),
              HasSubstr("values [H,W], floating, sides of 1 to 8192, got Float [2]"));
  EXPECT_THAT(refusal(HeatMap{at::Tensor(), 0, 1, 0, 1}), HasSubstr("got an undefined tensor"));
  EXPECT_THAT(refusal(HeatMap{grid.to(at::kLong), 0, 1, 0, 1}), HasSubstr("got Long [2,3]"));
  EXPECT_THAT(refusal(HeatMap{grid, 1, 0, 0, 1}), HasSubstr("edges of x that rise"));
  EXPECT_THAT(refusal(HeatMap{grid * kNan, 0, 1, 0, 1}),
              HasSubstr("a finite value in the heat map"));
  EXPECT_THAT(refusal(Contours{at::zeros({1, 3}), 0, 1, 0, 1, {0}}), HasSubstr("sides of 2 to"));
  EXPECT_THAT(refusal(Picture{at::zeros({2, 4, 4}, at::kByte)}),
              HasSubstr("a picture [C,H,W] uint8, C = 1 or 3, got Byte [2,4,4]"));
}

TEST(Check, StylesAndAxesHaveTheirRanges) {
  EXPECT_THAT(refusal(Line{{0, 1}, {0, 1}, "", {.color = 7}}), HasSubstr("a colour of -3 to 6"));
  EXPECT_THAT(refusal(Line{{0, 1}, {0, 1}, "", {.width = 0}}), HasSubstr("a width above 0"));
  EXPECT_THAT(refusal(Line{{0, 1}, {0, 1}, "", {.opacity = 2}}), HasSubstr("an opacity of 0 to 1"));
  const Layer line = Line{{0, 1}, {0, 1}};
  EXPECT_THAT(refusal(Panel{.x = {.low = 2, .high = 1}, .layers = {line}}),
              HasSubstr("panel 1: expected ends of the x axis that rise"));
  EXPECT_THAT(refusal(Panel{.y = {.scale = Scale::log, .low = 0}, .layers = {line}}),
              HasSubstr("ends above 0 of the logarithmic y axis"));
}

TEST(Check, NothingToDrawIsRefusedByTheAxis) {
  EXPECT_THAT(refusal(Figure{}), HasSubstr("expected at least one panel"));
  EXPECT_THAT(refusal(Panel{.title = "p"}),
              HasSubstr("panel 1 (\"p\"): expected a finite value on the x axis, got none"));
  EXPECT_THAT(refusal(Line{{0, 1}, {kNan, kNan}}), HasSubstr("a finite value on the y axis"));
  EXPECT_THAT(refusal(Panel{.x = {.scale = Scale::log}, .layers = {Line{{-1, 0}, {0, 1}}}}),
              HasSubstr("a finite value above zero on the logarithmic x axis, got none"));
}

TEST(Check, BrokenMarkupAndInsetsAreRefused) {
  const Layer line = Line{{0, 1}, {0, 1}};
  EXPECT_THAT(refusal(Panel{.title = "<b>open", .layers = {line}}), HasSubstr("Pango markup"));
  EXPECT_THAT(refusal(Panel{.layers = {line}, .insets = {{nullptr, 0, 0, 1, 1}}}),
              HasSubstr("an inset's panel, got none"));
  const auto empty = std::make_shared<Panel>();
  EXPECT_THAT(refusal(Panel{.layers = {line}, .insets = {{empty, 0, 0, 0.5, 0.5}}}),
              HasSubstr("panel 1, inset: expected a finite value"));
}

}  // namespace
}  // namespace tinta::figures
