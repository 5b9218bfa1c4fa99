#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tinta::kernels {

/// A convolution that keeps the pictures' size: y[o] = bias_o + sum_i W_oi * x_i, stride 1, padded
/// by half of its odd kernel; with autograd. Forward and the gradient of x are LibTorch's (oneDNN).
/// The gradients of weight and bias are our own in float32 and bfloat16 on a CPU, where that is as
/// fast or faster (has_own_weight_gradient()), and then do not depend on the number of threads.
/// Where gradients are to be differentiated again, all are LibTorch's.
/// @param x      [B,I,H,W] floating
/// @param weight [O,I,k,k] of x's dtype, k odd
/// @param bias   [O] of x's dtype
/// @return [B,O,H,W]
/// @throws ArgumentError
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);
/// The same padded otherwise, k even or odd.
at::Tensor padded_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              std::int64_t padding);

/// convolution() + plus; while ConstantWeights live in one, so that the sum is rounded and written
/// once. (In training that takes the same time, and more memory.)
/// @param plus [B,O,H,W] of x's dtype
at::Tensor convolution_plus(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& plus);

/// Whether convolution() computes the gradient of these weights by a kernel of our own: in the
/// narrow layers and small pictures for which oneDNN's is slow, with AMX wherever our tiles can.
bool has_own_weight_gradient(const at::Tensor& x, const at::Tensor& weight, std::int64_t padding);

/// Gradients of a convolution with respect to weight and bias.
struct ConvolutionGradients {
  at::Tensor weight;  ///< [O,I,k,k] of dy's dtype, channels_last
  at::Tensor bias;    ///< [O] of dy's dtype
};

/// By our kernels: amx_weight_gradient() where that can, vectors elsewhere.
/// @param x [B,I,H,W] @param dy [B,O,H + 2 padding - k + 1,W + 2 padding - k + 1]
/// @throws ArgumentError where they cannot: see can_take()
ConvolutionGradients weight_gradient(const at::Tensor& x, const at::Tensor& dy, std::int64_t kernel,
                                     std::int64_t padding);

/// Whether weight_gradient() can: has_amx_weight_gradient(); or k is 1 or 3, padding half of it,
/// rows of at most 4096, eight divides O, a block of lanes divides I, float32 or, with AVX-512
/// BF16, bfloat16, on a CPU.
bool can_take(const at::Tensor& x, std::int64_t out, std::int64_t kernel, std::int64_t padding);

}  // namespace tinta::kernels
