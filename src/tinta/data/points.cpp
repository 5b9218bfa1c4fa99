#include "tinta/data/points.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"
#include "tinta/core/text.h"
#include "tinta/data/path.h"

namespace tinta::data {
namespace {

using std::numbers::pi;

/// The random numbers of one point: uniforms u and v in [0, 1), and a standard normal pair.
/// Pictures draw with step 0 of the same stream.
struct Draws {
  double u, v;
  Point normal;

  Draws(std::uint64_t seed, std::uint64_t index) {
    const RandomKey uniforms{.seed = seed, .stream = Stream::draw, .sample = index, .step = 1};
    const RandomKey normals{.seed = seed, .stream = Stream::draw, .sample = index, .step = 2};
    u = random_uniform(uniforms, 0);
    v = random_uniform(uniforms, 1);
    normal = {random_normal(normals, 0), random_normal(normals, 1)};
  }
};

Point on_circle(double angle) { return {std::cos(angle), std::sin(angle)}; }

/// A point set before standardisation, with its exact mean and the larger of its two variances.
struct PointSet {
  std::string name;
  Point mean;
  double variance;
  Point (*draw)(const Draws&);
};

constexpr double kMoonNoise = 0.06;
constexpr double kRingNoise = 0.08;
constexpr double kRollNoise = 0.4;
constexpr double kGaussianWidth = 0.1;

/// Two half circles, half each, a in [0, pi): (cos a, sin a) and (1 - cos a, 1/2 - sin a).
/// E cos a = 0, E sin a = 2/pi, E cos^2 a = E sin^2 a = 1/2, hence
///   E x = (0 + 1)/2 = 1/2,            E x^2 = (1/2 + 3/2)/2 = 1,
///   E y = (2/pi + 1/2 - 2/pi)/2 = 1/4, E y^2 = (1/2 + 1/4 - 2/pi + 1/2)/2 = 5/8 - 1/pi,
/// var x = 3/4 is the larger (var y = 9/16 - 1/pi), each with the noise's variance added.
PointSet moons() {
  return {"moons", {0.5, 0.25}, 0.75 + kMoonNoise * kMoonNoise, [](const Draws& d) {
            const Point p = on_circle(pi * d.u);
            const Point moon = d.v < 0.5 ? p : Point{1, 0.5} - p;
            return moon + kMoonNoise * d.normal;
          }};
}

/// Circles of radius 1, 2 and 3, equally dense along their length: probabilities 1/6, 2/6, 3/6.
/// var x = var y = E r^2 / 2 = (1 + 8 + 27) / 12 = 3.
PointSet rings() {
  return {"rings", {0, 0}, 3 + kRingNoise * kRingNoise, [](const Draws& d) {
            const double radius = d.v < 1.0 / 6 ? 1 : (d.v < 0.5 ? 2 : 3);
            return radius * on_circle(2 * pi * d.u) + kRingNoise * d.normal;
          }};
}

/// (t cos t, t sin t), t uniform in [3 pi/2, 9 pi/2), a length of 3 pi. By parts,
///   E t cos t = [t sin t + cos t] / (3 pi) = 6 pi / (3 pi) = 2,
///   E t sin t = [sin t - t cos t] / (3 pi) = 2 / (3 pi),
///   E t^2 = [t^3 / 3] / (3 pi) = 39 pi^2 / 4,
///   E t^2 cos 2t = [t^2 sin(2t)/2 + t cos(2t)/2 - sin(2t)/4] / (3 pi) = -1/2.
/// E x^2 = (E t^2 + E t^2 cos 2t)/2 and E y^2 = (E t^2 - E t^2 cos 2t)/2, so that
/// var y = 39 pi^2/8 + 1/4 - 4/(9 pi^2) is the larger (var x = 39 pi^2/8 - 1/4 - 4).
PointSet swiss_roll() {
  return {"swiss-roll",
          {2, 2 / (3 * pi)},
          39 * pi * pi / 8 + 0.25 - 4 / (9 * pi * pi) + kRollNoise * kRollNoise,
          [](const Draws& d) {
            const double t = pi * (1.5 + 3 * d.u);
            return t * on_circle(t) + kRollNoise * d.normal;
          }};
}

/// Eight Gaussians with their means on the unit circle. var x = var y = 1/2 + their own variance.
PointSet gaussians() {
  return {"gaussians", {0, 0}, 0.5 + kGaussianWidth * kGaussianWidth, [](const Draws& d) {
            return on_circle(pi / 4 * std::floor(8 * d.u)) + kGaussianWidth * d.normal;
          }};
}

/// The eight dark unit squares of a 4 x 4 board, cells (i, j) with i + j even. Each column holds
/// two, so that x, and likewise y, is uniform on a length of 4: mean 2, variance 16/12.
PointSet checkerboard() {
  return {"checkerboard", {2, 2}, 4.0 / 3, [](const Draws& d) {
            const double column = std::floor(4 * d.u);
            const double lower = std::fmod(column, 2);  // row of the column's lower dark square
            // v picks one of the two squares, and the place in it.
            const double square = std::floor(2 * d.v);
            return Point{4 * d.u, lower + 2 * square + (2 * d.v - square)};
          }};
}

std::span<const PointSet> point_sets() {
  static const std::vector<PointSet> sets = {moons(), rings(), swiss_roll(), gaussians(),
                                             checkerboard()};
  return sets;
}

const PointSet& find(const std::string& name) {
  for (const PointSet& set : point_sets()) {
    if (set.name == name) return set;
  }
  throw ArgumentError("[draw_points] expected the name of a point set, got \"" + name + "\"" +
                      suggestion(name, point_set_names()));
}

}  // namespace

std::vector<std::string> point_set_names() {
  std::vector<std::string> names;
  for (const PointSet& set : point_sets()) names.push_back(set.name);
  return names;
}

at::Tensor draw_points(const std::string& name, std::int64_t count, std::uint64_t seed) {
  const PointSet& set = find(name);
  if (count < 1) {
    throw ArgumentError("[draw_points] expected a count of at least 1, got " +
                        std::to_string(count));
  }
  at::Tensor points = at::empty({count, 2}, at::kFloat);
  float* const out = points.mutable_data_ptr<float>();
  const double scale = 1 / std::sqrt(set.variance);
  at::parallel_for(0, count, 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Point p = scale * (set.draw(Draws(seed, static_cast<std::uint64_t>(i))) - set.mean);
      out[2 * i] = static_cast<float>(p.x);
      out[2 * i + 1] = static_cast<float>(p.y);
    }
  });
  return points;
}

}  // namespace tinta::data
