#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/kernels/group_norm_options.h"

namespace tinta::kernels {

/// y = act(group_norm(x + shift) * gamma + beta) (Wu and He 2018, arXiv:1803.08494), forward and
/// backward each in one visit per picture, while it is in the cache; with autograd.
/// Statistics and arithmetic are in float32 or better whatever the dtype of x; the results are the
/// same bits for any number of threads, but not on every instruction set (fused multiply-adds).
/// Fused are float32 and bfloat16 on the CPU, and these and float16 on a GPU in a build with CUDA
/// (three passes there, two sums of a fixed order in between); others take the plain operations
/// below. Gradients of the fused one cannot be differentiated again.
/// @param x     [B,C,H,W] floating; channels_last is taken as it is, others are converted
/// @param shift [B,C] of x's dtype, or undefined: the time embedding of a residual block
/// @param gamma [C], or [B,C] where each picture has its own, of x's dtype
/// @param beta  of gamma's shape and x's dtype
/// @return like x; channels_last where it is fused
/// @throws ArgumentError
at::Tensor group_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& gamma,
                      const at::Tensor& beta, const GroupNormOptions& options);

struct NormedAndInput {
  at::Tensor y;
  at::Tensor x;  ///< the input as it was
};
/// The same without shift, and x for its other use, as a residual block has: where that use's
/// gradient is added to this one's, it is in the pass that writes it.
NormedAndInput group_norm_beside(const at::Tensor& x, const at::Tensor& gamma,
                                 const at::Tensor& beta, const GroupNormOptions& options);

/// group_norm() from ATen's plain operations, in the dtype of x (double too): what the fused one is
/// tested against.
at::Tensor group_norm_reference(const at::Tensor& x, const at::Tensor& shift,
                                const at::Tensor& gamma, const at::Tensor& beta,
                                const GroupNormOptions& options);

}  // namespace tinta::kernels
