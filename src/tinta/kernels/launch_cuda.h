#pragma once

#include <cuda_runtime.h>

#include "tinta/kernels/device_launch.h"

// For .cu files only.

namespace tinta::kernels::device {

template <class Program>
__global__ void __launch_bounds__(kThreads) run_program(const Program program) {
  extern __shared__ __align__(16) unsigned char shared[];
  const Place place{static_cast<std::int64_t>(blockIdx.x), static_cast<int>(threadIdx.x)};
  for (int phase = 0; phase < program.phases(); ++phase) {
    if (phase > 0) __syncthreads();
    program.run(phase, place, shared);
  }
}

#if defined(__CUDACC_RTC__)
/// NVRTC, which only checks: names the kernel, so that it is compiled.
struct Queue {
  CudaStream stream;

  template <class Program>
  CudaError operator()(const Program& /*program*/, const Grid& /*grid*/) const {
    return &run_program<Program> == nullptr ? "" : nullptr;
  }
};
#else
/// Queues programs on a stream.
struct Queue {
  CudaStream stream;

  template <class Program>
  CudaError operator()(const Program& program, const Grid& grid) const {
    if (grid.blocks == 0) return nullptr;
    // Left as it is: the formatter would take the closing brackets apart.
    // clang-format off
    run_program<<<static_cast<unsigned>(grid.blocks), static_cast<unsigned>(grid.threads),
                  grid.shared_bytes, static_cast<cudaStream_t>(stream)>>>(program);
    // clang-format on
    const cudaError_t error = cudaGetLastError();
    return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
  }
};
#endif

}  // namespace tinta::kernels::device
