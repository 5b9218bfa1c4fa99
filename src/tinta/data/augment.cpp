#include "tinta/data/augment.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"
#include "tinta/core/text.h"

namespace tinta::data {
namespace {

constexpr double kScaleDeviation = 0.2;    // of the binary logarithm; scale and stretch
constexpr double kShiftDeviation = 0.125;  // of the side
constexpr int kReach = 2;                  // of the kernel, in its own pixels

struct Matrix {
  double xx = 1, xy = 0, yx = 0, yy = 1;
};

Matrix operator*(const Matrix& a, const Matrix& b) {
  return {.xx = a.xx * b.xx + a.xy * b.yx,
          .xy = a.xx * b.xy + a.xy * b.yy,
          .yx = a.yx * b.xx + a.yy * b.yx,
          .yy = a.yx * b.xy + a.yy * b.yy};
}

Matrix rotation(double angle) {
  return {
      .xx = std::cos(angle), .xy = -std::sin(angle), .yx = std::sin(angle), .yy = std::cos(angle)};
}

Matrix diagonal(double x, double y) { return {.xx = x, .xy = 0, .yx = 0, .yy = y}; }

/// Where a pixel of the result comes from: `linear` (q - shift), both from their centres.
struct Map {
  Matrix linear;
  double shift_x = 0, shift_y = 0;
};

Map map_of(const Augmentation& augmentation, std::int64_t height, std::int64_t width) {
  const double shrink = std::exp2(-kScaleDeviation * augmentation.scale);
  const double along = std::exp2(-kScaleDeviation * augmentation.stretch);
  const Matrix flip =
      diagonal(augmentation.mirrored > 0 ? -1 : 1, augmentation.upended > 0 ? -1 : 1);
  return {.linear = flip * diagonal(shrink, shrink) * rotation(augmentation.angle) *
                    rotation(-augmentation.axis) * diagonal(along, 1 / along) *
                    rotation(augmentation.axis),
          .shift_x = kShiftDeviation * augmentation.right * static_cast<double>(width),
          .shift_y = kShiftDeviation * augmentation.down * static_cast<double>(height)};
}

/// Keys' cubic: 1 at 0, 0 at the other whole numbers.
double keys(double x) {
  const double d = std::abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2;
  return 0;
}

/// The kernel's own coordinates of a distance between pixels of the source. A map J = P R, P
/// symmetric with the singular values of J, looks at ellipses P of the source; where a singular
/// value is below 1 the source's own pixels are the coarser ones, and it is taken for 1.
struct Footprint {
  Matrix inverse;
  double reach_x = kReach, reach_y = kReach;  // half the sides of a box that holds the kernel
};

Footprint footprint_of(const Matrix& j) {
  const double xx = j.xx * j.xx + j.xy * j.xy, yy = j.yx * j.yx + j.yy * j.yy;
  const double xy = j.xx * j.yx + j.xy * j.yy;
  const double mean = (xx + yy) / 2, radius = std::hypot((xx - yy) / 2, xy);
  const double direction = 0.5 * std::atan2(2 * xy, xx - yy);
  const double wide = std::max(1.0, std::sqrt(mean + radius));
  const double narrow = std::max(1.0, std::sqrt(std::max(0.0, mean - radius)));
  if (wide == 1) return {};
  const Matrix there = rotation(direction), back = rotation(-direction);
  const Matrix p = there * diagonal(wide, narrow) * back;
  return {.inverse = there * diagonal(1 / wide, 1 / narrow) * back,
          .reach_x = kReach * (std::abs(p.xx) + std::abs(p.xy)),
          .reach_y = kReach * (std::abs(p.yx) + std::abs(p.yy))};
}

/// The pixel that stands at `i` where a row goes on reflected about its end pixels.
std::int64_t reflected(std::int64_t i, std::int64_t size) {
  if (size == 1) return 0;
  const std::int64_t period = 2 * size - 2;
  const std::int64_t place = ((i % period) + period) % period;
  return place < size ? place : period - place;
}

/// One picture [C,H,W] to another, both contiguous.
void resample(const float* from, float* to, at::IntArrayRef sizes, const Map& map) {
  const std::int64_t channels = sizes[0], height = sizes[1], width = sizes[2];
  const std::int64_t pixels = height * width;
  const double centre_x = static_cast<double>(width - 1) / 2;
  const double centre_y = static_cast<double>(height - 1) / 2;
  const Footprint footprint = footprint_of(map.linear);
  std::vector<double> sums(static_cast<std::size_t>(channels));
  for (std::int64_t place = 0; place < pixels; ++place) {
    const double x = static_cast<double>(place % width) - centre_x - map.shift_x;
    const double y = static_cast<double>(place / width) - centre_y - map.shift_y;
    const double source_x = map.linear.xx * x + map.linear.xy * y + centre_x;
    const double source_y = map.linear.yx * x + map.linear.yy * y + centre_y;
    std::fill(sums.begin(), sums.end(), 0.0);
    double total = 0;
    const auto last_row = static_cast<std::int64_t>(std::floor(source_y + footprint.reach_y));
    const auto last_column = static_cast<std::int64_t>(std::floor(source_x + footprint.reach_x));
    for (auto row = static_cast<std::int64_t>(std::ceil(source_y - footprint.reach_y));
         row <= last_row; ++row) {
      const double dy = static_cast<double>(row) - source_y;
      const float* const line = from + reflected(row, height) * width;
      for (auto column = static_cast<std::int64_t>(std::ceil(source_x - footprint.reach_x));
           column <= last_column; ++column) {
        const double dx = static_cast<double>(column) - source_x;
        const double weight = keys(footprint.inverse.xx * dx + footprint.inverse.xy * dy) *
                              keys(footprint.inverse.yx * dx + footprint.inverse.yy * dy);
        if (weight == 0) continue;
        total += weight;
        const float* const pixel = line + reflected(column, width);
        for (std::size_t c = 0; c < sums.size(); ++c) {
          sums[c] += weight * static_cast<double>(pixel[static_cast<std::int64_t>(c) * pixels]);
        }
      }
    }
    for (std::size_t c = 0; c < sums.size(); ++c) {
      to[static_cast<std::int64_t>(c) * pixels + place] = static_cast<float>(sums[c] / total);
    }
  }
}

void require_pictures(const at::Tensor& pictures, std::int64_t dimensions, const char* sizes) {
  if (pictures.defined() && pictures.dim() == dimensions && pictures.is_cpu() &&
      pictures.scalar_type() == at::kFloat && pictures.numel() > 0) {
    return;
  }
  throw ArgumentError(c10::str("[augmented] expected pictures ", sizes, " float32 on the CPU, got ",
                               pictures.defined()
                                   ? c10::str(pictures.toString(), " ", pictures.sizes())
                                   : std::string("an undefined tensor")));
}

/// Whether pixels move, beyond being mirrored.
bool moves(const Augmentation& augmentation) {
  return augmentation.scale != 0 || augmentation.angle != 0 || augmentation.stretch != 0 ||
         augmentation.right != 0 || augmentation.down != 0;
}

}  // namespace

std::array<double, 9> Augmentation::labels() const {
  return {mirrored,
          upended,
          scale,
          std::cos(angle) - 1,
          std::sin(angle),
          stretch * std::cos(axis),
          stretch * std::sin(axis),
          right,
          down};
}

Augmentation draw_augmentation(double probability, std::uint64_t seed, std::uint64_t sample) {
  const RandomKey uniforms{.seed = seed, .stream = Stream::augment, .sample = sample, .step = 1};
  const RandomKey normals{.seed = seed, .stream = Stream::augment, .sample = sample, .step = 2};
  const auto chance = [&](std::uint32_t index, double share) {
    return random_uniform(uniforms, index) < share;
  };
  const auto turn = [&](std::uint32_t index) {
    return (2 * random_uniform(uniforms, index) - 1) * std::numbers::pi;
  };
  Augmentation out;
  out.mirrored = chance(0, 0.5) ? 1 : 0;
  out.upended = chance(1, probability) && chance(2, 0.5) ? 1 : 0;
  if (chance(3, probability)) out.scale = random_normal(normals, 0);
  if (chance(4, probability)) out.angle = turn(5);
  if (chance(6, probability)) {
    out.stretch = random_normal(normals, 1);
    if (chance(7, 0.5)) out.axis = turn(8);
  }
  if (chance(9, probability)) {
    out.right = random_normal(normals, 2);
    out.down = random_normal(normals, 3);
  }
  return out;
}

at::Tensor augmented(const at::Tensor& picture, const Augmentation& augmentation) {
  require_pictures(picture, 3, "[C,H,W]");
  if (!moves(augmentation)) {
    std::vector<std::int64_t> dimensions;
    if (augmentation.upended > 0) dimensions.push_back(1);
    if (augmentation.mirrored > 0) dimensions.push_back(2);
    return dimensions.empty() ? picture : picture.flip(dimensions);
  }
  const at::Tensor from = picture.contiguous();
  at::Tensor to = at::empty_like(from);
  resample(from.const_data_ptr<float>(), to.mutable_data_ptr<float>(), from.sizes(),
           map_of(augmentation, from.size(1), from.size(2)));
  return to;
}

Augmented augmented(const at::Tensor& pictures, double probability, std::uint64_t seed,
                    std::uint64_t first_sample) {
  require_pictures(pictures, 4, "[B,C,H,W]");
  if (!(probability >= 0 && probability <= 1)) {
    throw ArgumentError("[augmented] expected a probability in [0, 1], got " +
                        shortest(probability));
  }
  Augmented out{.pictures = at::empty_like(pictures, at::MemoryFormat::Contiguous),
                .labels = at::empty({pictures.size(0), kAugmentLabels}, at::kFloat)};
  at::parallel_for(0, pictures.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Augmentation drawn =
          draw_augmentation(probability, seed, first_sample + static_cast<std::uint64_t>(i));
      out.pictures[i].copy_(augmented(pictures[i], drawn));
      const auto labels = drawn.labels();
      std::transform(labels.begin(), labels.end(),
                     out.labels.mutable_data_ptr<float>() + i * kAugmentLabels,
                     [](double value) { return static_cast<float>(value); });
    }
  });
  return out;
}

}  // namespace tinta::data
