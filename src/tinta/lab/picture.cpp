#include "tinta/lab/picture.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "tinta/data/condor.h"
#include "tinta/io/image.h"

namespace tinta::lab {

at::Tensor picture(const Context& context, std::int64_t side) {
  if (!context.image.defined()) return data::draw_condor(side, side);
  const std::int64_t height = context.image.size(1), width = context.image.size(2);
  const std::int64_t longer = std::max(height, width);
  if (longer <= side) return context.image;
  const auto scaled = [&](std::int64_t length) {
    return std::max<std::int64_t>(1, (length * side + longer / 2) / longer);
  };
  return io::resize(context.image, scaled(height), scaled(width));
}

}  // namespace tinta::lab
