#include "tinta/lab/plane_net.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "tinta/config/config.h"
#include "tinta/core/philox.h"
#include "tinta/core/text.h"
#include "tinta/training/fit.h"

namespace tinta::lab {
namespace {

at::Tensor drawn_from(const at::Tensor& data, std::int64_t count, const RandomKey& first) {
  at::Tensor chosen = at::empty({count}, at::kLong);
  auto* place = chosen.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    RandomKey key = first;
    key.sample += static_cast<std::uint64_t>(i);
    place[i] =
        static_cast<std::int64_t>(random_below(key, static_cast<std::uint64_t>(data.size(0))));
  }
  return data.index_select(0, chosen).reshape({count, 2, 1, 1});
}

}  // namespace

process::VpSchedule plane_schedule() {
  return process::VpSchedule(process::LinearBeta{.steps = 100, .start = 1e-3, .end = 0.1});
}

void train_on(const PlaneDensity& density, process::TrainableDenoiser& network,
              const process::VpSchedule& schedule, const PlaneTraining& training,
              const Context& context) {
  const config::TrainingConfig config{.steps = training.steps,
                                      .batch = training.batch,
                                      .learning_rate = training.learning_rate,
                                      .warmup_steps = std::min<std::int64_t>(50, training.steps),
                                      .decay = "cosine",
                                      .ema_decay = 0.99,
                                      .seed = training.seed};
  const auto samples = [&](std::uint64_t first, std::int64_t count) {
    const RandomKey key{.seed = training.seed, .stream = Stream::draw, .sample = first};
    return training.data.defined() ? drawn_from(training.data, count, key)
                                   : density.sample_points(count, key);
  };
  training::fit({.network = network,
                 .schedule = schedule,
                 .config = config,
                 .samples = samples,
                 .after_step =
                     [&](std::int64_t step, double loss) {
                       if (training.after_step) training.after_step(step, loss);
                       if (step % 50 != 0) return;
                       context.sinks.report({.what = "training",
                                             .done = step,
                                             .total = training.steps,
                                             .detail = "loss " + fixed(loss, 4)});
                     },
                 .stop = context.stop});
}

}  // namespace tinta::lab
