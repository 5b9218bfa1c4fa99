#include "tinta/lab/ink_shape.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "tinta/core/philox.h"
#include "tinta/data/path.h"

namespace tinta::lab {
namespace {

/// A strand of ink along a curve, from one radius to another.
struct Strand {
  double share;  // of the ink
  double first_radius, last_radius;
  data::Path curve;
};

Strand strand(double share, double first_radius, double last_radius,
              const std::vector<data::Point>& knots) {
  return {share, first_radius, last_radius, data::smooth(knots, 24)};
}

std::vector<Strand> strands() {
  return {
      strand(0.14, 0.010, 0.022,
             {{0.490, 0.970},
              {0.512, 0.900},
              {0.492, 0.820},
              {0.506, 0.730},
              {0.500, 0.640},
              {0.500, 0.580}}),
      strand(0.21, 0.030, 0.009,
             {{0.500, 0.575},
              {0.430, 0.570},
              {0.362, 0.606},
              {0.332, 0.670},
              {0.362, 0.730},
              {0.420, 0.728},
              {0.440, 0.684},
              {0.412, 0.654},
              {0.388, 0.672}}),
      strand(0.20, 0.030, 0.008,
             {{0.500, 0.575},
              {0.574, 0.564},
              {0.640, 0.592},
              {0.676, 0.652},
              {0.652, 0.716},
              {0.594, 0.724},
              {0.568, 0.686},
              {0.592, 0.652},
              {0.618, 0.668}}),
      strand(0.17, 0.036, 0.036, {{0.430, 0.580}, {0.500, 0.562}, {0.570, 0.576}}),
      strand(0.06, 0.016, 0.006, {{0.412, 0.566}, {0.392, 0.510}, {0.404, 0.455}, {0.386, 0.405}}),
      strand(0.08, 0.020, 0.007, {{0.500, 0.550}, {0.516, 0.480}, {0.496, 0.415}, {0.510, 0.340}}),
      strand(0.05, 0.015, 0.006, {{0.598, 0.566}, {0.618, 0.510}, {0.600, 0.465}}),
      strand(0.03, 0.020, 0.020, {{0.386, 0.402}, {0.386, 0.398}}),
      strand(0.04, 0.024, 0.024, {{0.510, 0.332}, {0.510, 0.328}}),
      strand(0.02, 0.016, 0.016, {{0.599, 0.461}, {0.599, 0.457}}),
  };
}

data::Point along(const data::Path& curve, double place) {
  const double at = place * static_cast<double>(curve.size() - 1);
  const std::size_t i = std::min(static_cast<std::size_t>(at), curve.size() - 2);
  return curve[i] + (at - static_cast<double>(i)) * (curve[i + 1] - curve[i]);
}

data::Point draw(const std::vector<Strand>& all, const RandomKey& key) {
  double share = random_uniform(key, 0);
  std::size_t which = 0;
  while (which + 1 < all.size() && share >= all[which].share) share -= all[which++].share;
  const Strand& chosen = all[which];
  const double place = random_uniform(key, 1);
  // Uniform in the radius: densest on the curve, nothing beyond the strand's radius.
  const double radius = random_uniform(key, 2) *
                        (chosen.first_radius + place * (chosen.last_radius - chosen.first_radius));
  const double angle = 2 * std::numbers::pi * random_uniform(key, 3);
  return along(chosen.curve, place) + radius * data::Point{std::cos(angle), std::sin(angle)};
}

}  // namespace

at::Tensor ink_drop_points(std::int64_t count, std::uint64_t seed) {
  const std::vector<Strand> all = strands();
  at::Tensor points = at::empty({count, 2}, at::kFloat);
  auto* out = points.mutable_data_ptr<float>();
  at::parallel_for(0, count, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const data::Point p =
          draw(all, {.seed = seed, .stream = Stream::lab, .sample = static_cast<std::uint64_t>(i)});
      out[2 * i] = static_cast<float>(p.x);
      out[2 * i + 1] = static_cast<float>(p.y);
    }
  });
  return points;
}

}  // namespace tinta::lab
