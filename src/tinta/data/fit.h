#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tinta::data {

/// Brings a picture to the side and channels of a set: its largest centred square, scaled with
/// antialiasing (bicubic). Grey becomes RGB by repeating it; RGB becomes grey by its luma (ITU-R
/// BT.601: 0.299 R + 0.587 G + 0.114 B).
/// @param picture [C,H,W] uint8, C = 1 or 3
/// @param size    pixels; 0: height and width stay as they are
/// @param channels 1 or 3
/// @return [channels,size,size] uint8, contiguous
/// @throws ArgumentError on other shapes or dtypes
at::Tensor fitted(const at::Tensor& picture, std::int64_t size, std::int64_t channels);

}  // namespace tinta::data
