#include "tinta/data/glyph_pen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "tinta/core/philox.h"
#include "tinta/data/digits.h"
#include "tinta/data/path.h"

namespace tinta::data {
namespace {

// Lengths below are in units of the picture's side; 1 / 28 is a pixel of MNIST.
constexpr double kPixel = 1.0 / 28;
constexpr int kPartsPerSpan = 5;

/// The random numbers of one picture, one after another.
class Draws {
 public:
  explicit Draws(const RandomKey& key) : key_(key) {}
  double between(double low, double high) {
    return low + (high - low) * random_uniform(key_, next_++);
  }
  std::size_t below(std::size_t n) {
    return static_cast<std::size_t>(random_uniform(key_, next_++) * static_cast<double>(n));
  }

 private:
  RandomKey key_;
  std::uint32_t next_ = 0;
};

/// A plane sine wave of low frequency and random direction: one mode of an elastic displacement.
struct Wave {
  double amplitude, frequency_x, frequency_y, phase;

  Wave(Draws& draws, double largest_amplitude, double largest_frequency)
      : amplitude(draws.between(0, largest_amplitude)),
        frequency_x(draws.between(-largest_frequency, largest_frequency)),
        frequency_y(draws.between(-largest_frequency, largest_frequency)),
        phase(draws.between(0, 1)) {}

  [[nodiscard]] double operator()(Point p) const {
    return amplitude *
           std::sin(2 * std::numbers::pi * (frequency_x * p.x + frequency_y * p.y + phase));
  }
};

/// The hand: every knot trembles a little, the digit leans, and the paper is warped.
std::vector<Path> write_strokes(const DigitDesign& design, Draws& draws) {
  const double lean = draws.between(-0.25, 0.25);
  const double angle = draws.between(-12, 12) * std::numbers::pi / 180;
  const double width = draws.between(0.85, 1.25);
  const Affine map = Affine::rotation(angle)
                         .after(Affine{1, lean, 0, 1, {}})
                         .after(Affine::scale(width, 1))
                         .after(Affine::translation({-0.32, -0.5}));
  const std::array<Wave, 2> warp_x = {Wave(draws, 0.05, 0.8), Wave(draws, 0.03, 1.2)};
  const std::array<Wave, 2> warp_y = {Wave(draws, 0.05, 0.8), Wave(draws, 0.03, 1.2)};
  std::vector<Path> strokes;
  for (const Path& stroke : design) {
    Path knots = stroke;
    Point tremble;
    for (std::size_t i = 0; i < knots.size(); ++i) {
      const bool corner = i > 0 && stroke[i] == stroke[i - 1];  // both of its knots move as one
      if (!corner) tremble = {draws.between(-0.022, 0.022), draws.between(-0.022, 0.022)};
      knots[i] = knots[i] + tremble;
    }
    Path curve = smooth(knots, kPartsPerSpan);
    for (Point& p : curve) {
      const Point q = map(p);
      p = q + Point{warp_x[0](q) + warp_x[1](q), warp_y[0](q) + warp_y[1](q)};
    }
    strokes.push_back(std::move(curve));
  }
  return strokes;
}

/// Brings the digit to a box about 18 MNIST pixels high or wide, in the middle of the picture but
/// for a small shift: with the pen's width, the 20 pixels of MNIST.
void place(std::vector<Path>& strokes, Draws& draws) {
  Path all;
  for (const Path& stroke : strokes) all.insert(all.end(), stroke.begin(), stroke.end());
  const Box box = bounding_box(all);
  const Point extent = box.high - box.low;
  const double side = draws.between(16, 19) * kPixel / std::max(extent.x, extent.y);
  const Point shift{draws.between(-1.2, 1.2) * kPixel, draws.between(-1.2, 1.2) * kPixel};
  const Affine map = Affine::translation(Point{0.5, 0.5} + shift)
                         .after(Affine::scale(side, side))
                         .after(Affine::translation(-1 * box.centre()));
  for (Path& stroke : strokes) stroke = map(stroke);
}

/// Distance from p to the segment a-b, less a radius that goes linearly from one end to the other.
struct Nib {
  Point a, b;
  double radius_a, radius_b;

  [[nodiscard]] double distance(Point p) const {
    const Point along = b - a, from = p - a;
    const double squared = along.x * along.x + along.y * along.y;
    const double t =
        squared > 0 ? std::clamp((from.x * along.x + from.y * along.y) / squared, 0.0, 1.0) : 0;
    const Point gap = from - t * along;
    return std::sqrt(gap.x * gap.x + gap.y * gap.y) - (radius_a + t * (radius_b - radius_a));
  }
};

/// Lowers the distances of the pixels that the nib or its soft edge can touch. All in pixels.
void lower_distances(const Nib& nib, std::int64_t size, std::span<float> distances) {
  const double reach = std::max(nib.radius_a, nib.radius_b) + 0.5;
  const auto first = [&](double u) {
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(u - reach)));
  };
  const auto last = [&](double u) {
    return std::min<std::int64_t>(size - 1, static_cast<std::int64_t>(std::ceil(u + reach)));
  };
  const auto [left, right] = std::minmax(nib.a.x, nib.b.x);
  const auto [top, bottom] = std::minmax(nib.a.y, nib.b.y);
  for (std::int64_t y = first(top); y <= last(bottom); ++y) {
    for (std::int64_t x = first(left); x <= last(right); ++x) {
      const Point centre{static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
      float& lowest = distances[static_cast<std::size_t>(y * size + x)];
      lowest = std::min(lowest, static_cast<float>(nib.distance(centre)));
    }
  }
}

}  // namespace

void draw_glyph(std::uint64_t seed, std::uint64_t index, std::int64_t size,
                std::span<std::uint8_t> out) {
  Draws draws({.seed = seed, .stream = Stream::draw, .sample = index});
  const auto designs = digit_designs(static_cast<int>(index % 10));
  std::vector<Path> strokes = write_strokes(designs[draws.below(designs.size())], draws);
  place(strokes, draws);

  const double thickness = draws.between(0.85, 1.65) * kPixel;  // half the width of the line
  const Wave pressure(draws, 0.22, 1.5);
  const auto pixels = static_cast<double>(size);
  const auto radius = [&](Point p) { return pixels * thickness * (1 + pressure(p)); };
  std::vector<float> distances(out.size(), 1.0F);  // 0.5 and more is black
  for (const Path& stroke : strokes) {
    for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
      lower_distances({.a = pixels * stroke[i],
                       .b = pixels * stroke[i + 1],
                       .radius_a = radius(stroke[i]),
                       .radius_b = radius(stroke[i + 1])},
                      size, distances);
    }
  }
  // One pixel of soft edge: the share of a pixel that a straight edge at this distance covers.
  std::transform(distances.begin(), distances.end(), out.begin(), [](float distance) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(0.5F - distance, 0.0F, 1.0F)));
  });
}

}  // namespace tinta::data
