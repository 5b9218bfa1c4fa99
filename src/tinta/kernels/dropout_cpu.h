#pragma once

#include <cstdint>

#include "tinta/core/philox.h"

namespace tinta::kernels {

/// to = from scaled where it is kept, 0 elsewhere; T float or uint16_t holding bfloat16.
template <class T>
using DropoutRow = void (*)(const T* from, T* to, std::int64_t count, const std::uint64_t* kept,
                            float scale);

/// The inner loops of dropout.h, one table per instruction set. The same bits in each.
struct DropoutKernels {
  /// 64 places a word, each 1 where its random word is at least `threshold`.
  void (*bits_row)(std::uint64_t* out, std::int64_t words, const RandomKey& key,
                   std::uint32_t threshold);
  DropoutRow<float> apply_f32;
  DropoutRow<std::uint16_t> apply_bf16;
};

/// The table of active_isa().
const DropoutKernels& dropout_kernels() noexcept;

}  // namespace tinta::kernels
