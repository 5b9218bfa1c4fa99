#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "tinta/kernels/adamw_step.h"

namespace tinta::kernels {

/// What the optimiser keeps of one parameter. All of one shape, dense and of one memory layout.
struct AdamwState {
  at::Tensor weight;  ///< the network's own tensor: float32, bfloat16 or float16
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

/// The same for many parameters on one device; on a GPU in a few launches for all of them.
/// @param gradients as many; an undefined one counts as zero
void adamw_steps(std::vector<AdamwState>& states, const std::vector<at::Tensor>& gradients,
                 const AdamwStep& step);

/// The numbers of a step, kept on a device, where a recorded step (gpu.h, StepGraph) reads them.
struct LiveStep {
  at::Tensor numbers;     ///< an AdamwStep's bytes
  at::Tensor square_sum;  ///< [1] float64: of all gradients as given, after a step
};
LiveStep make_live_step(const at::Device& device);

/// Sends numbers there; a GPU's queue does not wait.
void write_live_step(LiveStep& live, const AdamwStep& step);

/// adamw_steps() with the numbers that lie on the device when it is carried out, but for
/// gradient_scale: that follows there from the norm of all gradients. Where the norm or the loss is
/// not finite, nothing is changed, and live.square_sum is not finite. On a GPU that there are
/// kernels for it waits for nothing, so that it can be recorded; elsewhere it is done at once.
/// @param clip_norm the greatest norm, 0: no clipping
/// @param loss      scalar, what the gradients are of
void adamw_steps(std::vector<AdamwState>& states, const std::vector<at::Tensor>& gradients,
                 LiveStep& live, double clip_norm, const at::Tensor& loss);

/// The same by ATen's plain operations, in double: what the fused one is tested against.
void adamw_step_reference(AdamwState& state, const at::Tensor& gradient, const AdamwStep& step);

/// Sum of the squares of a tensor's values; the same for any number of threads.
/// @param x float32, bfloat16 or float16, dense
double square_sum(const at::Tensor& x);

/// The sum over tensors of one device, undefined ones left out; one wait for all on a GPU.
double square_sum(const std::vector<at::Tensor>& tensors);

}  // namespace tinta::kernels
