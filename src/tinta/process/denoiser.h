#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/philox.h"
#include "tinta/process/prediction.h"
#include "tinta/process/schedule.h"

namespace tinta::process {

/// Anything that answers "what was the clean picture?" at a noise level: a closed form, a network
/// bound to its labels, a guided pair. Samplers know nothing else.
class Denoiser {
 public:
  virtual ~Denoiser() = default;

  /// What predict() returns.
  [[nodiscard]] virtual Prediction prediction() const = 0;

  /// @param x_t   [B,...] floating
  /// @param level one noise level for the whole batch
  /// @return like x_t
  [[nodiscard]] virtual at::Tensor predict(const at::Tensor& x_t,
                                           const NoiseLevel& level) const = 0;

  /// E[x_0 | x_t], E[eps | x_t], v: predict(), converted. @throws ArgumentError as convert() does
  [[nodiscard]] at::Tensor x0(const at::Tensor& x_t, const NoiseLevel& level) const;
  [[nodiscard]] at::Tensor eps(const at::Tensor& x_t, const NoiseLevel& level) const;
  [[nodiscard]] at::Tensor v(const at::Tensor& x_t, const NoiseLevel& level) const;
  /// grad log q(x_t) = -eps / s (thesis eqs. 2.22-2.23, corrected). @throws ArgumentError at s = 0
  [[nodiscard]] at::Tensor score(const at::Tensor& x_t, const NoiseLevel& level) const;
};

/// What a network is told while it trains, and not at inference: the dropout masks of the step,
/// where layer l of sample first_sample + i draws from (seed, Stream::dropout, sample, l), how its
/// pictures were augmented, and whom to ask on the way.
struct TrainingPass {
  std::uint64_t seed = 0;
  std::uint64_t first_sample = 0;
  at::Tensor samples{};  ///< [B] int64 on the network's device, taken instead where it is defined
  at::Tensor augment{};  ///< [B,9] what was done to each picture (data/augment.h); may be undefined
  /// Called between blocks, in the forward and in the backward pass; what it throws ends the pass.
  std::function<void()> at_each_block{};
};

/// What the trainer and the network-backed denoisers need of a network; never a particular one.
class TrainableDenoiser {
 public:
  virtual ~TrainableDenoiser() = default;

  [[nodiscard]] virtual Prediction prediction() const = 0;
  /// Number of classes, 0 when unconditional. The null class is label `classes()`.
  [[nodiscard]] virtual std::int64_t classes() const = 0;

  /// @param x_t    [B,C,H,W] float32; c_in x_t where prediction() is edm
  /// @param time   [B] float32, NoiseLevel::time of each picture
  /// @param labels [B] int64 in 0..classes(); undefined when unconditional
  /// @param training masks to use and augmentations to know while training; none at inference
  /// @return [B,C,H,W] float32
  virtual at::Tensor forward(const at::Tensor& x_t, const at::Tensor& time,
                             const at::Tensor& labels,
                             const std::optional<TrainingPass>& training) = 0;

  /// Every parameter once, by a stable name, in a stable order. The tensors are the network's own.
  virtual std::vector<std::pair<std::string, at::Tensor>> named_parameters() = 0;
};

/// A network and the labels of a batch, as a Denoiser. Runs without autograd (NoGradGuard).
class NetworkDenoiser : public Denoiser {
 public:
  /// @param network kept by reference
  /// @param labels  [B] int64 in 0..classes, or undefined: the null class for every picture (or
  ///                nothing, when the network is unconditional)
  /// @throws ArgumentError on labels of another kind, or for an unconditional network
  NetworkDenoiser(TrainableDenoiser& network, at::Tensor labels);

  [[nodiscard]] Prediction prediction() const override { return network_->prediction(); }
  /// @param x_t [B,C,H,W] float32, B as many as labels
  [[nodiscard]] at::Tensor predict(const at::Tensor& x_t, const NoiseLevel& level) const override;

 private:
  TrainableDenoiser* network_;
  at::Tensor labels_;
};

}  // namespace tinta::process
