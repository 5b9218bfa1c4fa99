#pragma once

#include <ATen/core/Tensor.h>

namespace tinta::kernels {

/// A 3x3 convolution of a picture whose sides were doubled by repeating each value, without that
/// picture: y = convolution(upsample(x), weight, bias), padded by one; with autograd.
///
/// Two neighbours of the doubled picture are the same value wherever a kernel's taps fall on both,
/// so each of the four phases of an output's place (row and column even or odd) is a 2x2
/// convolution of x itself, by sums of the nine weights: 16 products for four outputs in place of
/// 36 (the sub-pixel form of Shi et al. 2016, arXiv:1609.05158, the other way round). The phases
/// are computed as one convolution of four times the outputs. Sums of bfloat16 weights are rounded
/// to bfloat16, so that results differ from the plain form's by about what rounding a weight does.
///
/// So on the CPU in float32 and bfloat16, where that is faster (has_phases()); plainly elsewhere.
/// @param x      [B,I,H,W] floating
/// @param weight [O,I,3,3] of x's dtype
/// @param bias   [O] of x's dtype
/// @return [B,O,2H,2W]
/// @throws ArgumentError
at::Tensor upsampled_convolution(const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& bias);

/// The same by ATen's plain operations, in the dtype of x (double too).
at::Tensor upsampled_convolution_reference(const at::Tensor& x, const at::Tensor& weight,
                                           const at::Tensor& bias);

/// The same by phases, whatever is faster. @param x on the CPU, float32 or bfloat16
at::Tensor convolution_by_phases(const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& bias);

/// Whether upsampled_convolution() takes the phases of such an x: not in pictures so small that
/// their borders are most of them, and not for so few places that summing the weights takes longer.
bool has_phases(const at::Tensor& x);

}  // namespace tinta::kernels
