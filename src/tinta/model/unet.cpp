#include "tinta/model/unet.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "tinta/core/error.h"

namespace tinta::model {
namespace {

constexpr std::int64_t kAugmentLabels = 9;  // of process::TrainingPass::augment

SinusoidalOptions sinusoidal_options(const config::ModelConfig& config) {
  return {.dim = config.channels,
          .order = config.time_order == "sin-cos" ? TimeOrder::sin_cos : TimeOrder::cos_sin,
          .frequency_shift = config.time_frequency_shift};
}

// A plain container, so that parameters bear names like "down_blocks.0.resnets.1.conv1.weight".
std::shared_ptr<torch::nn::Module> folder(torch::nn::Module& parent, const std::string& name) {
  return parent.register_module(name, std::make_shared<torch::nn::Module>());
}

// A place where a training pass may end: here, and when the gradient of h is known.
void ask_at(const at::Tensor& h, const Pass& pass) {
  if (!pass.training || !pass.training->at_each_block) return;
  pass.training->at_each_block();
  if (!h.requires_grad()) return;
  h.register_hook([ask = pass.training->at_each_block](const at::Tensor& /*gradient*/) { ask(); });
}

}  // namespace

UNet::UNet(const config::ModelConfig& config)
    : config_(config), prediction_(process::prediction_from(config.prediction)) {
  config::require_valid(config, "UNet");
  const BlockOptions options{.embedding = 4 * config.channels,
                             .norm = {.groups = config.groups, .eps = config.norm_eps},
                             .dropout = config.dropout,
                             .time = config.time_conditioning == "shift"
                                         ? TimeConditioning::shift
                                         : TimeConditioning::scale_shift,
                             .recompute = config.recompute,
                             .scale = config.residual_scale};
  conv_in_ = register_module("conv_in", std::make_shared<Conv2d>(Conv2dOptions{
                                            .in = config.image_channels, .out = config.channels}));
  build_conditioning(options);
  std::vector<std::int64_t> skips;
  build_down(options, skips);
  build_middle(options);
  build_up(options, skips);
  kernels::GroupNormOptions norm = options.norm;
  norm.activation = kernels::Activation::silu;
  conv_norm_out_ = register_module("conv_norm_out", std::make_shared<GroupNorm>(width(0), norm));
  conv_out_ = register_module(
      "conv_out", std::make_shared<Conv2d>(Conv2dOptions{
                      .in = width(0), .out = config.image_channels, .init = Init::zero}));
}

void UNet::build_conditioning(const BlockOptions& options) {
  time_embedding_ = register_module(
      "time_embedding",
      std::make_shared<TimeEmbedding>(sinusoidal_options(config_), options.embedding));
  if (config_.classes > 0 && config_.conditioning == "embedding") {
    class_embedding_ = register_module(
        "class_embedding", std::make_shared<Embedding>(config_.classes + 1, options.embedding));
  } else if (config_.classes > 0) {
    class_projection_ = register_module(
        "class_projection", std::make_shared<Linear>(config_.classes, config_.channels));
  }
  if (config_.augment_conditioning) {
    augment_projection_ = register_module(
        "augment_projection",
        std::make_shared<Linear>(kAugmentLabels, config_.channels, Init::fan_average, Bias::no));
  }
}

std::shared_ptr<Attention> UNet::new_attention(std::int64_t channels,
                                               const BlockOptions& options) const {
  return std::make_shared<Attention>(channels, config_.head_dim, options.norm, options.scale);
}

Attention* UNet::Level::attention(std::size_t block) const {
  const std::size_t without = resnets.size() - attentions.size();
  return block < without ? nullptr : attentions[block - without].get();
}

std::int64_t UNet::width(std::size_t level) const {
  return config_.channels * config_.multipliers[level];
}

bool UNet::attends(std::size_t level) const {
  return std::ranges::count(config_.attention_levels, static_cast<std::int64_t>(level)) > 0;
}

void UNet::build_down(const BlockOptions& options, std::vector<std::int64_t>& skips) {
  const auto blocks = folder(*this, "down_blocks");
  std::int64_t channels = config_.channels;
  skips.push_back(channels);
  for (std::size_t i = 0; i < config_.multipliers.size(); ++i) {
    const auto block = folder(*blocks, std::to_string(i));
    Level level;
    const auto resnets = folder(*block, "resnets");
    for (std::int64_t j = 0; j < config_.blocks; ++j) {
      level.resnets.push_back(resnets->register_module(
          std::to_string(j), std::make_shared<ResidualBlock>(channels, width(i), options)));
      channels = width(i);
      skips.push_back(channels);
    }
    if (attends(i)) {
      const auto attentions = folder(*block, "attentions");
      for (std::int64_t j = 0; j < config_.blocks; ++j) {
        level.attentions.push_back(
            attentions->register_module(std::to_string(j), new_attention(channels, options)));
      }
    }
    const bool last = i + 1 == config_.multipliers.size();
    if (!last && config_.resample == "residual") {
      BlockOptions halving = options;
      halving.resample = Resample::halve;
      level.resampler =
          folder(*block, "downsamplers")
              ->register_module("0", std::make_shared<ResidualBlock>(channels, channels, halving));
    } else if (!last) {
      const auto padding = config_.downsample == "asymmetric" ? DownsamplePadding::asymmetric
                                                              : DownsamplePadding::symmetric;
      level.down = folder(*block, "downsamplers")
                       ->register_module("0", std::make_shared<Downsample>(channels, padding));
    }
    if (!last) skips.push_back(channels);
    down_.push_back(std::move(level));
  }
}

void UNet::build_middle(const BlockOptions& options) {
  const std::int64_t channels = width(config_.multipliers.size() - 1);
  const auto block = folder(*this, "mid_block");
  const auto resnets = folder(*block, "resnets");
  mid_first_ =
      resnets->register_module("0", std::make_shared<ResidualBlock>(channels, channels, options));
  mid_second_ =
      resnets->register_module("1", std::make_shared<ResidualBlock>(channels, channels, options));
  if (config_.mid_attention) {
    mid_attention_ =
        folder(*block, "attentions")->register_module("0", new_attention(channels, options));
  }
}

void UNet::build_up(const BlockOptions& options, std::vector<std::int64_t>& skips) {
  const auto blocks = folder(*this, "up_blocks");
  const std::size_t levels = config_.multipliers.size();
  std::int64_t channels = width(levels - 1);
  for (std::size_t i = 0; i < levels; ++i) {
    const std::size_t depth = levels - 1 - i;
    const auto block = folder(*blocks, std::to_string(i));
    Level level;
    const auto resnets = folder(*block, "resnets");
    for (std::int64_t j = 0; j <= config_.blocks; ++j) {
      level.resnets.push_back(resnets->register_module(
          std::to_string(j),
          std::make_shared<ResidualBlock>(channels + skips.back(), width(depth), options)));
      skips.pop_back();
      channels = width(depth);
    }
    if (attends(depth)) {
      const auto attentions = folder(*block, "attentions");
      const std::int64_t count = config_.up_attention == "last" ? 1 : config_.blocks + 1;
      for (std::int64_t j = 0; j < count; ++j) {
        level.attentions.push_back(
            attentions->register_module(std::to_string(j), new_attention(channels, options)));
      }
    }
    if (depth > 0 && config_.resample == "residual") {
      BlockOptions doubling = options;
      doubling.resample = Resample::twice;
      level.resampler =
          folder(*block, "upsamplers")
              ->register_module("0", std::make_shared<ResidualBlock>(channels, channels, doubling));
    } else if (depth > 0) {
      level.up =
          folder(*block, "upsamplers")->register_module("0", std::make_shared<Upsample>(channels));
    }
    up_.push_back(std::move(level));
  }
}

// What joins the sinusoidal features of the time; undefined where nothing does. Labels are one-hot,
// of unit variance over the classes; the null class is no class, and what was not done is zero.
at::Tensor UNet::features_of(const at::Tensor& labels,
                             const std::optional<process::TrainingPass>& training) {
  const at::ScalarType dtype = conv_in_->weight.scalar_type();
  at::Tensor features;
  if (class_projection_) {
    const at::Tensor one_hot =
        at::one_hot(labels, config_.classes + 1).narrow(1, 0, config_.classes).to(dtype);
    features = class_projection_->forward(one_hot * std::sqrt(config_.classes));
  }
  if (augment_projection_ && training && training->augment.defined()) {
    const at::Tensor told = augment_projection_->forward(training->augment.to(dtype));
    features = features.defined() ? features + told : told;
  }
  return features;
}

at::Tensor UNet::embed(const at::Tensor& time, const at::Tensor& labels,
                       const std::optional<process::TrainingPass>& training) {
  at::Tensor embedding = time_embedding_->forward(time, features_of(labels, training));
  if (class_embedding_) embedding = embedding + class_embedding_->forward(labels);
  return at::silu(embedding);
}

at::Tensor UNet::denoise(const at::Tensor& x, Pass& pass) {
  const auto through = [&](ResidualBlock& block, const auto&... inputs) {
    at::Tensor out = block.forward(inputs..., pass);
    ask_at(out, pass);
    return out;
  };
  at::Tensor h = conv_in_->forward(x);
  std::vector<at::Tensor> skips{h};
  for (const Level& level : down_) {
    for (std::size_t j = 0; j < level.resnets.size(); ++j) {
      h = through(*level.resnets[j], h);
      if (Attention* attention = level.attention(j)) h = attention->forward(h);
      skips.push_back(h);
    }
    if (level.down) h = level.down->forward(h);
    if (level.resampler) h = level.resampler->forward(h, pass);
    if (level.down || level.resampler) skips.push_back(h);
  }
  h = through(*mid_first_, h);
  if (mid_attention_) h = mid_attention_->forward(h);
  h = through(*mid_second_, h);
  for (const Level& level : up_) {
    for (std::size_t j = 0; j < level.resnets.size(); ++j) {
      h = through(*level.resnets[j], h, skips.back());
      skips.pop_back();
      if (Attention* attention = level.attention(j)) h = attention->forward(h);
    }
    if (level.up) h = level.up->forward(h);
    if (level.resampler) h = level.resampler->forward(h, pass);
  }
  return conv_out_->forward(conv_norm_out_->forward(h));
}

void UNet::require_augment(const at::Tensor& augment, std::int64_t batch) const {
  if (!augment_projection_) {
    throw ArgumentError(
        "[UNet] expected no augmentations without model.augment_conditioning, got some");
  }
  if (augment.dim() != 2 || augment.size(0) != batch || augment.size(1) != kAugmentLabels) {
    throw ArgumentError(c10::str("[UNet] expected augmentations [", batch, ",", kAugmentLabels,
                                 "], got ", augment.sizes()));
  }
}

at::Tensor UNet::forward(const at::Tensor& x_t, const at::Tensor& time, const at::Tensor& labels,
                         const std::optional<process::TrainingPass>& training) {
  if (x_t.dim() != 4 || x_t.size(1) != config_.image_channels) {
    throw ArgumentError("[UNet] expected pictures [B," + std::to_string(config_.image_channels) +
                        ",H,W], got " + c10::str(x_t.sizes()));
  }
  if (time.dim() != 1 || time.size(0) != x_t.size(0)) {
    throw ArgumentError("[UNet] expected one time per picture, got " + c10::str(time.sizes()));
  }
  if (config_.classes > 0 &&
      (!labels.defined() || labels.dim() != 1 || labels.size(0) != x_t.size(0))) {
    throw ArgumentError("[UNet] expected one label per picture (the null class is " +
                        std::to_string(config_.classes) + ")");
  }
  if (training && training->augment.defined()) require_augment(training->augment, x_t.size(0));
  const std::int64_t unit = std::int64_t{1} << (config_.multipliers.size() - 1);
  const std::int64_t height = x_t.size(2);
  const std::int64_t width = x_t.size(3);
  const std::int64_t below = (unit - height % unit) % unit;
  const std::int64_t right = (unit - width % unit) % unit;
  at::Tensor x = x_t.to(conv_in_->weight.scalar_type());
  if (below > 0 || right > 0) x = at::constant_pad_nd(x, {0, right, 0, below});
  Pass pass{.embedding = embed(time, labels, training), .training = training};
  at::Tensor out = denoise(x.contiguous(at::MemoryFormat::ChannelsLast), pass);
  if (below > 0 || right > 0) out = out.slice(2, 0, height).slice(3, 0, width);
  return out.to(x_t.scalar_type());
}

std::vector<std::pair<std::string, at::Tensor>> UNet::named_parameters() {
  std::vector<std::pair<std::string, at::Tensor>> out;
  for (const auto& item : torch::nn::Module::named_parameters()) {
    out.emplace_back(item.key(), item.value());
  }
  return out;
}

std::int64_t UNet::parameter_count() const {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : parameters()) count += parameter.numel();
  return count;
}

