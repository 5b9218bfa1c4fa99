#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/process/denoiser.h"

namespace tinta::sampling {

/// Classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598, eq. 6 with scale = 1 + w):
/// null + scale (conditional - null), one network call on a doubled batch.
/// Scale 1 is the conditional network alone and 0 the null class alone, one call each.
/// Runs without autograd.
class GuidedDenoiser : public process::Denoiser {
 public:
  /// @param network kept by reference
  /// @param labels  [B] int64 in 0..classes; undefined when the network is unconditional
  /// @param scale   finite
  /// @throws ArgumentError when the network has no classes and scale is not 1, or labels do not fit
  GuidedDenoiser(process::TrainableDenoiser& network, const at::Tensor& labels, double scale);

  [[nodiscard]] process::Prediction prediction() const override { return network_.prediction(); }
  /// @param x_t [B,C,H,W] float32
  [[nodiscard]] at::Tensor predict(const at::Tensor& x_t,
                                   const process::NoiseLevel& level) const override;

 private:
  double scale_;
  process::NetworkDenoiser network_;  // bound to every label that one prediction takes
};

}  // namespace tinta::sampling
