#include "tinta/process/denoiser.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <utility>

#include "tinta/core/error.h"
#include "tinta/process/edm.h"

namespace tinta::process {

at::Tensor Denoiser::x0(const at::Tensor& x_t, const NoiseLevel& level) const {
  return convert(predict(x_t, level), prediction(), Prediction::x0, x_t, level);
}

at::Tensor Denoiser::eps(const at::Tensor& x_t, const NoiseLevel& level) const {
  return convert(predict(x_t, level), prediction(), Prediction::eps, x_t, level);
}

at::Tensor Denoiser::v(const at::Tensor& x_t, const NoiseLevel& level) const {
  return convert(predict(x_t, level), prediction(), Prediction::v, x_t, level);
}

at::Tensor Denoiser::score(const at::Tensor& x_t, const NoiseLevel& level) const {
  if (!(level.s > 0)) {
    throw ArgumentError("[Denoiser::score] expected s > 0, got " + std::to_string(level.s));
  }
  return eps(x_t, level) * (-1 / level.s);
}

NetworkDenoiser::NetworkDenoiser(TrainableDenoiser& network, at::Tensor labels)
    : network_(&network), labels_(std::move(labels)) {
  if (!labels_.defined()) return;
  const std::int64_t classes = network.classes();
  if (classes == 0) {
    throw ArgumentError("[NetworkDenoiser] expected no labels for an unconditional network, got " +
                        std::to_string(labels_.numel()));
  }
  if (labels_.dim() != 1 || labels_.scalar_type() != at::kLong) {
    throw ArgumentError(c10::str("[NetworkDenoiser] expected labels of sizes [B] and dtype Long, ",
                                 "got ", labels_.sizes(), " and ", labels_.scalar_type()));
  }
  // Labels on an accelerator are taken at their word: looking at them would stall it.
  if (labels_.is_cpu() && labels_.numel() > 0) {
    const auto lowest = labels_.min().item<std::int64_t>();
    const auto highest = labels_.max().item<std::int64_t>();
    if (lowest < 0 || highest > classes) {
      throw ArgumentError("[NetworkDenoiser] expected labels in 0.." + std::to_string(classes) +
                          ", got " + std::to_string(lowest < 0 ? lowest : highest));
    }
  }
}

at::Tensor NetworkDenoiser::predict(const at::Tensor& x_t, const NoiseLevel& level) const {
  if (x_t.dim() < 1 || x_t.scalar_type() != at::kFloat) {
    throw ArgumentError(c10::str("[NetworkDenoiser] expected x_t of sizes [B,...] and dtype Float",
                                 ", got ", x_t.sizes(), " and ", x_t.scalar_type()));
  }
  const std::int64_t batch = x_t.size(0);
  if (labels_.defined() && labels_.size(0) != batch) {
    throw ArgumentError("[NetworkDenoiser] expected a batch of " + std::to_string(labels_.size(0)) +
                        " for as many labels, got " + std::to_string(batch));
  }
  // Not InferenceMode: its tensors may not be changed in place or kept for autograd outside it, and
  // a network that caches converted weights would keep such tensors and fail when training goes on.
  const at::NoGradGuard no_grad;
  at::Tensor labels = labels_;
  if (labels.defined()) {
    labels = labels.to(x_t.device());
  } else if (network_->classes() > 0) {
    labels = at::full({batch}, network_->classes(), x_t.options().dtype(at::kLong));
  }
  const at::Tensor time = at::full({batch}, level.time, x_t.options());
  const bool scaled = network_->prediction() == Prediction::edm;
  const at::Tensor input = scaled ? x_t * preconditioning(level).c_in : x_t;
  return network_->forward(input, time, labels, std::nullopt);
}

}  // namespace tinta::process