std::int64_t UNet::multiply_adds(std::int64_t height, std::int64_t width) const {
  const std::int64_t unit = std::int64_t{1} << (config_.multipliers.size() - 1);
  const std::int64_t deepest = ((height + unit - 1) / unit) * ((width + unit - 1) / unit);
  const auto positions = [&](std::size_t level) {
    return deepest << 2 * (config_.multipliers.size() - 1 - level);
  };
  std::int64_t total = positions(0) * (conv_in_->multiply_adds() + conv_out_->multiply_adds()) +
                       time_embedding_->multiply_adds();
  const auto add_level = [&](const Level& level, std::size_t depth) {
    for (const auto& block : level.resnets) total += block->multiply_adds(positions(depth));
    for (const auto& block : level.attentions) total += block->multiply_adds(positions(depth));
    if (level.down) total += level.down->multiply_adds(positions(depth + 1));
    if (level.up) total += level.up->multiply_adds(positions(depth - 1));
  };
  for (std::size_t i = 0; i < down_.size(); ++i) {
    add_level(down_[i], i);
    if (down_[i].resampler) total += down_[i].resampler->multiply_adds(positions(i + 1));
  }
  for (std::size_t i = 0; i < up_.size(); ++i) {
    const std::size_t depth = up_.size() - 1 - i;
    add_level(up_[i], depth);
    if (up_[i].resampler) total += up_[i].resampler->multiply_adds(positions(depth - 1));
  }
  total += mid_first_->multiply_adds(deepest) + mid_second_->multiply_adds(deepest);
  if (mid_attention_) total += mid_attention_->multiply_adds(deepest);
  return total;
}

}  // namespace tinta::model
