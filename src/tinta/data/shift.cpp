#include "tinta/data/shift.h"

#include <ATen/ATen.h>

#include "tinta/core/philox.h"

namespace tinta::data {

at::Tensor random_shift(const Batch& batch, std::uint64_t seed) {
  const at::Tensor& x = batch.x0;
  const std::int64_t height = x.size(2), width = x.size(3);
  const std::int64_t dy = most_shift(height), dx = most_shift(width);
  const at::Tensor padded = at::reflection_pad2d(x, {dx, dx, dy, dy});
  at::Tensor moved = at::empty_like(x, at::MemoryFormat::Contiguous);
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    const RandomKey key{.seed = seed,
                        .stream = Stream::augment,
                        .sample = batch.first_sample + static_cast<std::uint64_t>(i)};
    const auto below = [&](std::int64_t n, std::uint32_t index) {
      return static_cast<std::int64_t>(random_below(key, static_cast<std::uint64_t>(n), index));
    };
    moved[i].copy_(
        padded[i].narrow(1, below(2 * dy + 1, 1), height).narrow(2, below(2 * dx + 1, 2), width));
  }
  return moved;
}

}  // namespace tinta::data
