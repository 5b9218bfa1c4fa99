#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "tinta/bench/timing.h"

namespace tinta::bench {

/// Which way of going through memory bounds a kernel that does nothing but read and write.
enum class Bound { triad, write, none };

/// How fast one of our kernels is.
struct KernelRate {
  std::string name{};       ///< "group norm + SiLU, forward"
  std::string precision{};  ///< fp32 | bf16
  Spread items{};           ///< items per second
  std::string item{};       ///< what is counted: "value", "particle step"
  /// Bytes that must be read or written per item, each array once. 0 where the bound is none.
  double bytes_per_item = 0;
  Bound bound = Bound::none;  ///< none: arithmetic, not memory, takes the time
};

/// Every kernel on arrays that no cache holds. Group norm and AdamW run on `device` in `dtype`, the
/// random kernels on the CPU.
/// @param scale of the arrays, 1 for honest figures; less for tests
std::vector<KernelRate> kernel_rates(at::Device device, at::ScalarType dtype, const Effort& effort,
                                     double scale = 1);

/// Those that do not depend on the precision: Gaussian noise and particles.
std::vector<KernelRate> random_kernel_rates(const Effort& effort, double scale = 1);

}  // namespace tinta::bench
