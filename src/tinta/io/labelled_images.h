#pragma once

#include <ATen/core/Tensor.h>

namespace tinta::io {

/// Pictures and labels of one split, checked against each other.
struct LabelledImages {
  at::Tensor images;  ///< [N,C,H,W] uint8
  at::Tensor labels;  ///< [N] int64
};

}  // namespace tinta::io
