#include "tinta/model/blocks.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "tinta/kernels/dropout.h"
#include "tinta/kernels/group_norm_dropout.h"
#include "tinta/kernels/upsampled_convolution.h"
#include "tinta/model/recompute.h"

namespace tinta::model {
namespace {

kernels::GroupNormOptions with_silu(kernels::GroupNormOptions norm) {
  norm.activation = kernels::Activation::silu;
  return norm;
}

// The masks of the next dropout layer; none where nothing is dropped. A mask is a function of
// (seed, sample, layer, place), with places in the order of memory, channels fastest.
std::optional<kernels::Dropout> next_dropout(double p, Pass& pass) {
  const std::uint32_t layer = pass.dropout_layer++;
  if (p == 0 || !pass.training) return std::nullopt;
  return kernels::Dropout{.p = p,
                          .first = {.seed = pass.training->seed,
                                    .stream = Stream::dropout,
                                    .sample = pass.training->first_sample,
                                    .step = layer},
                          .samples = pass.training->samples};
}

at::Tensor resampled(const at::Tensor& x, Resample how) {
  switch (how) {
    case Resample::halve:
      return at::avg_pool2d(x, {2, 2});
    case Resample::twice:
      return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
    case Resample::none:
      break;
  }
  return x;
}

at::Tensor scaled(const at::Tensor& x, double scale) { return scale == 1 ? x : x * scale; }

at::Tensor joined(std::span<const at::Tensor> parts) {
  return parts.size() == 1 ? parts.front() : at::cat(at::TensorList(parts.data(), parts.size()), 1);
}

}  // namespace

ResidualBlock::ResidualBlock(std::int64_t in, std::int64_t out, const BlockOptions& options)
    : options_(options) {
  const bool shift = options.time == TimeConditioning::shift;
  norm1_ = register_module("norm1", std::make_shared<GroupNorm>(in, with_silu(options.norm)));
  conv1_ = register_module("conv1", std::make_shared<Conv2d>(Conv2dOptions{.in = in, .out = out}));
  time_emb_proj_ = register_module(
      "time_emb_proj", std::make_shared<Linear>(options.embedding, shift ? out : 2 * out));
  norm2_ = register_module("norm2", std::make_shared<GroupNorm>(out, with_silu(options.norm)));
  conv2_ = register_module(
      "conv2", std::make_shared<Conv2d>(Conv2dOptions{.in = out, .out = out, .init = Init::zero}));
  if (in != out || options.resample != Resample::none) {
    conv_shortcut_ = register_module(
        "conv_shortcut",
        std::make_shared<Conv2d>(Conv2dOptions{.in = in, .out = out, .kernel = 1, .padding = 0}));
  }
}

// The second norm, SiLU and dropout included, told of the time: by a shift before it, or by scale
// and shift after it, which make its affine map each picture's own.
at::Tensor ResidualBlock::conditioned(const at::Tensor& h, Pass& pass) {
  const at::Tensor time = time_emb_proj_->forward(pass.embedding);
  kernels::GroupNormInputs inputs{h, {}, norm2_->weight, norm2_->bias};
  if (options_.time == TimeConditioning::shift) {
    inputs.shift = time;
  } else {
    const auto halves = time.chunk(2, 1);
    const at::Tensor scale = 1 + halves[0];
    inputs.gamma = inputs.gamma * scale;
    inputs.beta = inputs.beta * scale + halves[1];
  }
  const std::optional<kernels::Dropout> dropped = next_dropout(options_.dropout, pass);
  RECORD_USER_SCOPE("tinta::group_norm");
  return dropped ? kernels::group_norm(inputs, norm2_->options, *dropped)
                 : kernels::group_norm(inputs.x, inputs.shift, inputs.gamma, inputs.beta,
                                       norm2_->options);
}

at::Tensor ResidualBlock::forward_of(std::vector<at::Tensor> inputs, Pass& pass) {
  if (!options_.recompute || !at::GradMode::is_enabled()) return compute(joined(inputs), pass);
  // The same dropout layer whenever it is computed. What is joined is kept apart, because others
  // keep it too.
  const Pass shared{.training = pass.training, .dropout_layer = pass.dropout_layer++};
  inputs.push_back(pass.embedding);
  return recomputed(
      [this, shared](const std::vector<at::Tensor>& given) {
        Pass again = shared;
        again.embedding = given.back();
        return compute(joined(std::span(given).first(given.size() - 1)), again);
      },
      inputs, parameters());
}

at::Tensor ResidualBlock::compute(const at::Tensor& input, Pass& pass) {
  const auto [normed, x] = norm1_->beside(input);
  at::Tensor h = conv1_->forward(resampled(normed, options_.resample));
  h = conditioned(h, pass);
  const at::Tensor direct = resampled(x, options_.resample);
  return scaled(conv2_->forward(h, conv_shortcut_ ? conv_shortcut_->forward(direct) : direct),
                options_.scale);
}

std::int64_t ResidualBlock::multiply_adds(std::int64_t positions) const {
  return positions * (conv1_->multiply_adds() + conv2_->multiply_adds() +
                      (conv_shortcut_ ? conv_shortcut_->multiply_adds() : 0)) +
         time_emb_proj_->weight.numel();
}

Attention::Attention(std::int64_t channels, std::int64_t head_dim,
                     const kernels::GroupNormOptions& norm, double scale)
    : heads_(head_dim == 0 ? 1 : channels / head_dim), scale_(scale) {
  group_norm_ = register_module("group_norm", std::make_shared<GroupNorm>(channels, norm));
  to_q_ = register_module("to_q", std::make_shared<Linear>(channels, channels));
  to_k_ = register_module("to_k", std::make_shared<Linear>(channels, channels));
  to_v_ = register_module("to_v", std::make_shared<Linear>(channels, channels));
  to_out_ = register_module("to_out", std::make_shared<torch::nn::Module>());
  out_ = to_out_->register_module("0", std::make_shared<Linear>(channels, channels, Init::zero));
}

at::Tensor Attention::forward(const at::Tensor& input) {
  const auto [normed, x] = group_norm_->beside(input);
  const std::int64_t batch = x.size(0);
  const std::int64_t channels = x.size(1);
  const std::int64_t positions = x.size(2) * x.size(3);
  const std::int64_t head_dim = channels / heads_;
  const at::Tensor tokens = normed.permute({0, 2, 3, 1}).reshape({batch, positions, channels});
  const auto by_head = [&](const at::Tensor& all) {  // [B,N,C] -> [B * heads, N, head_dim]
    if (heads_ == 1) return all;
    return all.view({batch, positions, heads_, head_dim})
        .transpose(1, 2)
        .reshape({batch * heads_, positions, head_dim});
  };
  const at::Tensor q = by_head(to_q_->forward(tokens)) / std::sqrt(static_cast<double>(head_dim));
  const at::Tensor k = by_head(to_k_->forward(tokens));
  const at::Tensor v = by_head(to_v_->forward(tokens));
  at::Tensor mixed = at::bmm(at::softmax(at::bmm(q, k.transpose(1, 2)), -1), v);
  if (heads_ > 1) {
    mixed = mixed.view({batch, heads_, positions, head_dim})
                .transpose(1, 2)
                .reshape({batch, positions, channels});
  }
  const at::Tensor out =
      out_->forward(mixed).view({batch, x.size(2), x.size(3), channels}).permute({0, 3, 1, 2});
  return scaled(out + x, scale_);
}

std::int64_t Attention::multiply_adds(std::int64_t positions) const {
  const std::int64_t channels = to_q_->weight.size(0);
  return positions * 4 * channels * channels + 2 * positions * positions * channels;
}

Downsample::Downsample(std::int64_t channels, DownsamplePadding padding) : padding_(padding) {
  conv_ = register_module("conv", std::make_shared<Conv2d>(Conv2dOptions{
                                      .in = channels,
                                      .out = channels,
                                      .stride = 2,
                                      .padding = padding == DownsamplePadding::symmetric ? 1 : 0}));
}

at::Tensor Downsample::forward(const at::Tensor& x) {
  if (padding_ == DownsamplePadding::symmetric) return conv_->forward(x);
  return conv_->forward(at::constant_pad_nd(x, {0, 1, 0, 1}));
}

std::int64_t Downsample::multiply_adds(std::int64_t out_positions) const {
  return out_positions * conv_->multiply_adds();
}

Upsample::Upsample(std::int64_t channels) {
  conv_ = register_module("conv",
                          std::make_shared<Conv2d>(Conv2dOptions{.in = channels, .out = channels}));
}

at::Tensor Upsample::forward(const at::Tensor& x) {
  return kernels::upsampled_convolution(x, conv_->weight, conv_->bias);
}

std::int64_t Upsample::multiply_adds(std::int64_t out_positions) const {
  return out_positions * conv_->multiply_adds();
}

}  // namespace tinta::model
