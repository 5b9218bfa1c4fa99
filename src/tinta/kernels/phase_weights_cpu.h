#pragma once

#include <cstdint>

namespace tinta::kernels {

/// The weights of one output channel, T float or uint16_t holding bfloat16: nine rows of `inputs`
/// of a 3x3 kernel, and four rows of a 2x2 kernel for each phase, phases `stride` elements apart.
template <class T>
using FoldWeights = void (*)(const T* nine, std::int64_t inputs, T* phases, std::int64_t stride);
template <class T>
using UnfoldGradients = void (*)(const T* phases, std::int64_t stride, std::int64_t inputs,
                                 T* nine);

/// The inner loops of upsampled_convolution.h, one table per instruction set. The same bits in
/// each.
struct PhaseWeightKernels {
  FoldWeights<float> fold_f32;
  FoldWeights<std::uint16_t> fold_bf16;
  UnfoldGradients<float> unfold_f32;
  UnfoldGradients<std::uint16_t> unfold_bf16;
};

/// The table of active_isa().
const PhaseWeightKernels& phase_weight_kernels() noexcept;

}  // namespace tinta::kernels
