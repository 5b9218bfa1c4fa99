#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tinta::kernels {

enum class Activation { none, silu };

/// y = act(group_norm(x) * gamma + beta) (Wu and He 2018), in one pass over memory, with autograd.
/// @param x      [B,C,H,W] float32 or bfloat16, channels_last (any other layout is converted)
/// @param gamma  [C] of x's dtype or float32
/// @param beta   [C]
/// @param groups divides C
/// @param eps    added to the variance; statistics are in float32 or better
/// @return like x, channels_last
/// @throws ArgumentError
at::Tensor group_norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta,
                      std::int64_t groups, double eps, Activation activation);

/// The same from ATen's plain operations, in the dtype of x: what the fused one is tested against.
at::Tensor group_norm_reference(const at::Tensor& x, const at::Tensor& gamma,
                                const at::Tensor& beta, std::int64_t groups, double eps,
                                Activation activation);

}  // namespace tinta::kernels
