#include "tinta/model/time_embedding.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "tinta/core/error.h"

namespace tinta::model {

at::Tensor sinusoidal(const at::Tensor& time, const SinusoidalOptions& options) {
  const std::int64_t half = options.dim / 2;
  const double last = static_cast<double>(half) - options.frequency_shift;
  if (half < 1 || last <= 0) {
    throw ArgumentError("[sinusoidal] expected dim / 2 above the frequency shift " +
                        std::to_string(options.frequency_shift) + ", got dim " +
                        std::to_string(options.dim));
  }
  const auto wide = time.options().dtype(at::kDouble);
  const at::Tensor exponent = at::arange(half, wide) * (-std::log(options.max_period) / last);
  const at::Tensor angle = time.to(at::kDouble).unsqueeze(1) * exponent.exp().unsqueeze(0);
  const at::Tensor sine = angle.sin();
  const at::Tensor cosine = angle.cos();
  at::Tensor features =
      options.order == TimeOrder::sin_cos ? at::cat({sine, cosine}, 1) : at::cat({cosine, sine}, 1);
  if (options.dim % 2 == 1) features = at::constant_pad_nd(features, {0, 1});
  return features.to(at::kFloat);
}

TimeEmbedding::TimeEmbedding(const SinusoidalOptions& options, std::int64_t hidden)
    : options_(options),
      linear_1_(register_module("linear_1", std::make_shared<Linear>(options.dim, hidden))),
      linear_2_(register_module("linear_2", std::make_shared<Linear>(hidden, hidden))) {}

at::Tensor TimeEmbedding::forward(const at::Tensor& time, const at::Tensor& added) {
  at::Tensor features = sinusoidal(time, options_).to(linear_1_->weight.scalar_type());
  if (added.defined()) features = features + added;
  return linear_2_->forward(at::silu(linear_1_->forward(features)));
}

std::int64_t TimeEmbedding::multiply_adds() const {
  return linear_1_->weight.numel() + linear_2_->weight.numel();
}

}  // namespace tinta::model
