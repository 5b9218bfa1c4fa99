#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "tinta/core/philox.h"

namespace tinta::kernels {

/// Which values of a batch are dropped: each with probability p, by the words of Philox that
/// fill_dropout() takes (random.h), places in the order of memory, channels fastest.
struct Dropout {
  double p = 0;          ///< in [0, 1)
  RandomKey first;       ///< of the first row; the others' samples follow
  at::Tensor samples{};  ///< [B] int64 on the batch's device, taken instead where it is defined
};

/// y = x / (1 - p) where a value is kept, 0 where it is dropped (Srivastava et al. 2014); with
/// autograd. float32 and bfloat16 on the CPU keep one bit of each value for the backward pass and
/// are rounded once; others take the plain operations. Where a value is dropped, it is 0 whatever
/// it was. The same bits for any number of threads.
/// @param x [B,C,H,W] floating. @return like x; channels_last
/// @throws ArgumentError
at::Tensor dropout(const at::Tensor& x, const Dropout& which);

/// The same by ATen's plain operations and a mask of fill_dropout(), on any device.
at::Tensor dropout_reference(const at::Tensor& x, const Dropout& which);

/// What is kept, in bits: place i of a row is bit i % 64 of its word i / 64. On the CPU.
/// @param sizes rows and places of a row
/// @return [rows,words] int64, at least a word more than the places need
/// @throws ArgumentError
at::Tensor dropout_bits(std::int64_t rows, std::int64_t places, const Dropout& which);

/// 1 / (1 - p), as the kernels multiply by it.
float dropout_scale(double p);

}  // namespace tinta::kernels
