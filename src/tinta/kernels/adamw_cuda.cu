#include "tinta/kernels/kernels_cuda.h"
#include "tinta/kernels/launch_cuda.h"

namespace tinta::kernels {

CudaError adamw_cuda(const AdamwBatch& batch, CudaStream stream) {
  return device::run_adamw(batch, device::Queue{stream});
}

CudaError square_sum_cuda(const SquareSumBatch& batch, CudaStream stream) {
  return device::run_square_sum(batch, device::Queue{stream});
}

CudaError gradient_scale_cuda(const device::GradientScale& program, CudaStream stream) {
  return device::run_gradient_scale(program, device::Queue{stream});
}

}  // namespace tinta::kernels
