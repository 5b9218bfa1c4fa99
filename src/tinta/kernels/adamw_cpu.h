#pragma once

#include <cstdint>

#include "tinta/kernels/adamw_step.h"

namespace tinta::kernels {

/// One parameter's arrays, `count` values each; T is float, or uint16_t holding bfloat16.
template <class T>
struct AdamwArrays {
  std::int64_t count = 0;
  const T* gradient = nullptr;
  float* master = nullptr;  ///< the weight in full precision
  float* m = nullptr;       ///< first moment
  float* v = nullptr;       ///< second moment
  float* ema = nullptr;
  T* weight = nullptr;  ///< what the network computes with, the master rounded
};

/// The inner loops of adamw.h, one table per instruction set.
struct AdamwKernels {
  void (*step_f32)(const AdamwArrays<float>& arrays, const AdamwStep& step);
  void (*step_bf16)(const AdamwArrays<std::uint16_t>& arrays, const AdamwStep& step);
  /// Sum of squares of `count` values, in float over runs of 512 and in double over runs.
  double (*square_sum_f32)(const float* values, std::int64_t count);
  double (*square_sum_bf16)(const std::uint16_t* values, std::int64_t count);
};

/// The table of active_isa().
const AdamwKernels& adamw_kernels() noexcept;

}  // namespace tinta::kernels
