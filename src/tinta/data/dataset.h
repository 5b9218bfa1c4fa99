#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "tinta/config/config.h"

namespace tinta::data {

enum class Split { train, test };

/// @throws ArgumentError on a name other than "train" or "test"
Split split_from(const std::string& name);

/// Pictures in memory, as bytes. Immutable.
struct Dataset {
  std::string name;
  at::Tensor images;         ///< [N,C,H,W] uint8, contiguous, on the CPU
  at::Tensor labels;         ///< [N] int64 in 0..classes-1; undefined when there are none
  std::int64_t classes = 0;  ///< 0 when there are no labels

  [[nodiscard]] std::int64_t size() const { return images.size(0); }
};

/// Opens what a config names: built-in data are drawn, files are read.
/// @throws ArgumentError on an unknown source (nearest suggested), DataError / SystemError from files
Dataset open(const config::DataConfig& config, Split split);

/// Pictures of given indices as the network wants them.
/// @param indices [B] int64 in 0..N-1
/// @return [B,C,H,W] float32 in [-1, 1]
at::Tensor gather(const Dataset& dataset, const at::Tensor& indices);

}  // namespace tinta::data
