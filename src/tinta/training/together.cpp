#include "tinta/training/together.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "tinta/core/sha256.h"

namespace tinta::training {
namespace {

std::vector<at::Tensor*> tensors_of(TrainingState& state) {
  std::vector<at::Tensor*> all;
  for (ParameterState& p : state.parameters) {
    for (at::Tensor* one : {&p.master, &p.m, &p.v, &p.ema}) all.push_back(one);
    for (at::Tensor& one : p.tracked) all.push_back(&one);
  }
  return all;
}

// What a state says beside its tensors. Losses may be no finite numbers, which JSON does not know:
// they travel as bits.
std::vector<double> numbers_of(const TrainingState& state) {
  std::vector<double> numbers{state.loss_sum, state.seconds};
  for (std::size_t bin = 0; bin < LevelLosses::kBins; ++bin) {
    numbers.push_back(state.level_losses.sums.at(bin));
  }
  return numbers;
}

void take_numbers(TrainingState& state, const at::Tensor& numbers) {
  const double* next = numbers.const_data_ptr<double>();
  state.loss_sum = *next++;
  state.seconds = *next++;
  for (double& sum : state.level_losses.sums) sum = *next++;
}

nlohmann::json counts_of(const TrainingState& state) {
  return {{"step", state.step},
          {"images", state.images},
          {"loss_count", state.loss_count},
          {"levels", state.level_losses.counts},
          {"skips", to_json(state.skips)},
          {"loss_scale", to_json(state.loss_scale)}};
}

void take_counts(TrainingState& state, const nlohmann::json& counts) {
  state.step = counts.at("step").get<std::uint64_t>();
  state.images = counts.at("images").get<std::uint64_t>();
  state.loss_count = counts.at("loss_count").get<std::uint64_t>();
  state.level_losses.counts = counts.at("levels").get<decltype(state.level_losses.counts)>();
  state.skips = skips_from(counts.at("skips"));
  state.loss_scale = loss_scale_from(counts.at("loss_scale"));
}

}  // namespace

void Orders::give(const Order& order) {
  Order given = order;
  exchange(given);
}

Order Orders::take() {
  Order order{.action = Action{0}, .number = 0};
  exchange(order);
  return order;
}

// A sum to which rank 0 adds the order, and each rank whether it was asked to stop.
void Orders::exchange(Order& order) {
  if (group_.size() == 1) return;
  std::vector<double> numbers{static_cast<double>(order.action), order.number,
                              stop_ && stop_() ? 1.0 : 0.0};
  group_.sum(numbers);
  order = {.action = static_cast<Action>(static_cast<int>(numbers[0])), .number = numbers[1]};
  stopped_ = stopped_ || numbers[2] > 0;
}

void hand_out(dist::Group& group, TrainingState& state) {
  if (group.size() == 1) return;
  const nlohmann::json counts =
      nlohmann::json::parse(group.broadcast_text(counts_of(state).dump()));
  const at::Tensor numbers = at::tensor(numbers_of(state), at::kDouble);
  group.broadcast(numbers);
  for (at::Tensor* one : tensors_of(state)) {
    const at::Tensor sent = one->contiguous().cpu();
    group.broadcast(sent);
    if (!group.leads()) *one = sent;
  }
  if (!group.leads()) {
    take_counts(state, counts);
    take_numbers(state, numbers);
  }
  require_same_weights(group, state);
}

void require_same_weights(dist::Group& group, const TrainingState& state) {
  if (group.size() == 1) return;
  std::string all;
  for (const ParameterState& p : state.parameters) {
    for (const at::Tensor& one : {p.master, p.ema}) {
      const at::Tensor bytes = one.contiguous().cpu();
      all +=
          sha256(std::span(static_cast<const std::byte*>(bytes.const_data_ptr()), bytes.nbytes()));
    }
  }
  group.require_alike("weights at step " + std::to_string(state.step), sha256(all).substr(0, 16));
}

}  // namespace tinta::training
