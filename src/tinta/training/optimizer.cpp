#include "tinta/training/optimizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "tinta/kernels/adamw.h"

namespace tinta::training {

double ema_decay_at(std::uint64_t step, double limit) {
  const auto n = static_cast<double>(step);
  return std::min(limit, (1 + n) / (10 + n));
}

double learning_rate_at(const config::TrainingConfig& config, std::uint64_t step, Fraction done) {
  double rate = config.learning_rate;
  if (config.decay == "cosine") {
    rate *= 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(done, 0.0, 1.0)));
  }
  const auto n = static_cast<double>(step);
  const auto warmup = static_cast<double>(config.warmup_steps);
  return n < warmup ? rate * n / warmup : rate;
}

Optimizer::Optimizer(process::TrainableDenoiser& network, TrainingState& state) : state_(&state) {
  const NamedTensors parameters = network.named_parameters();
  copy_weights(state.masters(), parameters);
  const std::map<std::string, at::Tensor> by_name(parameters.begin(), parameters.end());
  for (ParameterState& p : state.parameters) {
    const at::Tensor& weight = weights_.emplace_back(by_name.at(p.name));
    for (at::Tensor* kept : {&p.master, &p.m, &p.v, &p.ema}) *kept = kept->to(weight.device());
  }
}

double Optimizer::gradient_norm() const {
  double sum = 0;
  for (const at::Tensor& weight : weights_) {
    if (weight.grad().defined()) sum += kernels::square_sum(weight.grad());
  }
  return std::sqrt(sum);
}

void Optimizer::clear_gradients() {
  for (at::Tensor& weight : weights_) weight.mutable_grad() = at::Tensor();
}

void Optimizer::step(const config::TrainingConfig& config, double learning_rate, double norm) {
  const auto n = static_cast<double>(++state_->step);
  const bool clipped = config.clip_norm > 0 && norm > config.clip_norm;
  const kernels::AdamwStep numbers{
      .learning_rate = static_cast<float>(learning_rate),
      .beta1 = static_cast<float>(config.beta1),
      .beta2 = static_cast<float>(config.beta2),
      .eps = static_cast<float>(config.adam_eps),
      .weight_decay = static_cast<float>(config.weight_decay),
      .correction1 = static_cast<float>(1 - std::pow(config.beta1, n)),
      .correction2 = static_cast<float>(1 - std::pow(config.beta2, n)),
      .gradient_scale = static_cast<float>(clipped ? config.clip_norm / norm : 1),
      .ema_decay = static_cast<float>(ema_decay_at(state_->step, config.ema_decay))};
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const ParameterState& p = state_->parameters[i];
    kernels::AdamwState arrays{
        .weight = weights_[i].detach(), .master = p.master, .m = p.m, .v = p.v, .ema = p.ema};
    const at::Tensor gradient =
        weights_[i].grad().defined() ? weights_[i].grad() : at::zeros_like(arrays.weight);
    kernels::adamw_step(arrays, gradient, numbers);
  }
  clear_gradients();
}

}  // namespace tinta::training
