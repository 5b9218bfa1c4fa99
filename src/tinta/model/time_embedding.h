#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "tinta/model/layers.h"

namespace tinta::model {

/// Which half of the sinusoidal embedding comes first.
enum class TimeOrder { sin_cos, cos_sin };

struct SinusoidalOptions {
  std::int64_t dim = 32;
  TimeOrder order = TimeOrder::sin_cos;
  /// Frequencies are max_period^(-i / (dim/2 - frequency_shift)), i = 0 .. dim/2 - 1.
  double frequency_shift = 1;
  double max_period = 10000;
};

/// Sinusoidal features of a time (Vaswani et al. 2017, arXiv:1706.03762, section 3.5, as used by
/// Ho et al. 2020). frequency_shift 1 is Ho's and 0 is most others'; an odd dim ends with a zero.
/// @param time [B] floating @return [B,dim] float32, computed in double and rounded once
/// @throws ArgumentError when dim < 2 or dim/2 <= frequency_shift
at::Tensor sinusoidal(const at::Tensor& time, const SinusoidalOptions& options);

/// The lab sheet's TimeEmbedding(nn.Module), exercise 4: sinusoidal features through
/// Linear - SiLU - Linear. Names of its parameters are diffusers' (linear_1, linear_2).
class TimeEmbedding : public torch::nn::Module {
 public:
  /// @param hidden width of both layers
  TimeEmbedding(const SinusoidalOptions& options, std::int64_t hidden);

  /// @param time  [B] floating
  /// @param added [B,dim] or undefined: joins the sinusoidal features
  /// @return [B,hidden] in the parameters' dtype
  at::Tensor forward(const at::Tensor& time, const at::Tensor& added = {});
  [[nodiscard]] std::int64_t multiply_adds() const;

 private:
  SinusoidalOptions options_;
  std::shared_ptr<Linear> linear_1_, linear_2_;
};

}  // namespace tinta::model
