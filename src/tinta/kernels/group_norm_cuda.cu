#include "tinta/kernels/kernels_cuda.h"
#include "tinta/kernels/launch_cuda.h"

namespace tinta::kernels {

CudaError group_norm_forward_cuda(const GroupNormBatch& batch, void* y, CudaStream stream) {
  return device::run_group_norm_forward(batch, y, device::Queue{stream});
}

CudaError group_norm_backward_cuda(const GroupNormBatch& batch,
                                   const GroupNormBatchGradients& gradients, CudaStream stream) {
  return device::run_group_norm_backward(batch, gradients, device::Queue{stream});
}

}  // namespace tinta::kernels
