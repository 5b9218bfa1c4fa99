#include "tinta/kernels/gpu.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <string>

#include "tinta/core/error.h"

namespace tinta::kernels {

const CudaKernels* kernels_for(const at::Tensor& x) {
  return x.is_cuda() ? cuda_kernels() : nullptr;
}

void launch_on(const at::Tensor& x, const char* where,
               const std::function<CudaError(CudaStream)>& launch) {
  const c10::DeviceGuard guard(x.device());
  if (const CudaError error = launch(current_stream(x.device()))) {
    throw SystemError(std::string("[") + where + "] " + x.device().str() + ": " + error);
  }
}

void require_same_device(const char* where, const at::Tensor& x, const at::Tensor& other,
                         const char* what) {
  if (!other.defined() || other.device() == x.device()) return;
  throw ArgumentError(std::string("[") + where + "] expected " + what + " on " + x.device().str() +
                      ", got it on " + other.device().str());
}

device::Element element_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return device::Element::f32;
  if (dtype == at::kBFloat16) return device::Element::bf16;
  if (dtype == at::kHalf) return device::Element::f16;
  throw ArgumentError(std::string("[element_of] expected float32, bfloat16 or float16, got ") +
                      c10::toString(dtype));
}

at::Tensor sent(const at::Tensor& x, const at::Device& device) {
  if (!x.defined() || x.device() == device) return x;
  if (!x.is_cpu() || !device.is_cuda()) return x.to(device);
  return x.pin_memory().to(device, /*non_blocking=*/true);
}

}  // namespace tinta::kernels
