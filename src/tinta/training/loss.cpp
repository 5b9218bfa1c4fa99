#include "tinta/training/loss.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "tinta/core/philox.h"
#include "tinta/kernels/gpu.h"
#include "tinta/kernels/random.h"
#include "tinta/process/edm.h"
#include "tinta/process/prediction.h"

namespace tinta::training {
namespace {

// x_t of a batch, and what the network should say of it.
struct Question {
  at::Tensor x_t, wanted;
};

Question question(process::Prediction prediction, const LossInputs& in) {
  RECORD_USER_SCOPE("tinta::noise");
  const at::Tensor x_t = in.x0 * in.a + in.noise * in.s;  // process::add_noise()
  if (prediction == process::Prediction::edm) {
    return {.x_t = x_t * in.c_in, .wanted = in.x0 * in.on_x0 + in.noise * in.on_noise};
  }
  return {.x_t = x_t, .wanted = process::target(prediction, in.x0, in.noise, in.a, in.s)};
}

/// What training alone knows of a batch, for the network.
process::TrainingPass with_augment(process::TrainingPass training, const LossInputs& in) {
  training.augment = in.augment;
  return training;
}

/// loss_inputs() where the network is.
LossInputs sent_inputs(process::TrainableDenoiser& network, const process::Schedule& schedule,
                       const data::Batch& batch, const Draws& draws) {
  const at::Device device = network.named_parameters().front().second.device();
  LossInputs inputs = loss_inputs(schedule, network.prediction(), batch, draws);
  for_each_input(inputs, [&](at::Tensor& x) { x = kernels::sent(x, device); });
  return inputs;
}

}  // namespace

Draws draw(const data::Batch& batch, int levels, std::int64_t classes, double class_dropout,
           std::uint64_t seed) {
  RECORD_USER_SCOPE("tinta::noise");
  Draws draws = draw_without_noise(batch, levels, classes, class_dropout, seed);
  draws.noise = kernels::normal(
      batch.x0.sizes(), {.seed = seed, .stream = Stream::noise, .sample = batch.first_sample},
      batch.x0.device());
  return draws;
}

Draws draw_without_noise(const data::Batch& batch, int levels, std::int64_t classes,
                         double class_dropout, std::uint64_t seed) {
  const std::int64_t count = batch.x0.size(0);
  Draws draws{.t = at::empty({count}, at::kLong), .noise = {}, .labels = {}};
  auto* t = draws.t.mutable_data_ptr<std::int64_t>();
  const auto key = [&](Stream stream, std::int64_t i) {
    return RandomKey{.seed = seed,
                     .stream = stream,
                     .sample = batch.first_sample + static_cast<std::uint64_t>(i)};
  };
  for (std::int64_t i = 0; i < count; ++i) {
    t[i] = 1 + static_cast<std::int64_t>(
                   random_below(key(Stream::time, i), static_cast<std::uint64_t>(levels)));
  }
  if (classes == 0) return draws;
  draws.labels =
      batch.labels.defined() ? batch.labels.clone() : at::full({count}, classes, at::kLong);
  auto* labels = draws.labels.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    if (random_uniform(key(Stream::class_dropout, i)) < class_dropout) labels[i] = classes;
  }
  return draws;
}

LossInputs loss_inputs(const process::Schedule& schedule, process::Prediction prediction,
                       const data::Batch& batch, const Draws& draws) {
  const std::int64_t count = draws.t.size(0);
  std::vector<process::NoiseLevel> levels;
  levels.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    levels.push_back(
        schedule.training_level(static_cast<int>(draws.t.const_data_ptr<std::int64_t>()[i])));
  }
  // Broadcasts over everything but the batch.
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(batch.x0.dim()), 1);
  sizes[0] = count;
  const auto of_levels = [&](const auto& coefficient) {
    at::Tensor out = at::empty(sizes, at::kFloat);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      out.mutable_data_ptr<float>()[i] = static_cast<float>(coefficient(levels[i]));
    }
    return out;
  };
  using Level = process::NoiseLevel;
  LossInputs inputs{.x0 = batch.x0,
                    .noise = draws.noise,
                    .a = of_levels([](const Level& level) { return level.a; }),
                    .s = of_levels([](const Level& level) { return level.s; }),
                    .time = of_levels([](const Level& level) { return level.time; }).flatten(),
                    .labels = draws.labels,
                    .augment = batch.augment};
  if (prediction != process::Prediction::edm) return inputs;
  const auto scaling = [](const Level& level) { return process::preconditioning(level); };
  inputs.c_in = of_levels([&](const Level& level) { return scaling(level).c_in; });
  inputs.on_x0 = of_levels([&](const Level& level) { return scaling(level).on_x0; });
  inputs.on_noise = of_levels([&](const Level& level) { return scaling(level).on_eps; });
  return inputs;
}

at::Tensor BatchLoss::values() const {
  return at::cat({mean.detach().to(at::kFloat).reshape({1}), each}).cpu();
}

BatchLoss loss_of(process::TrainableDenoiser& network, const LossInputs& in,
                  const process::TrainingPass& training) {
  const Question asked = question(network.prediction(), in);
  const at::Tensor answer =
      network.forward(asked.x_t, in.time, in.labels, with_augment(training, in));
  const auto each = [&] {
    const at::NoGradGuard no_grad;
    return at::sub(answer, asked.wanted).square_().flatten(1).mean(1).to(at::kFloat);
  };
  return {.mean = at::mse_loss(answer, asked.wanted), .each = each()};
}

at::Tensor simple_loss(process::TrainableDenoiser& network, const process::Schedule& schedule,
                       const data::Batch& batch, const Draws& draws, std::uint64_t seed) {
  return batch_loss(network, schedule, batch, draws, seed).mean;
}

BatchLoss batch_loss(process::TrainableDenoiser& network, const process::Schedule& schedule,
                     const data::Batch& batch, const Draws& draws, std::uint64_t seed,
                     const std::function<void()>& at_each_block) {
  return loss_of(network, sent_inputs(network, schedule, batch, draws),
                 {.seed = seed,
                  .first_sample = batch.first_sample,
                  .samples = {},
                  .augment = {},
                  .at_each_block = at_each_block});
}

at::Tensor picture_losses(process::TrainableDenoiser& network, const process::Schedule& schedule,
                          const data::Batch& batch, const Draws& draws,
                          const std::optional<process::TrainingPass>& training) {
  const at::NoGradGuard no_gradients;
  const LossInputs in = sent_inputs(network, schedule, batch, draws);
  const Question asked = question(network.prediction(), in);
  const auto told = training ? std::optional(with_augment(*training, in)) : std::nullopt;
  const at::Tensor out = network.forward(asked.x_t, in.time, in.labels, told);
  return (out - asked.wanted).square().flatten(1).mean(1, /*keepdim=*/false, at::kDouble).cpu();
}

}  // namespace tinta::training
