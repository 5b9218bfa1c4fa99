#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "tinta/core/philox.h"

namespace tinta::kernels {

/// The keys of a tensor's rows: consecutive samples, or those of a tensor.
struct RowKeys {
  RandomKey first;
  at::Tensor samples{};  ///< [B] int64, contiguous, on the CPU where at() is called

  [[nodiscard]] RandomKey at(std::int64_t row) const {
    RandomKey key = first;
    if (samples.defined()) {
      key.sample = static_cast<std::uint64_t>(samples.const_data_ptr<std::int64_t>()[row]);
    } else {
      key.sample += static_cast<std::uint64_t>(row);
    }
    return key;
  }
};

}  // namespace tinta::kernels
