#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

// LibTorch's own way to oneDNN, which has no header; for this folder only.

namespace tinta::kernels {

/// Whether there is one for such pictures: on the CPU, float32 or, where has_bf16(), bfloat16, not
/// empty, in a LibTorch built with oneDNN.
bool has_onednn_convolution(const at::Tensor& x);

/// conv2d of stride 1, padded by `padding` on all sides, + plus before the result is rounded and
/// written. No gradients.
/// @param x      [B,I,H,W], see has_onednn_convolution()
/// @param weight [O,I,k,k] of x's dtype, or what mkldnn_reorder_conv2d_weight() made of it
/// @param plus   [B,O,H',W'] or undefined: nothing
at::Tensor onednn_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              std::int64_t padding, const at::Tensor& plus);

}  // namespace tinta::kernels
