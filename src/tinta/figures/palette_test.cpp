#include "tinta/figures/palette.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/error.h"

namespace tinta::figures {
namespace {

TEST(Lightness, IsThatOfCie) {
  EXPECT_NEAR(lightness({0, 0, 0}), 0, 1e-9);
  EXPECT_NEAR(lightness({1, 1, 1}), 100, 1e-4);
  EXPECT_NEAR(lightness({0.5, 0.5, 0.5}), 53.39, 0.01);  // sRGB 50% grey
}

TEST(Palette, ColoursDifferInLightnessAndAreDarkerThanPaper) {
  for (int i = 0; i < kPaletteSize; ++i) {
    EXPECT_LT(lightness(palette(i)), 82) << i;
    for (int j = 0; j < i; ++j) {
      EXPECT_GT(std::abs(lightness(palette(i)) - lightness(palette(j))), 7.5) << i << " " << j;
    }
  }
  // Figures mostly use the first three.
  EXPECT_GT(std::abs(lightness(palette(0)) - lightness(palette(1))), 30);
  EXPECT_GT(std::abs(lightness(palette(1)) - lightness(palette(2))), 15);
  EXPECT_GT(std::abs(lightness(palette(0)) - lightness(palette(2))), 15);
}

TEST(Palette, HasBlackGreyAndWhiteAndNothingElse) {
  EXPECT_LT(lightness(palette(-1)), 15);
  EXPECT_NEAR(lightness(palette(-3)), 100, 1e-4);
  EXPECT_THROW(palette(-4), ArgumentError);
  EXPECT_THROW(palette(kPaletteSize), ArgumentError);
}

TEST(ColorMaps, RiseInLightness) {
  for (const ColorMap map : {ColorMap::viridis, ColorMap::magma, ColorMap::grey}) {
    for (int i = 1; i <= 100; ++i) {
      EXPECT_GT(lightness(color_of(map, i / 100.0)), lightness(color_of(map, (i - 1) / 100.0)))
          << static_cast<int>(map) << " " << i;
    }
  }
}

TEST(ColorMaps, DivergingRisesToItsMiddleAndFallsAlike) {
  for (int i = 1; i <= 50; ++i) {
    const double near = (i - 1) / 100.0, far = i / 100.0;
    EXPECT_LT(lightness(color_of(ColorMap::diverging, near)),
              lightness(color_of(ColorMap::diverging, far)));
    // Equal sizes of either sign look equally strong.
    EXPECT_NEAR(lightness(color_of(ColorMap::diverging, far)),
                lightness(color_of(ColorMap::diverging, 1 - far)), 1.5);
  }
  const Rgb middle = color_of(ColorMap::diverging, 0.5);
  EXPECT_DOUBLE_EQ(middle.r, middle.b);
}

TEST(ColorMaps, ClampTheirShare) {
  EXPECT_DOUBLE_EQ(color_of(ColorMap::grey, -1).r, 0);
  EXPECT_DOUBLE_EQ(color_of(ColorMap::grey, 2).r, 1);
  EXPECT_DOUBLE_EQ(color_of(ColorMap::grey, 0.25).g, 0.25);
}

}  // namespace
}  // namespace tinta::figures
