#pragma once

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <map>
#include <string>

namespace tinta::io::testing {

/// What the golden .npy and .npz files hold: arrays() of tests/golden/make_io_golden.py.
inline std::map<std::string, at::Tensor> numpy_arrays() {
  return {{"u1", at::arange(6, at::kByte).view({2, 3})},
          {"i4", at::arange(-3, 3, at::kInt)},
          {"i8", (at::arange(8, at::kLong) * (std::int64_t{1} << 40)).view({2, 2, 2})},
          {"f4", at::tensor({0.5f, -1.25f, std::numeric_limits<float>::infinity(), 1e-40f})},
          {"f8", at::full({}, 3.141592653589793, at::kDouble)},
          {"b1", at::tensor({1, 0}).to(at::kBool).view({2, 1})},
          {"empty", at::zeros({0, 5}, at::kFloat)}};
}

}  // namespace tinta::io::testing
