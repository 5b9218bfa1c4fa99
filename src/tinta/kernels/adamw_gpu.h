#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "tinta/kernels/adamw.h"

// The GPU's side of adamw.h; for this folder only. Every tensor is on one GPU that there are
// kernels for.

namespace tinta::kernels {

/// @param live an AdamwStep on the GPU that is read instead of `step`, or null
void adamw_on_gpu(const std::vector<AdamwState>& states, const std::vector<at::Tensor>& gradients,
                  const AdamwStep& step, const AdamwStep* live);

/// @return [1] float64 on the GPU. Waits for nothing
at::Tensor square_sum_on_gpu(const std::vector<at::Tensor>& tensors);

/// Checks one parameter. @return the gradient in the weight's layout; undefined as it was given
/// @throws ArgumentError
at::Tensor checked_gradient(const AdamwState& state, const at::Tensor& gradient);

}  // namespace tinta::kernels
