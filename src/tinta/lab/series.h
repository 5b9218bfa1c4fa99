#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

// Values over the steps of a process, index t, with [0] unused.

namespace tinta::lab {

/// [T] double: t = 1..T.
at::Tensor without_first(const std::vector<double>& values);

/// The greatest |value|; NaN where one is, so that no check passes.
double greatest(const std::vector<double>& values);

}  // namespace tinta::lab
