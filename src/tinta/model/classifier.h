#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tinta/model/layers.h"

namespace tinta::model {

/// What a classifier is: the pictures that it takes, their classes, its width.
struct ClassifierConfig {
  std::int64_t channels = 3;  ///< C of the pictures
  std::int64_t height = 32;   ///< H, at least 8: three poolings halve it
  std::int64_t width = 32;    ///< W, likewise
  std::int64_t classes = 10;  ///< at least 2
  std::int64_t features =
      32;  ///< of the first layer, a multiple of 8; the last has eight times as many
  std::vector<double> mean{};       ///< of each channel over the training pictures, in [-1, 1]
  std::vector<double> deviation{};  ///< standard deviation of each channel, above 0
  bool mirrored = false;  ///< a picture and its mirror image are of one class: both are asked

  /// Every rule that is broken, with the field's name and the value that it has; empty when none.
  [[nodiscard]] std::vector<std::string> problems() const;

  friend bool operator==(const ClassifierConfig&, const ClassifierConfig&) = default;
};

/// A small residual network that tells the classes of small pictures apart: a convolution, three
/// times (convolution, pooling by two), a residual pair of convolutions after the first and the
/// last of these, the greatest value of each feature, a linear layer. The shape is that of the nets
/// that learn CIFAR-10 in few epochs (He et al. 2016, arXiv:1512.03385, with the narrow-to-wide
/// stages of ResNet-9), with group norm and SiLU, so that it knows no difference between training
/// and use.
class Classifier : public torch::nn::Module {
 public:
  /// All parameters are zero (norms one) until initialise() or a file fills them.
  /// @throws ArgumentError when the config has problems
  explicit Classifier(const ClassifierConfig& config);

  /// @param x [B,C,H,W] float32 in [-1, 1], of the config's sizes
  /// @return [B,classes] float32: logits of the pictures as they are; computed in the dtype of the
  ///         parameters
  /// @throws ArgumentError on other shapes
  at::Tensor forward(const at::Tensor& x);

  /// The logits that classes are told by: those of forward(), averaged over the picture and its
  /// mirror image where the config says `mirrored`. Without autograd.
  /// @param x as forward() @return [B,classes] float32
  at::Tensor logits(const at::Tensor& x);

  /// Every parameter once, by a stable name, in a stable order. The tensors are the network's own.
  std::vector<std::pair<std::string, at::Tensor>> weights();

  [[nodiscard]] const ClassifierConfig& config() const noexcept { return config_; }
  [[nodiscard]] std::int64_t parameter_count() const;
  /// Multiply-adds of forward() for one picture, convolutions and the linear layer.
  [[nodiscard]] std::int64_t multiply_adds() const;

 private:
  /// act(norm(conv(x))), pooled by two in between or not.
  struct Layer {
    std::shared_ptr<Conv2d> conv;
    std::shared_ptr<GroupNorm> norm;
    std::int64_t halvings = 0;  ///< of the sides of the pictures, before it
  };
  enum class Pool { no, by_two };

  Layer make(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t halvings);
  static at::Tensor apply(const Layer& layer, const at::Tensor& x, Pool pool);

  ClassifierConfig config_;
  Layer stem_, down1_, residual1a_, residual1b_, down2_, down3_, residual3a_, residual3b_;
  std::shared_ptr<Linear> head_;
  at::Tensor mean_, scale_;  // [1,C,1,1] float32, on the CPU
};

}  // namespace tinta::model
