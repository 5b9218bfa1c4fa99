#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/kernels/group_norm_options.h"

// Between the two halves of group_norm.h; for this folder only.

namespace tinta::kernels {

/// What the backward pass needs of the forward one.
struct GroupNormSaved {
  at::Tensor x;      ///< channels_last
  at::Tensor shift;  ///< [B,C] or undefined
  at::Tensor gamma;  ///< [C] or [B,C]: float32 on the CPU, x's dtype on a GPU
  at::Tensor beta;   ///< likewise
  at::Tensor mean;   ///< [B,groups] float32, written by the forward pass
  at::Tensor rstd;   ///< [B,groups] float32, written by the forward pass
};

struct GroupNormGradientTensors {
  at::Tensor x, shift, gamma, beta;
};

/// On a GPU that there are kernels for. @return y, channels_last
at::Tensor group_norm_forward_on_gpu(const GroupNormSaved& saved, const GroupNormOptions& options);
/// @param dy   of x's dtype, channels_last
/// @param plus likewise, added to x's gradient; or undefined
GroupNormGradientTensors group_norm_backward_on_gpu(const GroupNormSaved& saved,
                                                    const at::Tensor& dy, const at::Tensor& plus,
                                                    const GroupNormOptions& options);

}  // namespace tinta::kernels
