#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "tinta/kernels/device_launch.h"

// For tests: runs the GPU's programs on the CPU, block by block, phase by phase, thread by thread.
// It checks their arithmetic, their indices and what they share; not that nvcc and a GPU do the
// same, which the tests of cuda_test.cpp ask where there is one.

namespace tinta::kernels::device {

/// In which order the threads of a block are run. A program without races does not see it.
enum class Order { rising, falling };

/// A Launch of device_launch.h.
struct Emulator {
  Order order = Order::rising;

  template <class Program>
  CudaError operator()(const Program& program, const Grid& grid) const {
    // As an array of doubles, because it must be aligned. What no thread has written is noise.
    std::vector<double> shared(grid.shared_bytes / sizeof(double) + 1);
    auto* bytes = reinterpret_cast<unsigned char*>(shared.data());
    for (std::int64_t block = 0; block < grid.blocks; ++block) {
      std::memset(bytes, 0xFF, grid.shared_bytes);
      for (int phase = 0; phase < program.phases(); ++phase) {
        for (int i = 0; i < grid.threads; ++i) {
          const int thread = order == Order::rising ? i : grid.threads - 1 - i;
          program.run(phase, {block, thread}, bytes);
        }
      }
    }
    return nullptr;
  }
};

}  // namespace tinta::kernels::device
