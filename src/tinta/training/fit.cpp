#include "tinta/training/fit.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/data/loader.h"
#include "tinta/training/loss.h"
#include "tinta/training/optimizer.h"

namespace tinta::training {

TrainingState fit(const FitTask& task) {
  const config::TrainingConfig& config = task.config;
  TrainingState state = TrainingState::fresh(task.network.named_parameters());
  Optimizer optimizer(task.network, state);
  const auto steps = static_cast<std::uint64_t>(config.steps);
  while (state.step < steps && !(task.stop && task.stop())) {
    const std::uint64_t first = state.step * static_cast<std::uint64_t>(config.batch);
    const data::Batch batch{.x0 = task.samples(first, config.batch),
                            .labels = task.labels ? task.labels(first, config.batch) : at::Tensor(),
                            .first_sample = first};
    const Draws draws = draw(batch, task.schedule.training_levels(), task.network.classes(),
                             config.class_dropout, config.seed);
    const at::Tensor loss = simple_loss(task.network, task.schedule, batch, draws, config.seed);
    loss.backward();
    const double value = loss.item<double>();
    const double norm = optimizer.gradient_norm();
    if (!std::isfinite(value) || !std::isfinite(norm)) {
      throw NonFiniteError("[fit] step " + std::to_string(state.step + 1) +
                           ": expected a finite loss and gradient, got loss " + shortest(value) +
                           " and gradient norm " + shortest(norm));
    }
    const double done = static_cast<double>(state.step) / static_cast<double>(steps);
    optimizer.step(config, learning_rate_at(config, state.step + 1, done), norm);
    state.images += static_cast<std::uint64_t>(config.batch);
    if (task.after_step) task.after_step(static_cast<std::int64_t>(state.step), value);
  }
  copy_weights(state.averages(), task.network.named_parameters());
  return state;
}

}  // namespace tinta::training
