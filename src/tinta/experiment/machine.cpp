#include "tinta/experiment/machine.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <cstdint>
#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/cuda.h"
#include "tinta/kernels/isa.h"

namespace tinta::experiment {

namespace {

// Which GPU, or an error that says what is missing.
at::Device gpu_of(const config::Machine& machine) {
  if (!c10::impl::hasDeviceGuardImpl(at::kCUDA)) {
    throw ArgumentError(
        "[--device] expected a LibTorch with CUDA for --device cuda, got one for the CPU alone");
  }
  const std::int64_t count = at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (machine.gpu >= count) {
    throw ArgumentError(
        "[--device] expected a GPU cuda:" + std::to_string(machine.gpu) + ", got " +
        (count == 0 ? std::string("none that the driver shows")
                    : std::to_string(count) + ", cuda:0 to cuda:" + std::to_string(count - 1)));
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(machine.gpu)};
}

}  // namespace

std::string precision_name(at::ScalarType dtype) {
  if (dtype == at::kBFloat16) return "bf16";
  return dtype == at::kHalf ? "fp16" : "fp32";
}

Compute prepare(const config::Machine& machine, const std::string& precision, const Sinks& sinks) {
  constexpr std::int64_t kMostThreads = 4096;
  if (machine.threads > kMostThreads) {
    throw ArgumentError("[--threads] expected at most " + std::to_string(kMostThreads) + ", got " +
                        std::to_string(machine.threads));
  }
  if (machine.threads > 0) at::set_num_threads(static_cast<int>(machine.threads));
  Compute compute;
  const bool automatic = machine.device == config::Device::automatic;
  if (machine.device == config::Device::cuda || (automatic && at::hasCUDA())) {
    compute.device = gpu_of(machine);
    // Its other algorithms add in an order of their own each time, and a resumed run would differ.
    at::globalContext().setDeterministicCuDNN(true);
    if (kernels::cuda_kernels() == nullptr) {
      sinks.warn("this build has no CUDA kernels (cmake --preset cuda makes one that has): " +
                 compute.device.str() + " computes by LibTorch's own, more slowly");
    }
  }
  if (precision == "fp16") {
    if (compute.device.is_cpu()) {
      throw ArgumentError(
          "[--precision] expected auto, bf16 or fp32 on a CPU, got fp16, in which no CPU computes "
          "fast");
    }
    compute.dtype = at::kHalf;
  }
  const bool fast = compute.device.is_cuda() || kernels::has_bf16();
  if (precision == "bf16" && !fast) {
    sinks.warn("this CPU has no bfloat16 arithmetic: --precision fp32 will be faster");
  }
  if (precision == "bf16" || (precision == "auto" && fast)) compute.dtype = at::kBFloat16;
  return compute;
}

void place(torch::nn::Module& module, const Compute& compute) {
  module.to(compute.device, compute.dtype);
  for (at::Tensor& parameter : module.parameters()) {
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.detach().contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

}  // namespace tinta::experiment
