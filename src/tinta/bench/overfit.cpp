#include "tinta/bench/overfit.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "tinta/bench/timing.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/data/loader.h"
#include "tinta/dist/group.h"
#include "tinta/experiment/run.h"
#include "tinta/model/init.h"
#include "tinta/model/unet.h"
#include "tinta/process/schedule.h"
#include "tinta/training/optimizer.h"
#include "tinta/training/state.h"
#include "tinta/training/update.h"

namespace tinta::bench {
namespace {

void require_fit(const config::RunConfig& config, const data::Dataset& dataset) {
  const std::int64_t channels = experiment::shape_of(dataset).channels;
  if (channels != config.model.image_channels) {
    throw ArgumentError("[overfit] expected pictures of model.image_channels = " +
                        std::to_string(config.model.image_channels) + " channels, got " +
                        std::to_string(channels) + " in " + dataset.name);
  }
  if (config.model.classes > 0 && dataset.classes > config.model.classes) {
    throw ArgumentError(
        "[overfit] expected at most model.classes = " + std::to_string(config.model.classes) +
        " classes, got " + std::to_string(dataset.classes) + " in " + dataset.name);
  }
}

}  // namespace

Overfit overfit(const config::RunConfig& config, const experiment::Compute& compute,
                const data::Dataset& dataset, std::int64_t steps, const Sinks& sinks,
                const StopRequested& stop) {
  require_fit(config, dataset);
  const auto network = std::make_shared<model::UNet>(config.model);
  model::initialise(*network, config.training.seed);
  training::TrainingState state = training::TrainingState::fresh(network->named_parameters());
  experiment::place(*network, compute);
  const auto schedule = process::make_schedule(config.process);
  training::Optimizer optimizer(*network, state);
  config::TrainingConfig whole = config.training;
  whole.accumulate = 1;
  training::Update update(*network, *schedule, whole, optimizer, dist::Group::alone());

  Overfit out{.data = dataset.name,
              .pictures = std::min({Overfit::kPictures, config.training.batch, dataset.size()})};
  const data::Loader loader(dataset, out.pictures, config.training.seed);
  const data::Batch batch = loader.batch(0);
  std::vector<double> losses;
  while (out.steps < steps) {
    if (stop && stop()) throw Stopped{};
    losses.push_back(update.run(batch, config.training.learning_rate).loss);
    ++out.steps;
    sinks.report({.what = "overfitting",
                  .done = out.steps,
                  .total = steps,
                  .detail = "loss " + fixed(losses.back(), 4)});
    if (!std::isfinite(losses.back())) break;
  }
  out.first = losses.front();
  const std::size_t counted = std::max<std::size_t>(losses.size() / 10, 1);
  double sum = 0;
  for (std::size_t i = losses.size() - counted; i < losses.size(); ++i) sum += losses[i];
  out.last = sum / static_cast<double>(counted);
  return out;
}

}  // namespace tinta::bench
