#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/model/layers.h"
#include "tinta/model/time_embedding.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/prediction.h"

namespace tinta::model {

struct PointNetConfig {
  std::int64_t dimensions = 2;  ///< D, at least 1
  std::int64_t width = 128;     ///< of each hidden layer, at least 4
  std::int64_t layers = 3;      ///< hidden layers, at least 1
  /// Features of each coordinate beside itself: sin and cos of 2^k pi x / 2, k below this. With a
  /// few the net learns fine details, and makes up some where there are no data.
  std::int64_t octaves = 0;
  process::Prediction prediction = process::Prediction::eps;
};

/// A fully connected trunk on points in space and time: h_1 = SiLU(W_1 x + V_1 e), then
/// h_l = h_{l-1} + SiLU(W_l h_{l-1} + V_l e), with e the SiLU of the TimeEmbedding.
class PointTrunk : public torch::nn::Module {
 public:
  explicit PointTrunk(const PointNetConfig& config);  ///< throws ArgumentError

  struct Output {
    at::Tensor hidden;  ///< [B,width]
    at::Tensor time;    ///< [B,width], e; [1,width] where all times are one
  };
  /// @param x [B,D] float32 @param time [B] floating
  Output forward(const at::Tensor& x, const at::Tensor& time);

 private:
  std::int64_t octaves_;
  std::shared_ptr<TimeEmbedding> time_embedding_;
  std::vector<std::shared_ptr<Linear>> space_, time_;
};

/// A small network of points in space and time: what the laboratory learns densities of few
/// dimensions with. Points are pictures of D channels and one pixel, [B,D,1,1], so that the loss
/// and the samplers are those of pictures. All parameters are zero until initialise() fills them,
/// after which the output is still zero.
class PointNet : public torch::nn::Module, public process::TrainableDenoiser {
 public:
  explicit PointNet(const PointNetConfig& config);  ///< throws ArgumentError

  [[nodiscard]] process::Prediction prediction() const override { return config_.prediction; }
  [[nodiscard]] std::int64_t classes() const override { return 0; }
  /// @param x_t [B,D,1,1] (or [B,D]) float32 @throws ArgumentError on other sizes
  at::Tensor forward(const at::Tensor& x_t, const at::Tensor& time, const at::Tensor& labels,
                     const std::optional<process::TrainingPass>& training) override;
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() override;

 private:
  PointNetConfig config_;
  std::shared_ptr<PointTrunk> trunk_;
  std::shared_ptr<Linear> out_;
};

/// The same, made to have a density: it learns an energy whose gradient is the noise,
/// eps(x, t) = grad_x psi(x, t), so that U = psi / s_t and p(x_t) ~ exp(-U). A field of scores that
/// is learned directly is no gradient, and no density belongs to it. The energy has a quadratic
/// part c(t) |x|^2 / 2 with a learned c > 0, which wins far away: exp(-U) can be normalised.
class EnergyNet : public torch::nn::Module, public process::TrainableDenoiser {
 public:
  /// @param config its prediction must be eps. @throws ArgumentError
  explicit EnergyNet(const PointNetConfig& config);

  [[nodiscard]] process::Prediction prediction() const override { return process::Prediction::eps; }
  [[nodiscard]] std::int64_t classes() const override { return 0; }
  /// grad_x psi; differentiable a second time where autograd is on.
  at::Tensor forward(const at::Tensor& x_t, const at::Tensor& time, const at::Tensor& labels,
                     const std::optional<process::TrainingPass>& training) override;
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() override;
  /// psi. @param x [B,D] float32 @param time [B] floating @return [B]
  at::Tensor energy(const at::Tensor& x, const at::Tensor& time);

 private:
  PointNetConfig config_;
  std::shared_ptr<PointTrunk> trunk_;
  std::shared_ptr<Linear> out_, confinement_;
};

}  // namespace tinta::model
