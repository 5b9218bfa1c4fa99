#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/kernels/adamw_cpu.h"

namespace tinta::kernels {

/// What the optimiser keeps of one parameter. All of one shape, dense and of one memory layout.
struct AdamwState {
  at::Tensor weight;  ///< the network's own tensor, float32 or bfloat16
  at::Tensor master;  ///< float32
  at::Tensor m;       ///< float32
  at::Tensor v;       ///< float32
  at::Tensor ema;     ///< float32
};

/// AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101), the exponential moving average of the
/// weights and the network's rounded copy, in one pass over memory.
/// @param gradient of weight's dtype and shape
/// @throws ArgumentError when dtypes, shapes or layouts disagree
void adamw_step(AdamwState& state, const at::Tensor& gradient, const AdamwStep& step);

/// The same by ATen's plain operations, in double: what the fused one is tested against.
void adamw_step_reference(AdamwState& state, const at::Tensor& gradient, const AdamwStep& step);

/// Sum of the squares of a tensor's values; the same for any number of threads.
/// @param x float32 or bfloat16, dense
double square_sum(const at::Tensor& x);

}  // namespace tinta::kernels
