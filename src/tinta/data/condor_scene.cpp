#include "tinta/data/condor_scene.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace tinta::data {
namespace {

struct Stop {
  double y;
  Color color;
};

constexpr std::array<Stop, 6> kSky = {{{0.0, rgb(0x232A5C)},
                                       {0.24, rgb(0x51437F)},
                                       {0.44, rgb(0xA95C86)},
                                       {0.60, rgb(0xE9826A)},
                                       {0.72, rgb(0xFBB56C)},
                                       {0.84, rgb(0xFFE3A0)}}};
constexpr Point kSun{0.735, 0.735};

Color gradient(double y) {
  if (y <= kSky.front().y) return kSky.front().color;
  for (std::size_t i = 1; i < kSky.size(); ++i) {
    if (y > kSky[i].y) continue;
    const double share = (y - kSky[i - 1].y) / (kSky[i].y - kSky[i - 1].y);
    // Smoothstep: no visible bands at the stops.
    return mix(kSky[i - 1].color, kSky[i].color,
               static_cast<float>(share * share * (3 - 2 * share)));
  }
  return kSky.back().color;
}

double bell(double x, double width) { return std::exp(-0.5 * x * x / (width * width)); }

struct Cloud {
  Point centre;
  double width, height, tilt, strength;
};

constexpr std::array<Cloud, 6> kClouds = {{{{0.16, 0.585}, 0.17, 0.010, -0.03, 0.55},
                                           {{0.36, 0.64}, 0.13, 0.008, 0.02, 0.5},
                                           {{0.86, 0.56}, 0.15, 0.011, -0.04, 0.55},
                                           {{0.62, 0.605}, 0.10, 0.006, 0.01, 0.4},
                                           {{0.88, 0.14}, 0.16, 0.012, -0.10, 0.22},
                                           {{0.10, 0.20}, 0.14, 0.010, -0.08, 0.18}}};

/// Height of a range above its foot, 0..1: triangle waves, whose ratios are irrational so that the
/// range never repeats.
double crest(double x, double phase) {
  const auto triangle = [](double u) { return 1 - 2 * std::abs(u - std::floor(u) - 0.5); };
  constexpr std::array<std::array<double, 2>, 5> kWaves = {
      {{1.31, 0.46}, {2.17, 0.25}, {4.73, 0.15}, {11.3, 0.09}, {27.1, 0.05}}};
  double height = 0;
  double offset = phase;
  for (const auto& [frequency, weight] : kWaves) {
    height += weight * triangle(frequency * x + offset);
    offset = 1.7 * offset + 0.31;
  }
  return height;
}

struct Range {
  double foot, height, phase;
  Color top, base;

  [[nodiscard]] double y(double x) const { return foot - height * crest(x, phase); }
};

constexpr double kStep = 1.0 / 400;

/// The closed area between two curves y(x).
template <class Upper, class Lower>
Path area(double left, double right, Upper upper, Lower lower) {
  Path path;
  // Multiples of the step wherever the picture begins, so that it is the same one at every size.
  const auto first = static_cast<std::int64_t>(std::floor(left / kStep));
  const auto last = static_cast<std::int64_t>(std::ceil(right / kStep));
  for (std::int64_t i = first; i <= last; ++i) {
    const double x = static_cast<double>(i) * kStep;
    path.push_back({x, upper(x)});
  }
  for (std::int64_t i = last; i >= first; --i) {
    const double x = static_cast<double>(i) * kStep;
    path.push_back({x, lower(x)});
  }
  return path;
}

void add_range(const Range& range, double left, double right, double bottom,
               std::vector<Shape>& shapes) {
  shapes.push_back({area(
                        left, right, [&](double x) { return range.y(x); },
                        [&](double) { return std::max(bottom, range.foot); }),
                    {range.top, range.base, {0, range.foot - range.height}, {0, range.foot}}});
}

/// Snow above a ragged line.
void add_snow(const Range& range, double snow_line, double left, double right,
              std::vector<Shape>& shapes) {
  const auto lower = [&](double x) {
    return std::max(range.y(x), snow_line + 0.09 * (crest(4.3 * x, 0.6) - 0.5));
  };
  shapes.push_back(
      {area(
           left, right, [&](double x) { return range.y(x); }, lower),
       {rgb(0xFFDCC4), rgb(0xC98FA6), {0, range.foot - range.height}, {0, snow_line + 0.02}}});
}

}  // namespace

Color dusk_sky(Point p) {
  Color color = gradient(p.y);
  const double distance = std::hypot(p.x - kSun.x, p.y - kSun.y);
  color = mix(color, rgb(0xFFD98A), static_cast<float>(0.75 * bell(distance, 0.14)));
  for (const Cloud& cloud : kClouds) {
    const double x = p.x - cloud.centre.x;
    const double y = p.y - cloud.centre.y - cloud.tilt * x;
    const Color lit =
        mix(rgb(0x7C4B80), rgb(0xFFC08A), static_cast<float>(std::clamp(p.y, 0., 1.)));
    color = mix(color, lit,
                static_cast<float>(cloud.strength * bell(x, cloud.width) * bell(y, cloud.height)));
  }
  return color;
}

std::vector<Shape> mountains(double left, double right, double bottom) {
  const Range far{0.90, 0.22, 0.15, rgb(0xB0708A), rgb(0xD99A86)};
  const Range middle{1.0, 0.31, 0.52, rgb(0x5B4274), rgb(0x8A5878)};
  const Range near{1.07, 0.27, 0.83, rgb(0x191630), rgb(0x0D0B1A)};
  std::vector<Shape> shapes;
  Path sun;
  for (int i = 0; i < 64; ++i) {
    const double angle = 2 * std::numbers::pi * i / 64;
    sun.push_back(kSun + 0.055 * Point{std::cos(angle), std::sin(angle)});
  }
  shapes.push_back({sun, Paint::flat(rgb(0xFFF3CF))});
  add_range(far, left, right, bottom, shapes);
  add_range(middle, left, right, bottom, shapes);
  add_snow(middle, 0.815, left, right, shapes);
  add_range(near, left, right, bottom, shapes);
  return shapes;
}

}  // namespace tinta::data
