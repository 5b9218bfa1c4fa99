#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "tinta/kernels/convolution.h"

namespace tinta::kernels {

/// Whether amx_weight_gradient() can: there is AMX, k is 1, 2 or 3 and padding below it, 32 divides
/// both numbers of channels, bfloat16 on the CPU.
/// @param x [B,I,H,W]
bool has_amx_weight_gradient(const at::Tensor& x, std::int64_t out, std::int64_t kernel,
                             std::int64_t padding);

/// The gradients of weight and bias of a convolution of stride 1, by AMX's tiles: sums of float32,
/// rounded once. They do not depend on the number of threads.
/// @param x [B,I,H,W] @param dy [B,O,H + 2 padding - k + 1,W + 2 padding - k + 1]
/// @throws ArgumentError where it cannot, and on other shapes
ConvolutionGradients amx_weight_gradient(const at::Tensor& x, const at::Tensor& dy,
                                         std::int64_t kernel, std::int64_t padding);

}  // namespace tinta::kernels
