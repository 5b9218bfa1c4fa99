#include "tinta/kernels/kernels_cuda.h"
#include "tinta/kernels/launch_cuda.h"

namespace tinta::kernels {

CudaError fill_normal_cuda(const device::FillNormal& program, CudaStream stream) {
  return device::run_random(program, device::Queue{stream});
}

CudaError fill_dropout_cuda(const device::FillDropout& program, CudaStream stream) {
  return device::run_random(program, device::Queue{stream});
}

}  // namespace tinta::kernels
