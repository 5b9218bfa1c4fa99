#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <string>

#include "tinta/config/options.h"
#include "tinta/core/sink.h"

namespace tinta::experiment {

/// Where and in what precision a network computes.
struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;  ///< float32, bfloat16 or, on a GPU, float16
};

/// "fp32", "bf16" or "fp16".
std::string precision_name(at::ScalarType dtype);

/// Sets the number of CPU threads and picks device and precision.
/// @param precision auto | bf16 | fp16 | fp32: auto is bf16 on CUDA, and where the CPU multiplies
///                  bfloat16 in hardware
/// @throws ArgumentError when a GPU is asked for that there is none of, or fp16 on a CPU, or
/// threads
///         beyond reason
Compute prepare(const config::Machine& machine, const std::string& precision, const Sinks& sinks);

/// Moves a module to where it is to compute, and into the dtype; its convolutions' weights become
/// channels_last, as its pictures are: LibTorch would copy them to that at every call.
void place(torch::nn::Module& module, const Compute& compute);

}  // namespace tinta::experiment
