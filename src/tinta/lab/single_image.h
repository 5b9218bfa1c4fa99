#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tinta/lab/row.h"
#include "tinta/process/prediction.h"
#include "tinta/sampling/sampler.h"

namespace tinta::lab {

/// How one picture is learned and drawn again (thesis sect. 3.1). q(x_0) is a delta there: the best
/// network knows the picture, E[x_0 | x_t] = x_0 at every t.
struct PortraitConfig {
  config::ProcessConfig process{};
  config::ModelConfig model{};
  config::TrainingConfig training{};
  int chain_steps = 1000;                             ///< of the drawing, at most T
  sampling::SampleFunction sampler = sampling::ddpm;  ///< thesis algorithm 2.3.3, corrected
};

/// One network that learned one picture.
struct Portrait {
  at::Tensor predicted_before{};  ///< [C,H,W] the noise as predicted before training, of the probe
  at::Tensor predicted_after{};   ///< [C,H,W] and after it
  double mse_before = 0;          ///< mean (eps - eps_hat)^2 over levels spread on 1..T
  double mse_after = 0;
  at::Tensor generated{};        ///< [C,H,W] in [-1, 1], from pure noise
  double psnr = 0;               ///< of it to x_0, dB
  std::vector<double> losses{};  ///< of each training step
};

/// The noise whose prediction the figures show, and its level: t = 3 T / 10.
at::Tensor probe_noise(const at::Tensor& x0, std::uint64_t seed);
int probe_level(int steps);

/// Trains from fresh weights, asks before and after, draws. Everything follows from the seed.
/// @param x0         [C,H,W] float32 in [-1, 1]
/// @param prediction what the network is trained to predict; eps is converted from it
Portrait learn_portrait(const PortraitConfig& config, const at::Tensor& x0,
                        process::Prediction prediction, std::uint64_t seed, const Context& context);

/// What `tinta lab single-image` trains at an effort, for a picture [C,H,W].
PortraitConfig portrait_config(const Context& context, std::int64_t channels);

/// What the median over seeds must reach, v-prediction.
struct WantedPsnr {
  double psnr = 30;  ///< dB
  double slack = 0;  ///< dB
  std::string basis = "the bound itself: no seed is left out";
};

/// The row, with everything given.
Result single_image_row(const Context& context, const PortraitConfig& config, const at::Tensor& x0,
                        std::int64_t repeats, const WantedPsnr& wanted);

}  // namespace tinta::lab
