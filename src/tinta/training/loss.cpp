#include "tinta/training/loss.h"

#include <ATen/ATen.h>

#include <cmath>

#include "tinta/core/philox.h"
#include "tinta/kernels/random.h"
#include "tinta/process/forward.h"
#include "tinta/process/prediction.h"

namespace tinta::training {

Draws draw(const data::Batch& batch, int steps, std::int64_t classes, double class_dropout,
           std::uint64_t seed) {
  const std::int64_t count = batch.x0.size(0);
  Draws draws{
      .t = at::empty({count}, at::kLong),
      .noise = kernels::normal(
          batch.x0.sizes(), {.seed = seed, .stream = Stream::noise, .sample = batch.first_sample}),
      .labels = {}};
  auto* t = draws.t.mutable_data_ptr<std::int64_t>();
  const auto key = [&](Stream stream, std::int64_t i) {
    return RandomKey{.seed = seed,
                     .stream = stream,
                     .sample = batch.first_sample + static_cast<std::uint64_t>(i)};
  };
  for (std::int64_t i = 0; i < count; ++i) {
    t[i] = 1 + static_cast<std::int64_t>(
                   random_below(key(Stream::time, i), static_cast<std::uint64_t>(steps)));
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

at::Tensor simple_loss(process::TrainableDenoiser& network, const process::VpSchedule& schedule,
                       const data::Batch& batch, const Draws& draws, std::uint64_t seed) {
  const at::Tensor x_t = process::add_noise(schedule, batch.x0, draws.t, draws.noise);
  at::Tensor a = at::empty({draws.t.size(0), 1, 1, 1}, at::kFloat);
  at::Tensor s = at::empty_like(a);
  for (std::int64_t i = 0; i < draws.t.size(0); ++i) {
    const process::NoiseLevel level =
        schedule.level(static_cast<int>(draws.t.const_data_ptr<std::int64_t>()[i]));
    a.mutable_data_ptr<float>()[i] = static_cast<float>(level.a);
    s.mutable_data_ptr<float>()[i] = static_cast<float>(level.s);
  }
  const at::Tensor wanted = process::target(network.prediction(), batch.x0, draws.noise, a, s);
  const at::Device device = network.named_parameters().front().second.device();
  const at::Tensor labels = draws.labels.defined() ? draws.labels.to(device) : draws.labels;
  const at::Tensor out =
      network.forward(x_t.to(device), draws.t.to(at::kFloat).to(device), labels,
                      process::DropoutKey{.seed = seed, .first_sample = batch.first_sample});
  return at::mse_loss(out, wanted.to(device));
}

}  // namespace tinta::training
