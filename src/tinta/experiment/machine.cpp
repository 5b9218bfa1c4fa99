#include "tinta/experiment/machine.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdint>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"

namespace tinta::experiment {

Compute prepare(const config::Machine& machine, const std::string& precision, const Sinks& sinks) {
  constexpr std::int64_t kMostThreads = 4096;
  if (machine.threads > kMostThreads) {
    throw ArgumentError("[--threads] expected at most " + std::to_string(kMostThreads) + ", got " +
                        std::to_string(machine.threads));
  }
  if (machine.threads > 0) at::set_num_threads(static_cast<int>(machine.threads));
  Compute compute;
  const bool cuda = at::hasCUDA();
  if (machine.device == config::Device::cuda && !cuda) {
    throw ArgumentError("[--device] expected a CUDA device, got none that this LibTorch can use");
  }
  if (cuda && machine.device != config::Device::cpu) compute.device = at::Device(at::kCUDA, 0);
  const bool fast = compute.device.is_cuda() || kernels::has_bf16();
  if (precision == "bf16" && !fast) {
    sinks.warn("this CPU has no bfloat16 arithmetic: --precision fp32 will be faster");
  }
  if (precision == "bf16" || (precision == "auto" && fast)) compute.dtype = at::kBFloat16;
  return compute;
}

}  // namespace tinta::experiment
