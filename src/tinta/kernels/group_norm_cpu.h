#pragma once

#include <cstdint>

#include "tinta/kernels/group_norm_options.h"

namespace tinta::kernels {

/// One picture [positions, channels], channels fastest; T is float or uint16_t holding bfloat16.
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
};

/// @param y       [positions, channels]
/// @param scratch 4 * channels floats
template <class T>
void group_norm_forward(const GroupNormPicture<T>& picture, const GroupNormOptions& options, T* y,
                        float* scratch);

/// Gradients of one picture.
template <class T>
struct GroupNormGradients {
  const T* dy = nullptr;    ///< [positions, channels]
  T* dx = nullptr;          ///< [positions, channels]
  float* dshift = nullptr;  ///< [channels] or null
  float* dgamma = nullptr;  ///< [channels], of this picture alone
  float* dbeta = nullptr;   ///< [channels], of this picture alone
};

/// @param scratch (positions + 7) * channels floats
template <class T>
void group_norm_backward(const GroupNormPicture<T>& picture, const GroupNormOptions& options,
                         const GroupNormGradients<T>& gradients, float* scratch);

}  // namespace tinta::kernels
