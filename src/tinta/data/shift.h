#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "tinta/data/loader.h"

namespace tinta::data {

/// How far random_shift() moves pictures of that side: an eighth of it.
constexpr std::int64_t most_shift(std::int64_t side) { return side / 8; }

/// Pictures moved at random, each by whole pixels, up to most_shift() of their sides each way, with
/// what comes in mirrored from inside: the augmentation by crops of He et al. 2016
/// (arXiv:1512.03385, sect. 4.2), with their zeros replaced by reflections. Sample n is moved by
/// numbers 1 and 2 of the integers of (seed, Stream::augment, n), which Loader's own flips do not
/// use.
/// @return the batch's x0, moved: [B,C,H,W], contiguous
at::Tensor random_shift(const Batch& batch, std::uint64_t seed);

}  // namespace tinta::data
