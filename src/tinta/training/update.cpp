#include "tinta/training/update.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "tinta/kernels/gpu.h"
#include "tinta/training/accumulation.h"
#include "tinta/training/loss.h"
#include "tinta/training/recorded_step.h"

namespace tinta::training {

namespace {

std::vector<at::Tensor> weights_of(process::TrainableDenoiser& network) {
  std::vector<at::Tensor> weights;
  for (auto& [name, weight] : network.named_parameters()) weights.push_back(std::move(weight));
  return weights;
}

// Sums of losses by noise level as numbers that can be added up, and back.
std::vector<double> numbers_of(double loss, const LevelLosses& levels) {
  std::vector<double> numbers{loss};
  std::ranges::copy(levels.sums, std::back_inserter(numbers));
  for (const std::uint64_t count : levels.counts) numbers.push_back(static_cast<double>(count));
  return numbers;
}

UpdateValues values_of(const std::vector<double>& numbers) {
  UpdateValues values{.loss = numbers[0]};
  for (std::size_t bin = 0; bin < LevelLosses::kBins; ++bin) {
    values.levels.sums.at(bin) = numbers[1 + bin];
    values.levels.counts.at(bin) =
        static_cast<std::uint64_t>(numbers[1 + LevelLosses::kBins + bin]);
  }
  return values;
}

}  // namespace

Update::Update(process::TrainableDenoiser& network, const process::Schedule& schedule,
               const config::TrainingConfig& config, Optimizer& optimizer, dist::Group& group)
    : network_(network),
      schedule_(schedule),
      config_(config),
      optimizer_(optimizer),
      group_(group) {
  if (group.size() > 1) {
    buckets_ = std::make_unique<dist::Buckets>(group, weights_of(network));
  } else {
    recorded_ = make_recorded_step(
        {network, schedule, config, optimizer},
        kernels::make_step_graph(network.named_parameters().front().second.device()));
  }
}

Update::~Update() = default;

UpdateValues Update::run(const data::Batch& batch, double learning_rate,
                         const StopRequested& give_up) {
  const UpdateValues values =
      recorded_ ? recorded_->run(batch, learning_rate) : run_plainly(batch, learning_rate, give_up);
  if (!std::isfinite(values.loss) || !std::isfinite(values.gradient_norm)) {
    optimizer_.clear_gradients();
  }
  return values;
}

UpdateValues Update::run_plainly(const data::Batch& batch, double learning_rate,
                                 const StopRequested& give_up) {
  UpdateValues values = buckets_ ? gradients_together(batch) : gradients_alone(batch, give_up);
  values.gradient_norm = optimizer_.gradient_norm();
  if (std::isfinite(values.loss) && std::isfinite(values.gradient_norm)) {
    optimizer_.step(config_, learning_rate, values.gradient_norm);
  }
  return values;
}

Update::DrawnLoss Update::loss_of(data::Batch batch, const std::function<void()>& at_each_block) {
  batch.x0 = kernels::sent(batch.x0, network_.named_parameters().front().second.device());
  const Draws draws = draw(batch, schedule_.training_levels(), network_.classes(),
                           config_.class_dropout, config_.seed);
  return {.loss = batch_loss(network_, schedule_, batch, draws, config_.seed, at_each_block),
          .t = draws.t};
}

at::Tensor Update::loss_scale() const {
  return at::full({}, optimizer_.loss_scale(),
                  at::TensorOptions(network_.named_parameters().front().second.device()));
}

UpdateValues Update::gradients_alone(const data::Batch& batch, const StopRequested& give_up) {
  std::function<void()> at_each_block;
  if (give_up) {
    at_each_block = [&] {
      if (give_up()) throw Stopped{};
    };
  }
  std::vector<at::Tensor> times;
  const std::int64_t parts = config_.accumulate;
  const auto loss_of_part = [&](std::int64_t part) {
    DrawnLoss drawn = loss_of(part_of(batch, parts, part), at_each_block);
    times.push_back(drawn.t);
    return drawn.loss;
  };
  const BatchLoss loss = [&] {
    try {
      return accumulate_gradients(network_, parts, loss_of_part, loss_scale());
    } catch (const Stopped&) {
      optimizer_.clear_gradients();
      throw;
    }
  }();
  const at::Tensor losses = loss.values();
  return {
      .loss = losses[0].item<double>(),
      .levels = LevelLosses::of(at::cat(times), losses.slice(0, 1), schedule_.training_levels())};
}

UpdateValues Update::gradients_together(const data::Batch& batch) {
  std::vector<at::Tensor> times;
  const SharedBatch shared{
      .whole = config_.batch, .share = batch.x0.size(0), .parts = config_.accumulate};
  const auto loss_of_part = [&](const dist::Share& part) {
    DrawnLoss drawn = loss_of(part_of(batch, part));
    times.push_back(drawn.t);
    return drawn.loss;
  };
  const BatchLoss loss = shared_gradients(*buckets_, shared, loss_of_part, loss_scale());
  const at::Tensor losses = loss.values();
  std::vector<double> numbers =
      numbers_of(losses[0].item<double>(),
                 LevelLosses::of(at::cat(times), losses.slice(0, 1), schedule_.training_levels()));
  buckets_->finish();
  group_.sum(numbers);
  return values_of(numbers);
}

std::string Update::take_note() { return recorded_ ? recorded_->take_note() : std::string(); }

}  // namespace tinta::training
