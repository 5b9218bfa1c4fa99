#include "tinta/training/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "tinta/kernels/adamw.h"
#include "tinta/training/power_ema.h"

namespace tinta::training {

double ema_decay_at(std::uint64_t step, double limit) {
  const auto n = static_cast<double>(step);
  return std::min(limit, (1 + n) / (10 + n));
}

double ema_age_at(std::uint64_t step, double limit) {
  // While d_n = (1 + n) / (10 + n): age_n = (n + 1 - P_n) / 10, P_n = d_1 d_2 ... d_n, by
  // induction; P_n = 10! (n + 1)! / (n + 10)!, of which lgamma knows the logarithm.
  const auto rising = [](double n) {
    const double log_product = std::lgamma(11) + std::lgamma(n + 2) - std::lgamma(n + 11);
    return (n + 1 - std::exp(log_product)) / 10;
  };
  const auto n = static_cast<double>(step);
  // The last step whose decay is still below the limit.
  const double turn = std::max(std::floor((10 * limit - 1) / (1 - limit)), 0.0);
  if (n <= turn) return rising(n);
  const double horizon = limit / (1 - limit);
  return horizon + (rising(turn) - horizon) * std::pow(limit, n - turn);
}

double learning_rate_at(const config::TrainingConfig& config, std::uint64_t step, Fraction done) {
  const auto n = static_cast<double>(step);
  double rate = config.learning_rate;
  if (config.decay == "cosine") {
    rate *= 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(done, 0.0, 1.0)));
  } else if (config.decay == "inverse-sqrt") {
    rate /= std::sqrt(std::max(n / static_cast<double>(config.reference_steps), 1.0));
  }
  const auto images = n * static_cast<double>(config.batch);
  const auto ramp = static_cast<double>(config.ramp_images);
  if (images < ramp) rate *= images / ramp;
  const auto warmup = static_cast<double>(config.warmup_steps);
  return n < warmup ? rate * n / warmup : rate;
}

Optimizer::Optimizer(process::TrainableDenoiser& network, TrainingState& state) : state_(&state) {
  const NamedTensors parameters = network.named_parameters();
  copy_weights(state.masters(), parameters);
  const std::map<std::string, at::Tensor> by_name(parameters.begin(), parameters.end());
  for (ParameterState& p : state.parameters) {
    const at::Tensor& weight = weights_.emplace_back(by_name.at(p.name));
    std::vector<at::Tensor*> all{&p.master, &p.m, &p.v, &p.ema};
    for (at::Tensor& tracked : p.tracked) all.push_back(&tracked);
    for (at::Tensor* kept : all) {
      if (kept->device() == weight.device() && kept->strides() == weight.strides()) continue;
      *kept = at::empty_like(weight, weight.options().dtype(at::kFloat).requires_grad(false))
                  .copy_(*kept);
    }
    arrays_.push_back(
        {.weight = weight.detach(), .master = p.master, .m = p.m, .v = p.v, .ema = p.ema});
  }
  for (const double width : state.relative_widths) gammas_.push_back(gamma_of(width));
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> all;
  for (const at::Tensor& weight : weights_) all.push_back(weight.grad());
  return all;
}

double Optimizer::gradient_norm() const {
  RECORD_USER_SCOPE("tinta::optimiser");
  return norm_of(kernels::square_sum(gradients()));
}

double Optimizer::norm_of(double square_sum) const { return std::sqrt(square_sum) / loss_scale(); }

void Optimizer::clear_gradients() {
  for (at::Tensor& weight : weights_) weight.mutable_grad() = at::Tensor();
}

kernels::AdamwStep Optimizer::next_numbers(const config::TrainingConfig& config,
                                           double learning_rate) const {
  const std::uint64_t step = state_->updates() + 1;
  const auto n = static_cast<double>(step);
  return {.learning_rate = static_cast<float>(learning_rate),
          .beta1 = static_cast<float>(config.beta1),
          .beta2 = static_cast<float>(config.beta2),
          .eps = static_cast<float>(config.adam_eps),
          .weight_decay = static_cast<float>(config.weight_decay),
          .correction1 = static_cast<float>(1 - std::pow(config.beta1, n)),
          .correction2 = static_cast<float>(1 - std::pow(config.beta2, n)),
          .gradient_scale = 1,
          .loss_scale = static_cast<float>(loss_scale()),
          .ema_decay = static_cast<float>(ema_decay_at(step, config.ema_decay))};
}

void Optimizer::step(const config::TrainingConfig& config, double learning_rate, double norm) {
  RECORD_USER_SCOPE("tinta::optimiser");
  kernels::AdamwStep numbers = next_numbers(config, learning_rate);
  const bool clipped = config.clip_norm > 0 && norm > config.clip_norm;
  numbers.gradient_scale =
      static_cast<float>((clipped ? config.clip_norm / norm : 1) / loss_scale());
  kernels::adamw_steps(arrays_, gradients(), numbers);
  clear_gradients();
  count();
}

void Optimizer::count() {
  ++state_->step;
  for (std::size_t i = 0; i < gammas_.size(); ++i) {
    std::vector<at::Tensor> averages, masters;
    for (const ParameterState& p : state_->parameters) {
      averages.push_back(p.tracked[i]);
      masters.push_back(p.master);
    }
    at::_foreach_lerp_(averages, masters, 1 - power_ema_decay(state_->step, gammas_[i]));
  }
}

void Optimizer::queue(kernels::LiveStep& live, double clip_norm, const at::Tensor& loss) {
  kernels::adamw_steps(arrays_, gradients(), live, clip_norm, loss);
  clear_gradients();
}

}  // namespace tinta::training
