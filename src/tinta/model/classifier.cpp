#include "tinta/model/classifier.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>

#include <cmath>
#include <string_view>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::model {
namespace {

constexpr std::int64_t kGroups = 8;
constexpr std::int64_t kPoolings = 3;
// Logits begin small, so that the first steps are about the features.
constexpr double kLogitScale = 0.125;

at::Tensor by_channel(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble)
      .to(at::kFloat)
      .view({1, static_cast<std::int64_t>(values.size()), 1, 1});
}

std::vector<double> inverses(std::vector<double> values) {
  for (double& value : values) value = 1 / value;
  return values;
}

}  // namespace

std::vector<std::string> ClassifierConfig::problems() const {
  std::vector<std::string> found;
  const auto range = [&](const char* field, std::int64_t value, std::int64_t low,
                         std::int64_t high) {
    if (value >= low && value <= high) return;
    found.push_back(std::string(field) + ": expected " + std::to_string(low) + " to " +
                    std::to_string(high) + ", got " + std::to_string(value));
  };
  range("channels", channels, 1, 1024);
  range("height", height, 1 << kPoolings, 1024);
  range("width", width, 1 << kPoolings, 1024);
  range("classes", classes, 2, 1'000'000);
  range("features", features, kGroups, 1024);
  if (features % kGroups != 0) {
    found.push_back("features: expected a multiple of " + std::to_string(kGroups) + ", got " +
                    std::to_string(features));
  }
  const auto numbers = [&](const char* field, const std::vector<double>& values, auto&& fits,
                           const char* what) {
    if (std::ssize(values) != channels) {
      found.push_back(std::string(field) + ": expected " + std::to_string(channels) +
                      " numbers, one for each channel, got " + std::to_string(values.size()));
    }
    for (const double value : values) {
      if (!fits(value)) {
        found.push_back(std::string(field) + ": expected " + what + ", got " + shortest(value));
      }
    }
  };
  numbers(
      "mean", mean, [](double value) { return std::abs(value) <= 1; }, "numbers in [-1, 1]");
  numbers(
      "deviation", deviation, [](double value) { return value > 0 && std::isfinite(value); },
      "finite numbers above 0");
  return found;
}

Classifier::Classifier(const ClassifierConfig& config) : config_(config) {
  if (const std::vector<std::string> found = config.problems(); !found.empty()) {
    throw ArgumentError("[Classifier] " + join(found, "; "));
  }
  const std::int64_t f = config.features;
  stem_ = make("stem", config.channels, f, 0);
  down1_ = make("down1", f, 2 * f, 0);
  residual1a_ = make("residual1a", 2 * f, 2 * f, 1);
  residual1b_ = make("residual1b", 2 * f, 2 * f, 1);
  down2_ = make("down2", 2 * f, 4 * f, 1);
  down3_ = make("down3", 4 * f, 8 * f, 2);
  residual3a_ = make("residual3a", 8 * f, 8 * f, 3);
  residual3b_ = make("residual3b", 8 * f, 8 * f, 3);
  head_ = register_module("head", std::make_shared<Linear>(8 * f, config.classes));
  mean_ = by_channel(config.mean);
  scale_ = by_channel(inverses(config.deviation));
}

Classifier::Layer Classifier::make(const std::string& name, std::int64_t in, std::int64_t out,
                                   std::int64_t halvings) {
  return {.conv = register_module(name + "_conv",
                                  std::make_shared<Conv2d>(Conv2dOptions{.in = in, .out = out})),
          .norm = register_module(
              name + "_norm",
              std::make_shared<GroupNorm>(
                  out,
                  kernels::GroupNormOptions{
                      .groups = kGroups, .eps = 1e-5, .activation = kernels::Activation::silu})),
          .halvings = halvings};
}

at::Tensor Classifier::apply(const Layer& layer, const at::Tensor& x, Pool pool) {
  const at::Tensor h = layer.conv->forward(x);
  return layer.norm->forward(pool == Pool::by_two ? at::max_pool2d(h, 2) : h);
}

at::Tensor Classifier::forward(const at::Tensor& x) {
  if (x.dim() != 4 || x.size(1) != config_.channels || x.size(2) != config_.height ||
      x.size(3) != config_.width) {
    throw ArgumentError(c10::str("[Classifier] expected pictures [B,", config_.channels, ",",
                                 config_.height, ",", config_.width, "], got ", x.sizes()));
  }
  const at::Tensor& weight = head_->weight;
  at::Tensor h = (x - mean_.to(x.device())) * scale_.to(x.device());
  h = h.to(weight.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
  h = apply(down1_, apply(stem_, h, Pool::no), Pool::by_two);
  h = h + apply(residual1b_, apply(residual1a_, h, Pool::no), Pool::no);
  h = apply(down3_, apply(down2_, h, Pool::by_two), Pool::by_two);
  h = h + apply(residual3b_, apply(residual3a_, h, Pool::no), Pool::no);
  return head_->forward(h.amax({2, 3})).to(at::kFloat) * kLogitScale;
}

at::Tensor Classifier::logits(const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  const at::Tensor plain = forward(x);
  return config_.mirrored ? (plain + forward(x.flip({3}))) / 2 : plain;
}

std::vector<std::pair<std::string, at::Tensor>> Classifier::weights() {
  std::vector<std::pair<std::string, at::Tensor>> all;
  for (const auto& item : named_parameters()) all.emplace_back(item.key(), item.value());
  return all;
}

std::int64_t Classifier::parameter_count() const {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : parameters()) count += parameter.numel();
  return count;
}

std::int64_t Classifier::multiply_adds() const {
  std::int64_t sum = head_->weight.numel();
  for (const Layer* layer : {&stem_, &down1_, &residual1a_, &residual1b_, &down2_, &down3_,
                             &residual3a_, &residual3b_}) {
    sum += layer->conv->multiply_adds() * (config_.height >> layer->halvings) *
           (config_.width >> layer->halvings);
  }
  return sum;
}

}  // namespace tinta::model
