#pragma once

#include <cstdint>

namespace tinta::kernels {

/// The numbers of one AdamW step, the same for every parameter.
struct AdamwStep {
  float learning_rate = 0;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float eps = 1e-8f;
  float weight_decay = 0;    ///< decoupled: the weight loses learning_rate * weight_decay of itself
  float correction1 = 1;     ///< 1 - beta1^step
  float correction2 = 1;     ///< 1 - beta2^step
  float gradient_scale = 1;  ///< clipping
  float ema_decay = 0;       ///< ema = decay ema + (1 - decay) weight
};

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
