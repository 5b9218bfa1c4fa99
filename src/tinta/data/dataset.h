#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "tinta/config/config.h"

namespace tinta::data {

enum class Split { train, test };

/// @throws ArgumentError on a name other than "train" or "test"
Split split_from(const std::string& name);

/// "train" or "test".
std::string to_string(Split split);

/// Pictures in memory, as bytes. Immutable.
struct Dataset {
  std::string name{};
  at::Tensor images{};       ///< [N,C,H,W] uint8, contiguous, on the CPU
  at::Tensor labels{};       ///< [N] int64 in 0..classes-1; undefined when there are none
  std::int64_t classes = 0;  ///< 0 when there are no labels

  [[nodiscard]] std::int64_t size() const { return images.size(0); }
};

/// Checks what the members' comments say, and that there is at least one picture.
/// @throws ArgumentError that names the data set and what is wrong
void require_valid(const Dataset& dataset);

/// Opens what a config names: built-in data are drawn, files are read.
///
/// - glyphs: `count` digits of side `size`; the test split has a tenth as many (10 at least), none
/// of
///   which occurs in any training split.
/// - condor: the one picture of side `size` is the whole of both splits; no labels.
/// - mnist: the IDX files of the folder `path`, or of its subfolder "mnist"; as many classes as the
///   largest label of the split tells.
///
/// @throws ArgumentError on an unknown source (nearest suggested) or a path that is no folder,
///         DataError / SystemError from files
Dataset open(const config::DataConfig& config, Split split);

/// Pictures of given indices as the network wants them: byte / 127.5 - 1.
/// @param indices [B] int64 in 0..N-1, on the CPU
/// @return [B,C,H,W] float32 in [-1, 1], contiguous
/// @throws ArgumentError on another shape or dtype, or an index out of range
at::Tensor gather(const Dataset& dataset, const at::Tensor& indices);

}  // namespace tinta::data
