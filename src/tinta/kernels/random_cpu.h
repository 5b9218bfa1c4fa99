#pragma once

#include <cstdint>

#include "tinta/core/philox.h"

namespace tinta::kernels {

/// The inner loops of random.h, one table per instruction set.
struct RandomKernels {
  /// `count` standard normals of one key.
  void (*normal_row)(float* out, std::int64_t count, const RandomKey& key);
  /// `count` values, each 0 where its random word is below `threshold` and `kept` elsewhere.
  void (*dropout_row)(float* out, std::int64_t count, const RandomKey& key, std::uint32_t threshold,
                      float kept);
  /// For tests: applies the function to `count` values. log takes positive ones.
  void (*exp_row)(const float* in, float* out, std::int64_t count);
  void (*log_row)(const float* in, float* out, std::int64_t count);
  void (*sin_cos_row)(const std::uint32_t* turn, float* sin, float* cos, std::int64_t count);
  void (*to_bf16_row)(const float* in, std::uint16_t* out, std::int64_t count);
};

/// The table of active_isa().
const RandomKernels& random_kernels() noexcept;

}  // namespace tinta::kernels
