#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "tinta/data/loader.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"

namespace tinta::training {

/// Everything random of one batch, fixed by (seed, sample index) alone.
struct Draws {
  at::Tensor t;       ///< [B] int64, uniform on 1..K: a step, or a training level of the schedule
  at::Tensor noise;   ///< [B,C,H,W] float32, standard normal
  at::Tensor labels;  ///< [B] int64: the batch's, a share replaced by the null class; or undefined
};

/// The noise is on the device of batch.x0, the rest on the CPU.
/// @param levels         K, Schedule::training_levels()
/// @param classes        of the network; 0 gives no labels
/// @param class_dropout  share of labels that become the null class (Ho and Salimans 2022)
Draws draw(const data::Batch& batch, int levels, std::int64_t classes, double class_dropout,
           std::uint64_t seed);

/// Times and labels alone, without noise: for a step that draws its noise on a GPU.
Draws draw_without_noise(const data::Batch& batch, int levels, std::int64_t classes,
                         double class_dropout, std::uint64_t seed);

/// What the loss of a batch is computed from, all on the network's device.
struct LossInputs {
  at::Tensor x0;          ///< [B,C,H,W] float32
  at::Tensor noise;       ///< likewise
  at::Tensor a;           ///< [B,1,1,1] float32, of each picture's noise level
  at::Tensor s;           ///< likewise
  at::Tensor time;        ///< [B] float32
  at::Tensor labels;      ///< [B] int64 or undefined
  at::Tensor augment{};   ///< [B,9] float32, what was done to each picture; or undefined
  at::Tensor c_in{};      ///< [B,1,1,1] float32, EDM's; undefined: 1
  at::Tensor on_x0{};     ///< likewise, of EDM's target; undefined: the target is eps, x0 or v
  at::Tensor on_noise{};  ///< likewise
};

/// f(tensor) of each of them, in order.
template <class Inputs, class F>
void for_each_input(Inputs& inputs, F&& f) {
  for (auto* x : {&inputs.x0, &inputs.noise, &inputs.a, &inputs.s, &inputs.time, &inputs.labels,
                  &inputs.augment, &inputs.c_in, &inputs.on_x0, &inputs.on_noise}) {
    f(*x);
  }
}

/// On the CPU, but for x0 and noise, which are as in the batch and the draws.
/// @param prediction of the network; edm has an input that is scaled and a target of its own
LossInputs loss_inputs(const process::Schedule& schedule, process::Prediction prediction,
                       const data::Batch& batch, const Draws& draws);

/// The loss of a batch, and how the pictures share in it.
struct BatchLoss {
  at::Tensor mean;  ///< scalar with autograd
  at::Tensor each;  ///< [B] float32, no autograd: each picture's own

  /// Both on the CPU, in one transfer: a GPU is waited for once. @return [1 + B] float32, the mean
  /// first
  [[nodiscard]] at::Tensor values() const;
};

/// simple_loss() of inputs that lie where the network is.
BatchLoss loss_of(process::TrainableDenoiser& network, const LossInputs& inputs,
                  const process::TrainingPass& training);

/// The simple loss: mean over batch and pixels of (target - network(x_t, t))^2, where the target is
/// eps, x0, v or EDM's of F, where it is the loss of Karras et al. 2022 (eq. 8): lambda(sigma)
/// makes the weight 1 (Ho et al. 2020, eq. 14; thesis eq. 2.19 and algorithm 2.2.1; lab eq. 8, of
/// which this is the mean rather than the sum).
/// @return scalar with autograd
at::Tensor simple_loss(process::TrainableDenoiser& network, const process::Schedule& schedule,
                       const data::Batch& batch, const Draws& draws, std::uint64_t seed);

/// The same, with each picture's share.
/// @param at_each_block see process::TrainingPass
BatchLoss batch_loss(process::TrainableDenoiser& network, const process::Schedule& schedule,
                     const data::Batch& batch, const Draws& draws, std::uint64_t seed,
                     const std::function<void()>& at_each_block = {});

/// Mean squared distance of each picture: what simple_loss() is the mean of; without gradients.
/// @param training absent: no dropout, no augmentation
/// @return [B] float64 on the CPU
at::Tensor picture_losses(process::TrainableDenoiser& network, const process::Schedule& schedule,
                          const data::Batch& batch, const Draws& draws,
                          const std::optional<process::TrainingPass>& training = std::nullopt);

}  // namespace tinta::training
