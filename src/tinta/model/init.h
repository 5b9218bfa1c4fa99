#pragma once

#include <torch/nn/module.h>

#include <cstdint>

namespace tinta::model {

/// Fills every parameter of a module made of this folder's layers, float32 on the CPU: weights as
/// their Init says, biases zero, norms one and zero. Layer number i draws from
/// (seed, Stream::weights, i), so that a weight depends on the seed and its place alone.
void initialise(torch::nn::Module& module, std::uint64_t seed);

}  // namespace tinta::model
