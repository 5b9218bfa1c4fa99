#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "tinta/config/options.h"
#include "tinta/core/sink.h"

namespace tinta::experiment {

/// Where and in what precision a network computes.
struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;  ///< float32 or bfloat16
};

/// Sets the number of CPU threads and picks device and precision.
/// @param precision auto | bf16 | fp32: auto is bf16 on CUDA, and where the CPU multiplies bfloat16
///                  in hardware
/// @throws ArgumentError when CUDA is asked for and there is none, or threads beyond reason
Compute prepare(const config::Machine& machine, const std::string& precision, const Sinks& sinks);

}  // namespace tinta::experiment
