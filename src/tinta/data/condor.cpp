#include "tinta/data/condor.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/data/canvas.h"
#include "tinta/data/condor_bird.h"
#include "tinta/data/condor_scene.h"

namespace tinta::data {
namespace {

constexpr std::int64_t kSmallest = 8, kLargest = 4096;

/// Small pictures are drawn larger and reduced: where several edges cross one pixel, the shares
/// that they cover are no longer independent, and painting by share alone would darken the seams.
std::int64_t oversampling(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kFineSide = 512, kMost = 16;
  const std::int64_t side = std::min(height, width);
  return std::clamp<std::int64_t>((kFineSide + side - 1) / side, 1, kMost);
}

/// Over the middle of the picture, a little banked, its span nine tenths of the shorter side.
Affine in_flight() {
  return Affine::translation({0.49, 0.42})
      .after(Affine::rotation(-11 * std::numbers::pi / 180))
      .after(Affine::scale(0.455, 0.455));
}

Renderer scene(std::int64_t height, std::int64_t width) {
  // The unit square fills the shorter side, in the middle of the longer one.
  const double pixel = 1.0 / static_cast<double>(std::min(height, width));
  const Point half{0.5 * pixel * static_cast<double>(width),
                   0.5 * pixel * static_cast<double>(height)};
  const Point origin = Point{0.5, 0.5} - half;
  const Point end = Point{0.5, 0.5} + half;
  Drawing drawing{.backdrop = dusk_sky, .shapes = mountains(origin.x, end.x, end.y)};
  for (Shape& shape : condor_bird(in_flight())) drawing.shapes.push_back(std::move(shape));
  return {std::move(drawing), pixel, origin, width};
}

/// Row y of the picture: the mean of factor x factor finer pixels. `fine` is scratch space.
void draw_reduced_row(const Renderer& renderer, std::int64_t y, std::int64_t factor,
                      std::vector<Color>& fine, std::vector<Color>& out) {
  std::fill(out.begin(), out.end(), Color{});
  const auto columns = static_cast<std::size_t>(factor);
  const float weight = 1.0F / static_cast<float>(factor * factor);
  for (std::int64_t line = 0; line < factor; ++line) {
    renderer.draw_row(y * factor + line, fine);
    for (std::size_t x = 0; x < fine.size(); ++x) {
      Color& sum = out[x / columns];
      for (std::size_t channel = 0; channel < 3; ++channel) {
        sum[channel] += weight * fine[x][channel];
      }
    }
  }
}

}  // namespace

at::Tensor draw_condor(std::int64_t height, std::int64_t width) {
  if (std::min(height, width) < kSmallest || std::max(height, width) > kLargest) {
    throw ArgumentError("[draw_condor] expected a height and width of 8 to 4096, got " +
                        std::to_string(height) + " x " + std::to_string(width));
  }
  const std::int64_t factor = oversampling(height, width);
  const Renderer renderer = scene(height * factor, width * factor);
  at::Tensor image = at::empty({3, height, width}, at::kByte);
  std::uint8_t* const pixels = image.mutable_data_ptr<std::uint8_t>();
  at::parallel_for(0, height, 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<Color> fine(static_cast<std::size_t>(width * factor));
    std::vector<Color> row(static_cast<std::size_t>(width));
    for (std::int64_t y = first; y < last; ++y) {
      draw_reduced_row(renderer, y, factor, fine, row);
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const std::int64_t start = (static_cast<std::int64_t>(channel) * height + y) * width;
        std::transform(row.begin(), row.end(), pixels + start, [channel](const Color& color) {
          return static_cast<std::uint8_t>(
              std::lround(255 * std::clamp(color[channel], 0.0F, 1.0F)));
        });
      }
    }
  });
  return image;
}

}  // namespace tinta::data
