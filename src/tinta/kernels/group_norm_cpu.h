#pragma once

#include <cstdint>

#include "tinta/kernels/group_norm_options.h"

namespace tinta::kernels {

/// One picture [positions, channels], channels fastest; T is float, or uint16_t holding bfloat16.
template <class T>
struct GroupNormPicture {
  std::int64_t positions = 0;
  std::int64_t channels = 0;
  const T* x = nullptr;
  const T* shift = nullptr;      ///< [channels] or null
  const float* gamma = nullptr;  ///< [channels]
  const float* beta = nullptr;   ///< [channels]
  float* mean = nullptr;         ///< [groups], of x + shift; written forward, read backward
  float* rstd = nullptr;         ///< [groups], 1 / sqrt(variance + eps)
  /// Of dropout on the result: a bit for each value that is kept, as dropout_bits() has them, or
  /// null, and what kept ones are multiplied by.
  const std::uint64_t* kept = nullptr;
  float kept_scale = 1;
};

/// Gradients of one picture.
template <class T>
struct GroupNormGradients {
  const T* dy = nullptr;    ///< [positions, channels]
  T* dx = nullptr;          ///< [positions, channels]; not dy
  const T* plus = nullptr;  ///< [positions, channels], added to dx; or null
  float* dshift = nullptr;  ///< [channels] or null
  float* dgamma = nullptr;  ///< [channels], of this picture alone
  float* dbeta = nullptr;   ///< [channels], of this picture alone
};

/// y [positions, channels]; scratch 3 * channels floats, totals 2 * groups doubles.
template <class T>
using GroupNormForward = void (*)(const GroupNormPicture<T>& picture,
                                  const GroupNormOptions& options, T* y, float* scratch,
                                  double* totals);

/// scratch 7 * channels floats.
template <class T>
using GroupNormBackward = void (*)(const GroupNormPicture<T>& picture,
                                   const GroupNormOptions& options,
                                   const GroupNormGradients<T>& gradients, float* scratch);

/// The inner loops of group_norm.h, one table per instruction set.
struct GroupNormKernels {
  GroupNormForward<float> forward_f32;
  GroupNormForward<std::uint16_t> forward_bf16;
  GroupNormBackward<float> backward_f32;
  GroupNormBackward<std::uint16_t> backward_bf16;
  /// bfloat16 rounded by the processor, for has_bf16(); null in tables without.
  GroupNormForward<std::uint16_t> forward_hardware_bf16;
  GroupNormBackward<std::uint16_t> backward_hardware_bf16;
  /// For tests: what they are made of, on `count` values, as many as a vector has or a multiple.
  void (*sigmoid_row)(const float* in, float* out, std::int64_t count);
  void (*to_bf16_row)(const float* in, std::uint16_t* out, std::int64_t count);
  void (*to_hardware_bf16_row)(const float* in, std::uint16_t* out, std::int64_t count);
};

/// The table of active_isa().
const GroupNormKernels& group_norm_kernels() noexcept;

}  // namespace tinta::kernels
