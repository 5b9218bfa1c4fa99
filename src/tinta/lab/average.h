#pragma once

#include <ATen/core/Tensor.h>

namespace tinta::lab {

/// Mean of independent values, of any shape.
double mean_of(const at::Tensor& values);
/// The standard error of that mean; NaN of a single value.
double error_of(const at::Tensor& values);

}  // namespace tinta::lab
