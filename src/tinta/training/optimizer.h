#pragma once

#include <cstdint>

#include "tinta/config/config.h"
#include "tinta/kernels/adamw.h"
#include "tinta/process/denoiser.h"
#include "tinta/training/state.h"

namespace tinta::training {

/// Decay of the moving average at step n (counted from 1): min(limit, (1 + n) / (10 + n)), so that
/// an average begun on random weights forgets them soon.
double ema_decay_at(std::uint64_t step, double limit);

/// Mean age of what the average holds after step n, in steps: each step's weights count by their
/// share in it, and are as old as the steps since. Its horizon: about a tenth of the run at first,
/// then limit / (1 - limit). Starts at 0 and follows age_n = d_n (age_{n-1} + 1), d_n the decay.
double ema_age_at(std::uint64_t step, double limit);

/// How far a run is, 0 to 1, by whichever of its budgets is nearest its end.
using Fraction = double;

/// Learning rate of step n (counted from 1), a product of:
///
/// - learning_rate;
/// - warm-up: min(n / warmup_steps, 1);
/// - ramp: min(images / ramp_images, 1), with the pictures seen after step n (Karras et al. 2022,
///   arXiv:2206.00364, table 7; their program counts those before it, so that the first step
///   moves nothing);
/// - decay: 1 (constant); half a cosine down to zero at the end of the budget (cosine); or
///   1 / sqrt(max(n / reference_steps, 1)) (inverse-sqrt: Karras et al. 2024, arXiv:2312.02696,
///   eq. 67).
double learning_rate_at(const config::TrainingConfig& config, std::uint64_t step, Fraction done);

/// AdamW on a network's parameters: keeps float32 masters in a TrainingState and writes rounded
/// copies into the network after each step.
class Optimizer {
 public:
  /// Binds the network's parameters to the state by name, copies the masters into it, and moves the
  /// state to the network's device and layout.
  /// @throws ArgumentError when names or shapes disagree
  Optimizer(process::TrainableDenoiser& network, TrainingState& state);

  /// Norm of all gradients, without their loss scale. @throws nothing; not finite when a gradient
  /// is not
  [[nodiscard]] double gradient_norm() const;
  /// Likewise, of the sum of their squares as they are.
  [[nodiscard]] double norm_of(double square_sum) const;
  /// What the loss is to be multiplied by before the backward pass.
  [[nodiscard]] double loss_scale() const { return state_->loss_scale.factor(); }

  /// One step: takes back the loss scale, clips by `norm`, updates state and network, clears the
  /// gradients. Counts state.step.
  void step(const config::TrainingConfig& config, double learning_rate, double norm);

  void clear_gradients();

  /// The numbers of the next step, without clipping.
  [[nodiscard]] kernels::AdamwStep next_numbers(const config::TrainingConfig& config,
                                                double learning_rate) const;
  /// For a step that is recorded on a GPU: queues clipping and update with the numbers that lie
  /// there then, and clears the gradients. Where they or the loss are not finite, nothing is
  /// changed.
  void queue(kernels::LiveStep& live, double clip_norm, const at::Tensor& loss);
  /// Counts a step that was queued, or played again, or skipped, and lets the tracked averages
  /// follow: their time passes whatever became of a step.
  void count();

 private:
  [[nodiscard]] std::vector<at::Tensor> gradients() const;

  TrainingState* state_;
  std::vector<at::Tensor> weights_;  // the network's, in the order of the state
  std::vector<kernels::AdamwState> arrays_;
  std::vector<double> gammas_;  // of the tracked averages
};

}  // namespace tinta::training
