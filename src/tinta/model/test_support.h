#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>

#include "tinta/kernels/random.h"

// For the tests of this folder only.

namespace tinta::model {

/// Standard normal numbers; others for each step.
inline at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return kernels::normal(sizes, {.seed = 5, .stream = Stream::test, .sample = 0, .step = step});
}

/// A net whose last layers are not zero, so that its output and gradients depend on everything.
template <class Net>
void scramble(Net& net, double by = 0.2) {
  std::uint32_t step = 100;
  const at::NoGradGuard no_gradients;
  for (auto& [name, parameter] : net.named_parameters()) {
    at::Tensor target = parameter;
    target.add_(drawn({1, parameter.numel()}, step++).view(parameter.sizes()), by);
  }
}

}  // namespace tinta::model
