#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tinta/model/layers.h"
#include "tinta/process/denoiser.h"

namespace tinta::model {

/// What every block of one forward pass shares.
struct Pass {
  at::Tensor embedding{};  ///< [B,E]: SiLU of time (and class) embedding
  std::optional<process::TrainingPass> training{};
  std::uint32_t dropout_layer = 0;  ///< counts the dropout layers met so far
};

enum class TimeConditioning { shift, scale_shift };

/// What a residual block does to the sides of its pictures, before its first convolution: nothing;
/// halve them, each pixel the mean of 2 x 2; or double them by repetition.
enum class Resample { none, halve, twice };

struct BlockOptions {
  std::int64_t embedding = 128;  ///< E
  kernels::GroupNormOptions norm;
  double dropout = 0;
  TimeConditioning time = TimeConditioning::shift;
  bool recompute = false;  ///< see recompute.h
  double scale = 1;        ///< of the sum with the input
  Resample resample = Resample::none;
};

/// norm-SiLU-conv, time, norm-SiLU-dropout-conv, plus the input (Ho et al. 2020, appendix B). One
/// that resamples does so after the first SiLU, and to the input before a 1 x 1 convolution of it
/// (Song et al. 2021, arXiv:2011.13456, appendix H: DDPM++).
class ResidualBlock : public torch::nn::Module {
 public:
  ResidualBlock(std::int64_t in, std::int64_t out, const BlockOptions& options);
  /// @param x [B,in,H,W] @return [B,out,H',W'], the sides as options.resample says
  at::Tensor forward(const at::Tensor& x, Pass& pass) { return forward_of({x}, pass); }
  /// The same of x [B,..,H,W] and a skip connection, their channels joined to `in`.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& skip, Pass& pass) {
    return forward_of({x, skip}, pass);
  }
  /// Multiply-adds at `positions` places of the result, the embedding's projection included.
  [[nodiscard]] std::int64_t multiply_adds(std::int64_t positions) const;

 private:
  at::Tensor forward_of(std::vector<at::Tensor> inputs, Pass& pass);
  at::Tensor compute(const at::Tensor& input, Pass& pass);
  at::Tensor conditioned(const at::Tensor& h, Pass& pass);

  BlockOptions options_;
  std::shared_ptr<GroupNorm> norm1_, norm2_;
  std::shared_ptr<Conv2d> conv1_, conv2_, conv_shortcut_;
  std::shared_ptr<Linear> time_emb_proj_;
};

/// Self-attention over the positions of a feature map, plus the input.
class Attention : public torch::nn::Module {
 public:
  /// @param head_dim channels per head, 0 for one head; divides `channels`
  /// @param scale    of the sum with the input
  Attention(std::int64_t channels, std::int64_t head_dim, const kernels::GroupNormOptions& norm,
            double scale = 1);
  at::Tensor forward(const at::Tensor& input);
  [[nodiscard]] std::int64_t multiply_adds(std::int64_t positions) const;

 private:
  std::int64_t heads_;
  double scale_;
  std::shared_ptr<GroupNorm> group_norm_;
  std::shared_ptr<Linear> to_q_, to_k_, to_v_;
  std::shared_ptr<torch::nn::Module> to_out_;  // holds "0", as diffusers has it
  std::shared_ptr<Linear> out_;
};

enum class DownsamplePadding { asymmetric, symmetric };

/// Halves both sides by a convolution of stride 2. Asymmetric padding adds one row below and one
/// column at the right (Ho et al. 2020), symmetric one on every side.
class Downsample : public torch::nn::Module {
 public:
  Downsample(std::int64_t channels, DownsamplePadding padding);
  /// @param x [B,C,H,W], H and W even @return [B,C,H/2,W/2]
  at::Tensor forward(const at::Tensor& x);
  [[nodiscard]] std::int64_t multiply_adds(std::int64_t out_positions) const;

 private:
  DownsamplePadding padding_;
  std::shared_ptr<Conv2d> conv_;
};

/// Doubles both sides by repetition, then a convolution.
class Upsample : public torch::nn::Module {
 public:
  explicit Upsample(std::int64_t channels);
  at::Tensor forward(const at::Tensor& x);
  [[nodiscard]] std::int64_t multiply_adds(std::int64_t out_positions) const;

 private:
  std::shared_ptr<Conv2d> conv_;
};

}  // namespace tinta::model
