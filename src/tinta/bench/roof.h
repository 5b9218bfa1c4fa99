#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "tinta/bench/timing.h"

// The roof: the most that this machine was seen to do, by the libraries that LibTorch brings. What
// a step reaches is told as a share of it.

namespace tinta::bench {

/// Arithmetic operations per second (a multiply-add is two) on one shape.
struct Peak {
  std::string shape{};  ///< what reached it: "3x3, 256 to 256 channels, [32,256,16,16]"
  Spread flops{};
};

/// The forward pass of a 3x3 convolution, channels_last, on shapes of U-Nets; the fastest by its
/// median.
/// @param effort of each shape
Peak convolution_peak(at::Device device, at::ScalarType dtype, const Effort& effort);

/// Square matrix products, likewise.
Peak matrix_product_peak(at::Device device, at::ScalarType dtype, const Effort& effort);

/// One way of going through memory: bytes read and written (not counting what a cache fetches to
/// overwrite it, as STREAM does) per second, on float32 arrays that no cache holds.
struct Bandwidth {
  std::string name{};  ///< read | write | copy | triad
  Spread bytes{};
};

/// read: a sum; write: one value everywhere; copy; triad: a = b + 3 c.
/// @param count numbers in an array
std::vector<Bandwidth> memory_bandwidth(at::Device device, std::int64_t count,
                                        const Effort& effort);

/// Large enough for memory_bandwidth(): 256 MiB an array.
inline constexpr std::int64_t kBeyondCaches = std::int64_t{1} << 26;

}  // namespace tinta::bench
