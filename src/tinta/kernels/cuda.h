#pragma once

#include <cstdint>

#include "tinta/kernels/adamw_device.h"
#include "tinta/kernels/group_norm_options.h"
#include "tinta/kernels/random_device.h"

// What the .cu files offer to the rest of kernels: plain pointers, no torch. A build without CUDA
// has no_cuda.cpp in their place, and cuda_kernels() is null there.

namespace tinta::kernels {

/// A cudaStream_t.
using CudaStream = void*;

/// Why a launch failed, in CUDA's words; null where it did not.
using CudaError = const char*;

/// A batch of pictures for group norm; all pointers on the GPU, elements of the type `element`.
struct GroupNormBatch {
  device::Element element = device::Element::f32;
  std::int64_t batch = 0;
  std::int64_t positions = 0;  ///< of a picture
  std::int64_t channels = 0;
  GroupNormOptions options;
  const void* x = nullptr;      ///< [batch, positions, channels]
  const void* shift = nullptr;  ///< [batch, channels] or null
  const void* gamma = nullptr;  ///< [channels], or [batch, channels] with own_affine
  const void* beta = nullptr;   ///< likewise
  bool own_affine = false;      ///< each picture has its own gamma and beta
  float* mean = nullptr;        ///< [batch, groups]; written forward, read backward
  float* rstd = nullptr;        ///< [batch, groups]
  float* workspace = nullptr;   ///< device::norm_workspace() floats (device_launch.h)
};

/// Gradients of a batch, elements as the batch's.
struct GroupNormBatchGradients {
  const void* dy = nullptr;    ///< [batch, positions, channels]
  const void* plus = nullptr;  ///< [batch, positions, channels], added to dx; or null
  void* dx = nullptr;          ///< [batch, positions, channels]
  void* dshift = nullptr;      ///< [batch, channels] or null
  void* dgamma = nullptr;      ///< as gamma
  void* dbeta = nullptr;       ///< as beta
};

/// Some parameters, as many as fit into one launch.
struct AdamwBatch {
  device::Element element = device::Element::f32;
  int count = 0;  ///< at most device::kTensors
  device::AdamwTensor tensors[device::kTensors] = {};
  AdamwStep numbers = {};
  const AdamwStep* live = nullptr;  ///< on the GPU; where it is not null, these are the numbers
};

/// Some tensors whose squares are summed, as many as fit into one launch.
struct SquareSumBatch {
  device::Element element = device::Element::f32;
  int count = 0;
  const void* values[device::kTensors] = {};
  std::int64_t counts[device::kTensors] = {};
  double* partial = nullptr;  ///< on the GPU, blocks_of() each tensor
};

/// Blocks that a tensor of `count` values is cut into.
constexpr std::int64_t blocks_of(std::int64_t count) noexcept {
  return (count + device::kValuesPerBlock - 1) / device::kValuesPerBlock;
}

/// Each queues its work on the stream and returns at once.
struct CudaKernels {
  CudaError (*fill_normal)(const device::FillNormal& program, CudaStream stream);
  CudaError (*fill_dropout)(const device::FillDropout& program, CudaStream stream);
  CudaError (*adamw)(const AdamwBatch& batch, CudaStream stream);
  CudaError (*square_sum)(const SquareSumBatch& batch, CudaStream stream);
  CudaError (*gradient_scale)(const device::GradientScale& program, CudaStream stream);
  CudaError (*group_norm_forward)(const GroupNormBatch& batch, void* y, CudaStream stream);
  CudaError (*group_norm_backward)(const GroupNormBatch& batch,
                                   const GroupNormBatchGradients& gradients, CudaStream stream);
};

/// Null in a build without CUDA.
const CudaKernels* cuda_kernels() noexcept;

}  // namespace tinta::kernels
