#include "tinta/figures/render.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "tinta/core/error.h"
#include "tinta/figures/page.h"
#include "tinta/figures/palette.h"
#include "tinta/figures/view.h"
#include "tinta/io/png.h"

namespace tinta::figures {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kScale = 3;

/// A drawn figure of one panel, asked for the colour at a place in data coordinates.
class Drawn {
 public:
  explicit Drawn(Panel panel) : figure_{.panels = {std::move(panel)}}, page_(page_of(figure_)) {
    image_ = rasterise(figure_, kScale);
  }

  [[nodiscard]] Rgb at(double x, double y) const {
    const PanelLayout& layout = page_.panels[0];
    const Point corner = page_.corners[0];
    const View view({corner.x, corner.y, layout.box.width, layout.box.height}, layout.ranges,
                    *layout.panel);
    const auto row = static_cast<std::int64_t>(view.y.at(y) * kScale);
    const auto column = static_cast<std::int64_t>(view.x.at(x) * kScale);
    const auto channel = [&](int c) { return image_[c][row][column].item<int>() / 255.0; };
    return {channel(0), channel(1), channel(2)};
  }
  [[nodiscard]] const PanelLayout& layout() const { return page_.panels[0]; }

 private:
  Figure figure_;
  Page page_;
  at::Tensor image_;
};

void expect_color(const Rgb& got, const Rgb& expected) {
  EXPECT_NEAR(got.r, expected.r, 0.01);
  EXPECT_NEAR(got.g, expected.g, 0.01);
  EXPECT_NEAR(got.b, expected.b, 0.01);
}

constexpr Rgb kWhite{1, 1, 1};

TEST(Render, ALineRunsThroughItsPointsAndNowhereElse) {
  const Drawn drawn(Panel{.layers = {Line{{0, 1, 2, 3, 4}, {0, 1, kNan, 3, 4}, "", {.width = 3}}}});
  expect_color(drawn.at(0.5, 0.5), palette(0));
  expect_color(drawn.at(3.5, 3.5), palette(0));
  expect_color(drawn.at(2, 2), kWhite);  // broken by the NaN
  expect_color(drawn.at(0.5, 3), kWhite);
}

TEST(Render, OnLogarithmicAxesAPowerIsAStraightLine) {
  const Drawn drawn(Panel{.x = {.scale = Scale::log},
                          .y = {.scale = Scale::log},
                          .layers = {Line{{0, 1, 1e4}, {-1, 1, 1e8}, "", {.width = 3}}}});
  expect_color(drawn.at(100, 1e4), palette(0));
  expect_color(drawn.at(100, 1e2), kWhite);
}

TEST(Render, BarsBandsAndMarkersLieAtTheirPlaces) {
  const Drawn drawn(Panel{.layers = {Bars{{0, 1, 2}, {1, 3}, "", {.color = 1, .opacity = 1}},
                                     Band{{3, 4}, {1, 1}, {2, 2}, "", {.color = 2, .opacity = 1}},
                                     Markers{{5}, {1}, {}, "", {.color = 4}, 8}}});
  expect_color(drawn.at(0.5, 0.5), palette(1));
  expect_color(drawn.at(0.5, 1.5), kWhite);
  expect_color(drawn.at(1.5, 2.5), palette(1));
  expect_color(drawn.at(3.5, 1.5), palette(2));
  expect_color(drawn.at(3.5, 2.5), kWhite);
  expect_color(drawn.at(5, 1), palette(4));
  EXPECT_DOUBLE_EQ(drawn.layout().ranges.y.low, 0);  // bars stand on the axis
}

TEST(Render, AHeatMapHasItsFirstRowAtTheFootAndHolesWhereItHasNoNumber) {
  const at::Tensor values = at::tensor({0.0, 1.0, kNan, 2.0}, at::kDouble).view({2, 2});
  const Drawn drawn(Panel{
      .layers = {HeatMap{.values = values, .x_low = 0, .x_high = 2, .y_low = 10, .y_high = 12}}});
  expect_color(drawn.at(0.5, 10.5), color_of(ColorMap::viridis, 0));
  expect_color(drawn.at(1.5, 10.5), color_of(ColorMap::viridis, 0.5));
  expect_color(drawn.at(1.5, 11.5), color_of(ColorMap::viridis, 1));
  expect_color(drawn.at(0.5, 11.5), kWhite);
  EXPECT_DOUBLE_EQ(drawn.layout().ranges.x.low, 0);
  EXPECT_DOUBLE_EQ(drawn.layout().ranges.y.high, 12);
}

TEST(Render, ADivergingMapIsWhiteAtZero) {
  const at::Tensor values = at::tensor({-1.0, 0.0, 4.0}, at::kDouble).view({1, 3});
  const Drawn drawn(Panel{.layers = {HeatMap{.values = values,
                                             .x_low = 0,
                                             .x_high = 3,
                                             .y_low = 0,
                                             .y_high = 1,
                                             .map = ColorMap::diverging}}});
  expect_color(drawn.at(0.5, 0.5), color_of(ColorMap::diverging, 0.375));
  expect_color(drawn.at(1.5, 0.5), color_of(ColorMap::diverging, 0.5));
  expect_color(drawn.at(2.5, 0.5), color_of(ColorMap::diverging, 1));
}

TEST(Render, AHeatMapOnALogarithmicAxisKeepsItsCells) {
  const at::Tensor values = at::tensor({0.0, 1.0}, at::kDouble).view({1, 2});
  const Drawn drawn(Panel{
      .x = {.scale = Scale::log, .low = 1, .high = 100},
      .layers = {HeatMap{.values = values, .x_low = 0, .x_high = 100, .y_low = 0, .y_high = 1}}});
  expect_color(drawn.at(40, 0.5), color_of(ColorMap::viridis, 0));
  expect_color(drawn.at(60, 0.5), color_of(ColorMap::viridis, 1));
}

TEST(Render, APictureKeepsItsShapeItsPixelsAndHasNoAxes) {
  at::Tensor image = at::zeros({3, 2, 4}, at::kByte);
  image[0][0][3] = 200;
  const Drawn drawn(Panel{.title = "x<sub>0</sub>", .layers = {Picture{image}}});
  expect_color(drawn.at(3.5, 1.5), {200 / 255.0, 0, 0});  // row 0 is at the top
  expect_color(drawn.at(3.5, 0.5), {0, 0, 0});
  EXPECT_FALSE(drawn.layout().axes);
  EXPECT_NEAR(drawn.layout().box.width / drawn.layout().box.height, 2, 1e-9);
}

TEST(Render, EqualAspectMakesUnitsEqual) {
  const Drawn drawn(Panel{.layers = {Line{{0, 4}, {0, 1}}}, .equal_aspect = true});
  const Ranges& ranges = drawn.layout().ranges;
  EXPECT_NEAR(drawn.layout().box.width / (ranges.x.high - ranges.x.low),
              drawn.layout().box.height / (ranges.y.high - ranges.y.low), 1e-9);
}

TEST(Render, ContoursArrowsAndInsetsLieAtTheirPlaces) {
  const at::Tensor ramp = at::arange(10, at::kDouble).view({1, 10}).expand({10, 10});
  const auto inner = std::make_shared<Panel>(
      Panel{.x = {.ticks = false},
            .y = {.ticks = false},
            .layers = {HeatMap{ramp * 0, 0, 1, 0, 1, ColorMap::magma, 0, 1, "", false}}});
  const Drawn drawn(Panel{.layers = {Contours{ramp, 0, 10, 0, 10, {4.5}, {.color = 2, .width = 3}},
                                     Arrows{{2, 2}, {2, 8}, {1, 1}, {0, 0}, "", {.width = 3}}},
                          .insets = {{inner, 0.7, 0.7, 0.2, 0.2}}});
  expect_color(drawn.at(5, 5), palette(2));  // 4.5 lies between the middles of cells 4 and 5
  expect_color(drawn.at(6, 5), kWhite);
  expect_color(drawn.at(2, 2), palette(0));
  expect_color(drawn.at(8, 8), color_of(ColorMap::magma, 0));
}

TEST(Render, ConstantDataAndSinglePointsHaveAxesWithALength) {
  for (const double value : {0.0, 5.0, -3e-9, 1e12}) {
    const Drawn drawn(Panel{.layers = {Markers{{value}, {value}, {}, "", {}, 8}}});
    expect_color(drawn.at(value, value), palette(0));
  }
  const Drawn logarithmic(
      Panel{.x = {.scale = Scale::log}, .layers = {Markers{{10}, {1}, {}, "", {}, 8}}});
  expect_color(logarithmic.at(10, 1), palette(0));
}

Figure everything() {
  const at::Tensor grid = at::arange(12, at::kFloat).view({3, 4});
  Panel first{.title = "<i>a</i> & b"};
  first.title = "<i>a</i> &amp; b";
  first.layers = {Line{{0, 1}, {0, 1}, "line"}, Band{{0, 1}, {0, 0}, {1, 2}, "band"},
                  Markers{{0, 1}, {1, 0}, {0.1, 0.2}, "points"}, Bars{{0, 1, 2}, {1, 2}, "bars"}};
  Panel second{.legend = Legend::outside};
  second.layers = {HeatMap{grid, 0, 4, 0, 3}, Contours{grid, 0, 4, 0, 3, {3, 7}},
                   Arrows{{1, 2}, {1, 2}, {1, 0}, {0, 1}, "field"}, Note{1, 1, "x<sub>t</sub>"}};
  Panel third{.layers = {Picture{at::arange(48, at::kByte).view({3, 4, 4})}}};
  return {.title = "All", .panels = {first, second, third}, .columns = 2};
}

std::string_view text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Whether every tag is closed by its own name.
bool well_formed(std::string_view xml) {
  std::vector<std::string_view> open;
  for (std::size_t at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string_view::npos) return false;
    const std::string_view tag = xml.substr(at + 1, end - at - 1);
    if (tag.starts_with('?') || tag.ends_with('/')) continue;
    if (!tag.starts_with('/')) {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
    } else if (open.empty() || open.back() != tag.substr(1)) {
      return false;
    } else {
      open.pop_back();
    }
  }
  return open.empty();
}

