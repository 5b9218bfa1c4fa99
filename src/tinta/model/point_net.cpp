#include "tinta/model/point_net.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tinta/core/error.h"

namespace tinta::model {
namespace {

SinusoidalOptions sinusoids(const PointNetConfig& config) {
  return {.dim = std::clamp<std::int64_t>(config.width, 4, 32)};
}

at::Tensor points(const at::Tensor& x, std::int64_t dimensions) {
  if (x.dim() < 2 || x.numel() != x.size(0) * dimensions || x.size(1) != dimensions) {
    throw ArgumentError(
        c10::str("[PointNet] expected points of sizes [B,", dimensions, ",1,1], got ", x.sizes()));
  }
  return x.reshape({x.size(0), dimensions});
}

at::Tensor features(const at::Tensor& x, std::int64_t octaves) {
  std::vector<at::Tensor> parts{x};
  for (std::int64_t k = 0; k < octaves; ++k) {
    const at::Tensor angle = x * std::ldexp(std::numbers::pi / 2, static_cast<int>(k));
    parts.push_back(angle.sin());
    parts.push_back(angle.cos());
  }
  return octaves == 0 ? x : at::cat(parts, 1);
}

std::vector<std::pair<std::string, at::Tensor>> parameters_of(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, at::Tensor>> out;
  for (const auto& item : module.named_parameters()) out.emplace_back(item.key(), item.value());
  return out;
}

}  // namespace

PointTrunk::PointTrunk(const PointNetConfig& config) : octaves_(config.octaves) {
  if (config.dimensions < 1 || config.width < 4 || config.layers < 1 || config.octaves < 0) {
    throw ArgumentError(c10::str(
        "[PointNet] expected dimensions >= 1, width >= 4, layers >= 1, "
        "octaves >= 0, ",
        "got ", config.dimensions, ", ", config.width, ", ", config.layers, ", ", config.octaves));
  }
  time_embedding_ = register_module(
      "time_embedding", std::make_shared<TimeEmbedding>(sinusoids(config), config.width));
  for (std::int64_t i = 0; i < config.layers; ++i) {
    const std::int64_t in = i == 0 ? config.dimensions * (1 + 2 * config.octaves) : config.width;
    const std::string ordinal = std::to_string(i);
    space_.push_back(
        register_module("space_" + ordinal, std::make_shared<Linear>(in, config.width)));
    time_.push_back(
        register_module("time_" + ordinal, std::make_shared<Linear>(config.width, config.width)));
  }
}

PointTrunk::Output PointTrunk::forward(const at::Tensor& x, const at::Tensor& time) {
  // At one noise level, as on a grid, one row of features does for all points.
  const bool one_level = time.size(0) > 0 && time.eq(time[0]).all().item<bool>();
  const at::Tensor e = at::silu(time_embedding_->forward(one_level ? time.slice(0, 0, 1) : time));
  at::Tensor h = at::silu(space_[0]->forward(features(x, octaves_)) + time_[0]->forward(e));
  for (std::size_t i = 1; i < space_.size(); ++i) {
    h = h + at::silu(space_[i]->forward(h) + time_[i]->forward(e));
  }
  return {h, e};
}

PointNet::PointNet(const PointNetConfig& config)
    : config_(config),
      trunk_(register_module("trunk", std::make_shared<PointTrunk>(config))),
      out_(register_module(
          "out", std::make_shared<Linear>(config.width, config.dimensions, Init::zero))) {}

at::Tensor PointNet::forward(const at::Tensor& x_t, const at::Tensor& time,
                             const at::Tensor& /*labels*/,
                             const std::optional<process::TrainingPass>& /*training*/) {
  const at::Tensor x = points(x_t, config_.dimensions);
  return out_->forward(trunk_->forward(x, time).hidden).reshape(x_t.sizes());
}

std::vector<std::pair<std::string, at::Tensor>> PointNet::named_parameters() {
  return parameters_of(*this);
}

EnergyNet::EnergyNet(const PointNetConfig& config)
    : config_(config),
      trunk_(register_module("trunk", std::make_shared<PointTrunk>(config))),
      // Not zero: the gradient of a zero energy would not move the layers below it.
      out_(register_module("out", std::make_shared<Linear>(config.width, 1))),
      confinement_(
          register_module("confinement", std::make_shared<Linear>(config.width, 1, Init::zero))) {
  if (config.prediction != process::Prediction::eps) {
    throw ArgumentError("[EnergyNet] expected the prediction eps, got " +
                        process::to_string(config.prediction));
  }
}

at::Tensor EnergyNet::energy(const at::Tensor& x, const at::Tensor& time) {
  const PointTrunk::Output trunk = trunk_->forward(x, time);
  const at::Tensor c = at::softplus(confinement_->forward(trunk.time)).squeeze(1);
  return out_->forward(trunk.hidden).squeeze(1) + c * x.square().sum(1) / 2;
}

at::Tensor EnergyNet::forward(const at::Tensor& x_t, const at::Tensor& time,
                              const at::Tensor& /*labels*/,
                              const std::optional<process::TrainingPass>& /*training*/) {
  const bool training = at::GradMode::is_enabled();
  const at::AutoGradMode grad(true);
  const at::Tensor x = points(x_t, config_.dimensions).detach().requires_grad_(true);
  const auto gradients =
      torch::autograd::grad({energy(x, time).sum()}, {x}, {}, training, training);
  return gradients.front().reshape(x_t.sizes());
}

std::vector<std::pair<std::string, at::Tensor>> EnergyNet::named_parameters() {
  return parameters_of(*this);
}

}  // namespace tinta::model
