#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tinta::data {

/// A condor in flight over a mountain ridge at dusk, drawn by our own code, antialiased; the same
/// picture at every size. The reference picture of the lab sheet's exercise 3.
/// @param height, width 8 to 4096 pixels
/// @return [3,height,width] uint8
/// @throws ArgumentError
at::Tensor draw_condor(std::int64_t height, std::int64_t width);

}  // namespace tinta::data
