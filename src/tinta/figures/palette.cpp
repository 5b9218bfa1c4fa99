#include "tinta/figures/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "tinta/core/error.h"

namespace tinta::figures {
namespace {

constexpr Rgb unpacked(std::uint32_t hex) {
  return {(hex >> 16 & 0xFF) / 255.0, (hex >> 8 & 0xFF) / 255.0, (hex & 0xFF) / 255.0};
}

// Neighbours differ by at least 18 in lightness: figures mostly use the first two or three.
constexpr std::array<std::uint32_t, kPaletteSize> kPalette{0x04598C, 0xEAA30A, 0xD45E02, 0x84CFFF,
                                                           0x047A58, 0xD27EAC, 0x611545};

// Every sixteenth of the published tables of 256 colours, which are smooth.
constexpr std::array<std::uint32_t, 17> kViridis{
    0x440154, 0x48186A, 0x472D7B, 0x424086, 0x3B528B, 0x33638D, 0x2C728E, 0x26818E, 0x21908C,
    0x1F9F88, 0x28AE80, 0x3EBC74, 0x5DC963, 0x82D34C, 0xABDC32, 0xD5E21A, 0xFDE725};
constexpr std::array<std::uint32_t, 17> kMagma{
    0x000004, 0x0A0822, 0x1D1146, 0x36106A, 0x50127C, 0x691C81, 0x822681, 0x9C2E7F, 0xB63779,
    0xCF4170, 0xE65163, 0xF5695C, 0xFB8761, 0xFEA571, 0xFEC387, 0xFDE0A2, 0xFCFDBF};
// Hues 275 and 38 degrees of CIE LCh, lightness 97 in the middle falling evenly to 32, with as much
// chroma as sRGB holds.
constexpr std::array<std::uint32_t, 17> kDiverging{
    0x054D87, 0x0561A7, 0x0575C9, 0x368AE1, 0x689EEA, 0x8FB3F1, 0xB3C9F4, 0xD6DFF6, 0xF6F6F6,
    0xF7D9D1, 0xF4BBAE, 0xED9F8D, 0xE2836E, 0xD36852, 0xC14D39, 0xAC3424, 0x941A10};
constexpr std::array<std::uint32_t, 2> kGrey{0x000000, 0xFFFFFF};

std::span<const std::uint32_t> points_of(ColorMap map) {
  switch (map) {
    case ColorMap::viridis:
      return kViridis;
    case ColorMap::magma:
      return kMagma;
    case ColorMap::diverging:
      return kDiverging;
    case ColorMap::grey:
      break;
  }
  return kGrey;
}

double linear_light(double channel) {
  return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}

}  // namespace

Rgb palette(int place) {
  if (place == -1) return kBlack;
  if (place == -2) return {0.55, 0.55, 0.55};
  if (place == -3) return {1, 1, 1};
  if (place < 0 || place >= kPaletteSize) {
    throw ArgumentError("[figures] expected a colour of -3 to 6, got " + std::to_string(place));
  }
  return unpacked(kPalette[static_cast<std::size_t>(place)]);
}

Rgb color_of(ColorMap map, double share) {
  const std::span<const std::uint32_t> points = points_of(map);
  const double last = static_cast<double>(points.size() - 1);
  const double place = std::clamp(share, 0.0, 1.0) * last;
  const double below = std::min(std::floor(place), last - 1);
  const Rgb a = unpacked(points[static_cast<std::size_t>(below)]);
  const Rgb b = unpacked(points[static_cast<std::size_t>(below) + 1]);
  const double w = place - below;
  return {a.r + w * (b.r - a.r), a.g + w * (b.g - a.g), a.b + w * (b.b - a.b)};
}

double lightness(const Rgb& color) {
  const double y = 0.2126729 * linear_light(color.r) + 0.7151522 * linear_light(color.g) +
                   0.0721750 * linear_light(color.b);
  constexpr double kDark = 216.0 / 24389, kSlope = 24389.0 / 27;
  return y <= kDark ? kSlope * y : 116 * std::cbrt(y) - 16;
}

}  // namespace tinta::figures
