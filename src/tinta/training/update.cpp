#include "tinta/training/update.h"

#include <ATen/ATen.h>

#include <cmath>

#include "tinta/kernels/gpu.h"
#include "tinta/training/accumulation.h"
#include "tinta/training/loss.h"
#include "tinta/training/recorded_step.h"

namespace tinta::training {

Update::Update(process::TrainableDenoiser& network, const process::Schedule& schedule,
               const config::TrainingConfig& config, Optimizer& optimizer)
    : network_(network),
      schedule_(schedule),
      config_(config),
      optimizer_(optimizer),
      recorded_(make_recorded_step(
          {network, schedule, config, optimizer},
          kernels::make_step_graph(network.named_parameters().front().second.device()))) {}

Update::~Update() = default;

UpdateValues Update::run(const data::Batch& batch, double learning_rate) {
  const UpdateValues values =
      recorded_ ? recorded_->run(batch, learning_rate) : run_plainly(batch, learning_rate);
  if (!std::isfinite(values.loss) || !std::isfinite(values.gradient_norm)) {
    optimizer_.clear_gradients();
  }
  return values;
}

UpdateValues Update::run_plainly(const data::Batch& given, double learning_rate) {
  const at::Device device = network_.named_parameters().front().second.device();
  const std::int64_t parts = config_.accumulate;
  std::vector<at::Tensor> times;
  const BatchLoss loss = accumulate_gradients(network_, parts, [&](std::int64_t part) {
    data::Batch batch = part_of(given, parts, part);
    batch.x0 = kernels::sent(batch.x0, device);
    const Draws draws = draw(batch, schedule_.training_levels(), network_.classes(),
                             config_.class_dropout, config_.seed);
    times.push_back(draws.t);
    return batch_loss(network_, schedule_, batch, draws, config_.seed);
  });
  const at::Tensor losses = loss.values();
  const UpdateValues values{
      .loss = losses[0].item<double>(),
      .gradient_norm = optimizer_.gradient_norm(),
      .levels = LevelLosses::of(at::cat(times), losses.slice(0, 1), schedule_.training_levels())};
  if (std::isfinite(values.loss) && std::isfinite(values.gradient_norm)) {
    optimizer_.step(config_, learning_rate, values.gradient_norm);
  }
  return values;
}

std::string Update::take_note() { return recorded_ ? recorded_->take_note() : std::string(); }

}  // namespace tinta::training
