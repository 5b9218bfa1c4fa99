#pragma once

#include "tinta/kernels/cuda.h"

// The functions of the .cu files, which with_cuda.cpp puts into the table of cuda.h.

namespace tinta::kernels {

CudaError fill_normal_cuda(const device::FillNormal& program, CudaStream stream);
CudaError fill_dropout_cuda(const device::FillDropout& program, CudaStream stream);
CudaError adamw_cuda(const AdamwBatch& batch, CudaStream stream);
CudaError square_sum_cuda(const SquareSumBatch& batch, CudaStream stream);
CudaError gradient_scale_cuda(const device::GradientScale& program, CudaStream stream);
CudaError group_norm_forward_cuda(const GroupNormBatch& batch, void* y, CudaStream stream);
CudaError group_norm_backward_cuda(const GroupNormBatch& batch,
                                   const GroupNormBatchGradients& gradients, CudaStream stream);

}  // namespace tinta::kernels
