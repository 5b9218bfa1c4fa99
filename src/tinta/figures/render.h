#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tinta/figures/figure.h"

namespace tinta::figures {

/// Draws a figure by cairo, the same drawing for every format.
/// @param scale pixels per point
/// @param text  what made the figure: PNG text chunks
/// @throws ArgumentError naming panel and layer: lengths that disagree, a grid that is not one,
///         nothing to draw, a logarithmic axis with nothing above zero
std::vector<std::byte> to_png(const Figure& figure, double scale = 2,
                              const std::map<std::string, std::string>& text = {});
/// Vector drawings; texts are outlines, so that they look the same everywhere.
std::vector<std::byte> to_svg(const Figure& figure);
std::vector<std::byte> to_pdf(const Figure& figure);

/// The figure as a picture. @return [3,H,W] uint8
at::Tensor rasterise(const Figure& figure, double scale = 2);

/// Frames of equal size, shown one after another, for ever.
struct Animation {
  std::vector<at::Tensor> frames;  ///< [3,H,W] uint8 each
  double frames_per_second = 12;
};

/// An animated WebP. @throws ArgumentError on no frames or frames of different sizes
std::vector<std::byte> to_webp(const Animation& animation);

}  // namespace tinta::figures
