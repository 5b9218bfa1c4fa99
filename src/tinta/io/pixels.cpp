#include "tinta/io/pixels.h"

#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <string>

#include "tinta/core/error.h"

namespace tinta::io {
namespace {

constexpr std::int64_t kGap = 2;
constexpr int kGrey = 128;

}  // namespace

at::Tensor to_bytes(const at::Tensor& images) {
  if (!images.is_floating_point()) {
    throw ArgumentError(std::string("[to_bytes] expected a floating dtype, got ") +
                        c10::toString(images.scalar_type()));
  }
  const at::Tensor x =
      images.detach().to(images.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  const at::Tensor scaled = ((x + 1) * 127.5).round_().clamp_(0, 255);
  return at::where(at::isfinite(x), scaled, 0).to(at::kByte);
}

at::Tensor from_bytes(const at::Tensor& images) {
  if (images.scalar_type() != at::kByte) {
    throw ArgumentError(std::string("[from_bytes] expected uint8, got ") +
                        c10::toString(images.scalar_type()));
  }
  return images.to(at::kFloat).div_(127.5).sub_(1);
}

at::Tensor grid(const at::Tensor& images, std::int64_t columns) {
  if (images.dim() != 4 || images.scalar_type() != at::kByte || images.size(0) < 1 || columns < 1) {
    throw ArgumentError("[grid] expected [N,C,H,W] uint8, N and columns at least 1, got " +
                        std::to_string(images.dim()) + " dimensions of " +
                        c10::toString(images.scalar_type()) + ", columns " +
                        std::to_string(columns));
  }
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const std::int64_t rows = (count + columns - 1) / columns;
  at::Tensor out =
      at::full({images.size(1), rows * (height + kGap) + kGap, columns * (width + kGap) + kGap},
               kGrey, images.options());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t top = kGap + i / columns * (height + kGap);
    const std::int64_t left = kGap + i % columns * (width + kGap);
    out.narrow(1, top, height).narrow(2, left, width).copy_(images[i]);
  }
  return out;
}

std::int64_t square_columns(std::int64_t count, std::int64_t height, std::int64_t width) {
  if (count < 1 || height < 1 || width < 1) {
    throw ArgumentError("[square_columns] expected at least 1 picture of 1 x 1, got " +
                        std::to_string(count) + " of " + std::to_string(height) + " x " +
                        std::to_string(width));
  }
  const auto unevenness = [&](std::int64_t columns) {
    const std::int64_t rows = (count + columns - 1) / columns;
    const auto across = static_cast<double>(columns * (width + kGap) + kGap);
    const auto down = static_cast<double>(rows * (height + kGap) + kGap);
    return std::abs(std::log(across / down));
  };
  std::int64_t best = 1;
  for (std::int64_t columns = 2; columns <= count; ++columns) {
    if (unevenness(columns) <= unevenness(best)) best = columns;
  }
  return best;
}

}  // namespace tinta::io
