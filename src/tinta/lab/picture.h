#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "tinta/lab/row.h"

namespace tinta::lab {

/// The picture that a row works on: the one that was asked for, scaled down, its aspect kept, where
/// its longer side is above `side`; else the built-in condor, side x side.
/// @param side 8 to 4096 pixels
/// @return [C,H,W] uint8, C = 1 or 3
at::Tensor picture(const Context& context, std::int64_t side);

}  // namespace tinta::lab