TEST(Formats, PngKeepsPixelsAndText) {
  const std::vector<std::byte> png = to_png(everything(), 1, {{"Software", "tinta"}});
  EXPECT_TRUE(at::equal(io::decode_png(png, "f"), rasterise(everything(), 1)));
  EXPECT_EQ(io::png_text(png, "f").at("Software"), "tinta");
}

TEST(Formats, SvgIsWellFormedAndItsTextsAreOutlines) {
  const std::vector<std::byte> svg = to_svg(everything());
  EXPECT_TRUE(text_of(svg).starts_with("<?xml"));
  EXPECT_TRUE(well_formed(text_of(svg)));
  EXPECT_THAT(std::string(text_of(svg)), ::testing::Not(::testing::HasSubstr("<text")));
  EXPECT_THAT(std::string(text_of(svg)), ::testing::Not(::testing::HasSubstr("font")));
}

TEST(Formats, PdfHasItsBeginningAndEndAndNoFont) {
  const std::vector<std::byte> pdf = to_pdf(everything());
  EXPECT_TRUE(text_of(pdf).starts_with("%PDF-"));
  EXPECT_TRUE(text_of(pdf).ends_with("%%EOF\n"));
  EXPECT_THAT(std::string(text_of(pdf)), ::testing::Not(::testing::HasSubstr("FontDescriptor")));
}

