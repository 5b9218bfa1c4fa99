#include "tinta/data/fit.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "tinta/core/error.h"
#include "tinta/io/image.h"

namespace tinta::data {
namespace {

/// In whole numbers, so that it is the same on every machine: weights sum to 1000.
at::Tensor luma(const at::Tensor& rgb) {
  const at::Tensor wide = rgb.to(at::kInt);
  return wide[0]
      .mul(299)
      .add(wide[1], 587)
      .add(wide[2], 114)
      .add(500)
      .floor_divide(1000)
      .to(at::kByte)
      .unsqueeze(0);
}

}  // namespace

at::Tensor fitted(const at::Tensor& picture, std::int64_t size, std::int64_t channels) {
  if (!picture.defined() || picture.dim() != 3 || picture.scalar_type() != at::kByte ||
      (picture.size(0) != 1 && picture.size(0) != 3) || picture.numel() == 0 || size < 0 ||
      (channels != 1 && channels != 3)) {
    throw ArgumentError(
        "[fitted] expected a picture [C,H,W] uint8 of 1 or 3 channels, got another");
  }
  // Cropped first: a picture that is very long and narrow takes no memory for what is cut off.
  at::Tensor out = picture;
  const std::int64_t height = picture.size(1), width = picture.size(2);
  if (size > 0) {
    const std::int64_t side = std::min(height, width);
    out = out.narrow(1, (height - side) / 2, side).narrow(2, (width - side) / 2, side);
  }
  if (channels == 1 && out.size(0) == 3) out = luma(out);
  if (size > 0 && out.size(1) != size) out = io::resize(out, size, size);
  if (channels == 3 && out.size(0) == 1) out = out.expand({3, out.size(1), out.size(2)});
  return out.contiguous();
}

}  // namespace tinta::data
