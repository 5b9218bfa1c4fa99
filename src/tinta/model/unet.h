#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/model/blocks.h"
#include "tinta/model/time_embedding.h"
#include "tinta/process/denoiser.h"

namespace tinta::model {

/// The U-Net of Ho et al. 2020 (appendix B) and its relatives: residual blocks on levels of falling
/// resolution, skip connections, self-attention at chosen levels, time and class conditioning. Its
/// relatives include the DDPM++ of Song et al. 2021 as EDM has it (Karras et al. 2022, table 7).
/// Parameters bear the names that diffusers' UNet2DModel gives them.
///
/// Pictures whose sides are not multiples of 2^(levels - 1) are padded with zeros at the right and
/// below, and the result is cut back: any size works.
class UNet : public torch::nn::Module, public process::TrainableDenoiser {
 public:
  /// All parameters are zero (norms one) until initialise() or a checkpoint fills them.
  /// @throws ArgumentError when the config has problems
  explicit UNet(const config::ModelConfig& config);

  [[nodiscard]] process::Prediction prediction() const override { return prediction_; }
  [[nodiscard]] std::int64_t classes() const override { return config_.classes; }
  /// Computes in the dtype of the parameters; see process::TrainableDenoiser.
  at::Tensor forward(const at::Tensor& x_t, const at::Tensor& time, const at::Tensor& labels,
                     const std::optional<process::TrainingPass>& training) override;
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() override;

  [[nodiscard]] const config::ModelConfig& config() const noexcept { return config_; }
  [[nodiscard]] std::int64_t parameter_count() const;
  /// Multiply-adds of one forward pass of one picture, convolutions and matrix products.
  [[nodiscard]] std::int64_t multiply_adds(std::int64_t height, std::int64_t width) const;

 private:
  struct Level {
    std::vector<std::shared_ptr<ResidualBlock>> resnets;
    std::vector<std::shared_ptr<Attention>> attentions;  // of the last resnets: all, one or none
    // Null on the last level and the first; of each two at most one is there.
    std::shared_ptr<Downsample> down;
    std::shared_ptr<Upsample> up;
    std::shared_ptr<ResidualBlock> resampler;

    [[nodiscard]] Attention* attention(std::size_t block) const;
  };

  void require_augment(const at::Tensor& augment, std::int64_t batch) const;
  void build_down(const BlockOptions& options, std::vector<std::int64_t>& skips);
  void build_middle(const BlockOptions& options);
  void build_up(const BlockOptions& options, std::vector<std::int64_t>& skips);
  void build_conditioning(const BlockOptions& options);
  [[nodiscard]] std::shared_ptr<Attention> new_attention(std::int64_t channels,
                                                         const BlockOptions& options) const;
  [[nodiscard]] at::Tensor embed(const at::Tensor& time, const at::Tensor& labels,
                                 const std::optional<process::TrainingPass>& training);
  [[nodiscard]] at::Tensor features_of(const at::Tensor& labels,
                                       const std::optional<process::TrainingPass>& training);
  [[nodiscard]] at::Tensor denoise(const at::Tensor& x, Pass& pass);
  [[nodiscard]] std::int64_t width(std::size_t level) const;
  [[nodiscard]] bool attends(std::size_t level) const;

  config::ModelConfig config_;
  process::Prediction prediction_;
  std::shared_ptr<TimeEmbedding> time_embedding_;
  std::shared_ptr<Embedding> class_embedding_;  // null when unconditional, or:
  std::shared_ptr<Linear> class_projection_;    // null without classes among the features
  std::shared_ptr<Linear> augment_projection_;  // null without model.augment_conditioning
  std::shared_ptr<Conv2d> conv_in_, conv_out_;
  std::shared_ptr<GroupNorm> conv_norm_out_;
  std::vector<Level> down_;
  std::shared_ptr<ResidualBlock> mid_first_, mid_second_;
  std::shared_ptr<Attention> mid_attention_;  // null without
  std::vector<Level> up_;                     // deepest first
};

}  // namespace tinta::model
