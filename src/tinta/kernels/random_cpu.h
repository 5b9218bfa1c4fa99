#pragma once

#include <cstdint>

#include "tinta/core/philox.h"

namespace tinta::kernels {

/// `count` standard normals of one key.
void fill_normal_row(float* out, std::int64_t count, const RandomKey& key);

/// `count` values, each 0 where its random word is below `threshold` and `kept` elsewhere.
void fill_dropout_row(float* out, std::int64_t count, const RandomKey& key, std::uint32_t threshold,
                      float kept);

}  // namespace tinta::kernels
