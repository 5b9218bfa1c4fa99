#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "tinta/core/philox.h"

namespace tinta::kernels {

/// Fills row i of a batch with standard normals of key (seed, stream, first_sample + i, step): the
/// same numbers for any batch size and thread count, and bitwise the same on every CPU.
/// Philox4x32-10 words, Box-Muller in single precision (maximal error 4 ulp of |x|max = 6.8).
/// @param out [B,...] float32 on the CPU, contiguous. @throws ArgumentError
void fill_normal(at::Tensor& out, const RandomKey& first);

/// Like fill_normal with one key per row.
/// @param samples [B] int64, the sample index of each row
void fill_normal(at::Tensor& out, const RandomKey& key, const at::Tensor& samples);

/// New tensor of standard normals. @param sizes [B,...]
at::Tensor normal(at::IntArrayRef sizes, const RandomKey& first);

/// Bernoulli mask scaled for dropout: 0 with probability p, else 1 / (1 - p); rows keyed as in
/// fill_normal.
void fill_dropout(at::Tensor& out, const RandomKey& first, double p);

}  // namespace tinta::kernels
