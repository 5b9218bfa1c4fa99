#pragma once

#include <cstdint>

namespace tinta::kernels {

enum class Activation { none, silu };

struct GroupNormOptions {
  std::int64_t groups = 32;                  ///< divides C
  double eps = 1e-6;                         ///< added to the variance
  Activation activation = Activation::none;  ///< applied to the result
};

}  // namespace tinta::kernels