TEST(Formats, EqualFiguresGiveEqualBytes) {
  EXPECT_EQ(to_png(everything()), to_png(everything()));
  EXPECT_EQ(to_svg(everything()), to_svg(everything()));
  EXPECT_EQ(to_pdf(everything()), to_pdf(everything()));
}

TEST(Formats, ManyMarkersAreOnePictureInAVectorDrawing) {
  Markers cloud{.x = {}, .y = {}, .size = 1};
  for (int i = 0; i < 100'000; ++i) {
    cloud.x.push_back(std::sin(12.9898 * i));
    cloud.y.push_back(std::cos(78.233 * i));
  }
  EXPECT_LT(to_svg({.panels = {Panel{.layers = {cloud}}}}).size(), 3'000'000U);
}

TEST(Formats, APictureOfTooManyPixelsIsRefused) {
  EXPECT_THROW(rasterise(everything(), 1000), ArgumentError);
  EXPECT_THROW(rasterise(everything(), 0), ArgumentError);
  EXPECT_THROW(rasterise(everything(), kNan), ArgumentError);
}

TEST(Layout, PlotAreasOfAColumnStandAboveEachOther) {
  Panel wide{.y = {.label = "label"}, .layers = {Line{{0, 1}, {0, 1e-7}}}};
  Panel plain{.layers = {Line{{0, 1}, {0, 1}}}};
  const Figure figure{.panels = {wide, plain, plain, wide}, .columns = 2};
  const Page page = page_of(figure);
  EXPECT_DOUBLE_EQ(page.corners[0].x, page.corners[2].x);
  EXPECT_DOUBLE_EQ(page.corners[1].x, page.corners[3].x);
  EXPECT_DOUBLE_EQ(page.corners[0].y, page.corners[1].y);
  for (std::size_t i = 0; i < 4; ++i) {
    const Margins& margins = page.panels[i].margins;
    EXPECT_GE(page.corners[i].x, margins.left);
    EXPECT_LE(page.corners[i].x + figure.panel_width + margins.right, page.size.width);
    EXPECT_LE(page.corners[i].y + figure.panel_height + margins.bottom, page.size.height);
  }
}

}  // namespace
}  // namespace tinta::figures
