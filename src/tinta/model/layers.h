#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

#include "tinta/kernels/group_norm.h"

namespace tinta::model {

// The few layers that a U-Net is made of. Unlike torch::nn's they draw no random numbers when they
// are made (initialise() in init.h does, from named keys) and take channels_last as it comes.

/// How initialise() fills a layer's weight.
enum class Init {
  fan_average,  ///< uniform with variance 1 / mean(fan in, fan out): Ho et al. 2020
  zero,         ///< last layers: a new net's blocks are the identity and its output is zero
  normal,       ///< N(0, 1): embeddings
};

enum class Bias { yes, no };

/// y = x W^T + b.
class Linear : public torch::nn::Module {
 public:
  Linear(std::int64_t in, std::int64_t out, Init init = Init::fan_average, Bias bias = Bias::yes);
  /// @param x [...,in] @return [...,out]
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight;  ///< [out,in]
  at::Tensor bias;    ///< [out]; undefined without
  const Init init;
};

struct Conv2dOptions {
  std::int64_t in = 1;
  std::int64_t out = 1;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t padding = 1;
  Init init = Init::fan_average;
};

class Conv2d : public torch::nn::Module {
 public:
  explicit Conv2d(const Conv2dOptions& options);
  /// @param x [B,in,H,W] @return [B,out,H',W']
  at::Tensor forward(const at::Tensor& x);
  /// The same + plus [B,out,H,W], for one that keeps the sides.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& plus);
  /// Multiply-adds per output position.
  [[nodiscard]] std::int64_t multiply_adds() const;

  at::Tensor weight;  ///< [out,in,kernel,kernel]
  at::Tensor bias;    ///< [out]
  const Conv2dOptions options;
};

/// Group norm, with SiLU after it by its options; see kernels/group_norm.h.
class GroupNorm : public torch::nn::Module {
 public:
  GroupNorm(std::int64_t channels, const kernels::GroupNormOptions& options);
  /// @param x [B,C,H,W]
  at::Tensor forward(const at::Tensor& x);
  /// The same, and x for its other use; see kernels::group_norm_beside().
  kernels::NormedAndInput beside(const at::Tensor& x);

  at::Tensor weight;  ///< [C]
  at::Tensor bias;    ///< [C]
  const kernels::GroupNormOptions options;
};

/// A table of learned vectors.
class Embedding : public torch::nn::Module {
 public:
  Embedding(std::int64_t count, std::int64_t dim);
  /// @param indices [B] int64 @return [B,dim]
  at::Tensor forward(const at::Tensor& indices);

  at::Tensor weight;  ///< [count,dim]
};

}  // namespace tinta::model
