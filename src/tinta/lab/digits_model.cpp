#include "tinta/lab/digits_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/data/info.h"
#include "tinta/data/loader.h"
#include "tinta/experiment/run.h"
#include "tinta/model/init.h"
#include "tinta/model/unet.h"
#include "tinta/training/fit.h"

namespace tinta::lab {
namespace {

void place_data(config::DataConfig& data, const std::string& folder) {
  if (folder.empty()) return;
  data.source = data::detect_source(folder);
  data.path = folder;
}

std::string words_for(const config::DataConfig& data) {
  return data.source == "glyphs" ? "tinta's own drawn digits (no folder of pictures was given)"
                                 : "the " + data.source + " pictures";
}

std::shared_ptr<const DigitsModel> load(const Context& context) {
  config::Machine machine = context.machine;
  machine.device = config::Device::cpu;
  experiment::TrainedRun run = experiment::load_run(
      context.run, {.checkpoint = {}, .precision = "fp32"}, machine, context.sinks);
  place_data(run.config.data, context.data);
  DigitsModel model{.network = run.network,
                    .config = run.config,
                    .train = data::open(run.config.data, data::Split::train),
                    .test = data::open(run.config.data, data::Split::test),
                    .origin = "The run's network, at " + run.checkpoint.folder.filename().string() +
                              ", on " + words_for(run.config.data)};
  if (experiment::shape_of(model.test) != run.shape) {
    throw ArgumentError(
        "[lab] expected pictures of the shape that the run was trained on, got "
        "others in " +
        model.test.name);
  }
  return std::make_shared<const DigitsModel>(std::move(model));
}

std::shared_ptr<const DigitsModel> train(const config::RunConfig& config, const Context& context) {
  auto network = std::make_shared<model::UNet>(config.model);
  model::initialise(*network, config.training.seed);
  DigitsModel model{
      .network = network,
      .config = config,
      .train = data::open(config.data, data::Split::train),
      .test = data::open(config.data, data::Split::test),
      .origin = "A class-conditional U-Net of " + std::to_string(network->parameter_count()) +
                " numbers, trained for " + std::to_string(config.training.steps) + " steps of " +
                std::to_string(config.training.batch) + " pictures on " + words_for(config.data)};
  const process::VpSchedule schedule = model.schedule();
  const data::Loader loader(model.train, config.training.batch, config.training.seed);
  const auto batch_of = [&](std::uint64_t first) {
    return loader.batch(first / static_cast<std::uint64_t>(config.training.batch));
  };
  training::fit(
      {.network = *network,
       .schedule = schedule,
       .config = config.training,
       .samples = [&](std::uint64_t first, std::int64_t) { return batch_of(first).x0; },
       .labels = [&](std::uint64_t first, std::int64_t) { return batch_of(first).labels; },
       .after_step =
           [&](std::int64_t step, double loss) {
             model.losses.push_back(loss);
             context.sinks.report({.what = "training",
                                   .done = step,
                                   .total = config.training.steps,
                                   .detail = "the laboratory's own model"});
           },
       .stop = context.stop});
  if (context.stopped()) return nullptr;
  return std::make_shared<const DigitsModel>(std::move(model));
}

}  // namespace

config::RunConfig digits_config(const Context& context) {
  config::RunConfig config = config::preset("glyphs");
  place_data(config.data, context.data);
  const config::Source* source = config::find_source(config.data.source);
  if (source != nullptr && source->channels != config.model.image_channels) {
    throw ArgumentError("[lab] --data: expected a folder of grey digits, got " + context.data);
  }
  config.data.count = context.pick<std::int64_t>(20000, 4000);
  if (context.effort == Effort::quick) config.data.size = 20;  // of built-in digits
  config.data.seed = 0;
  config.model.channels = context.pick<std::int64_t>(32, 16);
  config.training.steps = context.steps.value_or(context.pick<std::int64_t>(1500, 600));
  config.training.batch = 16;
  config.training.learning_rate = context.pick(1e-3, 2e-3);
  config.training.warmup_steps = std::min<std::int64_t>(100, config.training.steps / 4);
  config.training.ema_decay = context.pick(0.995, 0.99);
  // Three of the four tasks know no class: half of the training is theirs.
  config.training.class_dropout = 0.5;
  config.training.precision = "fp32";
  config.training.seed = context.seed;
  return config;
}

std::shared_ptr<const DigitsModel> digits_model(const Context& context) {
  if (!context.run.empty()) return load(context);
  static std::mutex mutex;
  static std::pair<config::RunConfig, std::shared_ptr<const DigitsModel>> last;
  const std::lock_guard lock(mutex);
  const config::RunConfig config = digits_config(context);
  if (last.second == nullptr || !(last.first == config)) {
    last = {config, train(config, context)};
  }
  return last.second;
}

at::Tensor first_pictures(const data::Dataset& dataset, std::int64_t count) {
  return data::gather(dataset, at::arange(std::min(count, dataset.size()), at::kLong));
}

}  // namespace tinta::lab
