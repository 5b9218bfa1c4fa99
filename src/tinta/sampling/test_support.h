#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/process/denoiser.h"
#include "tinta/sampling/sampler.h"

// For the tests of this folder only.

namespace tinta::sampling {

/// A denoiser made of any function.
class FunctionDenoiser : public process::Denoiser {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&, const process::NoiseLevel&)>;

  FunctionDenoiser(process::Prediction prediction, Function function)
      : prediction_(prediction), function_(std::move(function)) {}

  [[nodiscard]] process::Prediction prediction() const override { return prediction_; }
  [[nodiscard]] at::Tensor predict(const at::Tensor& x_t,
                                   const process::NoiseLevel& level) const override {
    return function_(x_t, level);
  }

 private:
  process::Prediction prediction_;
  Function function_;
};

/// E[x_0 | x_t] where x_0 ~ N(mean, sigma^2 I): one number in, one out, in the dtype of x_t.
inline FunctionDenoiser gaussian_denoiser(double mean, double sigma) {
  return {process::Prediction::x0,
          [=](const at::Tensor& x_t, const process::NoiseLevel& level) -> at::Tensor {
            const double variance = level.a * level.a * sigma * sigma + level.s * level.s;
            return mean + (x_t - level.a * mean) * (level.a * sigma * sigma / variance);
          }};
}

/// The same noise at every step.
inline NoiseSource constant_noise(const at::Tensor& z) {
  return [z](std::uint32_t) { return z; };
}

/// For chains that must not draw.
inline at::Tensor no_noise(std::uint32_t step) {
  throw ArgumentError("[test] expected no draw, got one at step " + std::to_string(step));
}

inline at::Tensor doubles(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace tinta::sampling
