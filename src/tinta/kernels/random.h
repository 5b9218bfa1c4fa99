#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>

#include "tinta/core/philox.h"

namespace tinta::kernels {

/// Fills row i of a batch with standard normals of key (seed, stream, first_sample + i, step): the
/// same numbers for any batch size and thread count, and bitwise the same on every CPU and GPU.
/// Philox4x32-10 words, Box-Muller in single precision (maximal error 4 ulp of |x|max = 6.8).
/// A build without CUDA kernels draws on the CPU and copies.
/// @param out [B,...] float32 on the CPU or a GPU, contiguous. @throws ArgumentError
void fill_normal(at::Tensor& out, const RandomKey& first);

/// Like fill_normal with one key per row.
/// @param samples [B] int64 on out's device, the sample index of each row
void fill_normal(at::Tensor& out, const RandomKey& key, const at::Tensor& samples);

/// New tensor of standard normals. @param sizes [B,...]
at::Tensor normal(at::IntArrayRef sizes, const RandomKey& first,
                  const at::Device& device = at::kCPU);

/// Bernoulli mask scaled for dropout: 0 with probability p, else 1 / (1 - p); rows keyed as in
/// fill_normal.
void fill_dropout(at::Tensor& out, const RandomKey& first, double p);

/// Like fill_dropout with one key per row, as in fill_normal.
void fill_dropout(at::Tensor& out, const RandomKey& key, const at::Tensor& samples, double p);

}  // namespace tinta::kernels
