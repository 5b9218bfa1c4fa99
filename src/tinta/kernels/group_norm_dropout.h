#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/kernels/dropout.h"
#include "tinta/kernels/group_norm_options.h"

namespace tinta::kernels {

/// What group_norm() takes (group_norm.h).
struct GroupNormInputs {
  at::Tensor x;      ///< [B,C,H,W]
  at::Tensor shift;  ///< [B,C] or undefined
  at::Tensor gamma;  ///< [C] or [B,C]
  at::Tensor beta;   ///< of gamma's shape
};

/// group_norm() and then dropout() of the result, in the same visits where both are fused (on the
/// CPU): a value is rounded once, and a bit of each is kept for the backward pass. Elsewhere one
/// after the other.
/// @return like x; channels_last
/// @throws ArgumentError
at::Tensor group_norm(const GroupNormInputs& inputs, const GroupNormOptions& options,
                      const Dropout& which);

}  // namespace tinta::kernels
