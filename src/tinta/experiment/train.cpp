#include <ATen/ATen.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/data/dataset.h"
#include "tinta/data/info.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/preview.h"
#include "tinta/experiment/run.h"
#include "tinta/model/init.h"
#include "tinta/model/unet.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/trainer.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

// A preset's name, or "runs/mnist" from "mine/mnist.toml".
fs::path default_out(const std::string& preset_or_file) {
  return fs::path("runs") / fs::path(preset_or_file).stem();
}

// What to train: the preset or file that was named, or the one that suits the data, or on resume
// the run's own config.
std::string source_of(const config::TrainOptions& options, const Sinks& sinks) {
  if (!options.preset_or_file.empty()) return options.preset_or_file;
  if (options.resume && fs::exists(fs::path(options.out) / "config.toml")) return options.out;
  if (options.data.empty()) {
    throw ArgumentError("[train] expected a preset, a .toml file, or --data DIR, got none");
  }
  const std::string source = data::detect_source(options.data);
  sinks.info("training preset \"" + source + "\", because " + options.data + " holds its files");
  return source;
}

training::Budget budget_of(const config::TrainOptions& options, const config::RunConfig& config) {
  training::Budget budget;
  if (options.images) budget.images = static_cast<std::uint64_t>(*options.images);
  if (options.minutes) budget.seconds = *options.minutes * 60;
  if (options.steps || (!options.images && !options.minutes)) {
    budget.steps = static_cast<std::uint64_t>(config.training.steps);
  }
  return budget;
}

bool names_a_budget(const config::TrainOptions& options) {
  return options.steps || options.images || options.minutes;
}

// Refuses a resume under a config that would have made another run.
void require_same(const config::RunConfig& before, const config::RunConfig& now,
                  const fs::path& run) {
  std::string text;
  for (const config::Difference& difference : config::differences(before, now)) {
    if (config::may_change_on_resume(difference.key)) continue;
    text += "\n  " + difference.key + ": the run has " + difference.left + ", asked for " +
            difference.right;
  }
  if (!text.empty()) {
    throw ArgumentError("[" + run.string() +
                        "] expected the config that the run was begun with:" + text);
  }
}

void require_fit(const config::RunConfig& config, const data::Dataset& dataset) {
  const PictureShape shape = shape_of(dataset);
  if (shape.channels != config.model.image_channels) {
    throw ArgumentError("[train] expected pictures of model.image_channels = " +
                        std::to_string(config.model.image_channels) + " channels, got " +
                        std::to_string(shape.channels) + " in " + dataset.name);
  }
  if (config.model.classes > 0 && config.model.classes != dataset.classes) {
    throw ArgumentError("[train] expected model.classes = " + std::to_string(config.model.classes) +
                        " classes, got " + std::to_string(dataset.classes) + " in " + dataset.name +
                        "; --set model.classes=" + std::to_string(dataset.classes) + " suits them");
  }
}

// Where a run stands before training: fresh, or its newest valid checkpoint.
training::TrainingState starting_state(const config::TrainOptions& options,
                                       const config::RunConfig& config, model::UNet& network,
                                       const fs::path& run, const Sinks& sinks) {
  if (options.resume) {
    const auto newest =
        training::newest_valid(run, [&](const std::string& text) { sinks.warn(text); });
    if (newest) {
      sinks.info("going on from " + newest->folder.filename().string());
      return training::load_checkpoint(*newest);
    }
    sinks.info("no checkpoint to go on from: starting at step 0");
  }
  model::initialise(network, config.training.seed);
  if (!options.init_from.empty()) {
    const auto newest = training::newest_valid(options.init_from,
                                               [&](const std::string& text) { sinks.warn(text); });
    if (!newest) {
      throw ArgumentError("[--init-from] expected a run with a checkpoint, got " +
                          options.init_from);
    }
    training::copy_weights(training::load_weights(*newest, training::WeightsKind::ema),
                           network.named_parameters());
    sinks.info("weights from " + newest->folder.string());
  }
  return training::TrainingState::fresh(network.named_parameters());
}

// Readies the folder: a new run, one to go on with, or one to replace.
void claim_folder(const config::TrainOptions& options, const config::RunConfig& config,
                  const fs::path& run) {
  const bool holds_run = fs::exists(run / "config.toml");
  if (holds_run && options.resume) {
    require_same(read_config(run), config, run);
  } else if (holds_run && !options.force) {
    throw ArgumentError("[" + run.string() +
                        "] already holds a run; --resume goes on with it, --force starts over");
  } else if (holds_run) {
    for (const char* part : {"checkpoints", "samples", "metrics.jsonl", "log.jsonl", "budget.json",
                             "data.json", "config.toml"}) {
      fs::remove_all(run / part);
    }
  }
  write_file(run / "config.toml", config::to_toml(config), Existing::replace);
}

std::string summary(const config::TrainOptions& options, const fs::path& run,
                    const training::TrainingState& state, const std::string& ending) {
  const fs::path latest = training::list_checkpoints(run).empty()
                              ? fs::path()
                              : training::list_checkpoints(run).front().folder;
  const double speed = state.seconds > 0 ? static_cast<double>(state.images) / state.seconds : 0;
  if (options.json) {
    const nlohmann::ordered_json json = {
        {"run", run.string()},          {"ending", ending},         {"step", state.step},
        {"images", state.images},       {"seconds", state.seconds}, {"images_per_second", speed},
        {"checkpoint", latest.string()}};
    return json.dump(2) + "\n";
  }
  std::string text = run.string() + ": " + ending + " at step " + std::to_string(state.step) +
                     ", " + std::to_string(state.images) + " pictures in " +
                     duration(state.seconds) + " (" + fixed(speed, 0) + " img/s)\n";
  if (ending == "stopped") {
    text += "go on with: tinta train --out " + run.string() + " --resume\n";
  } else {
    text += "draw from it: tinta sample " + run.string() + "\n";
  }
  return text;
}

}  // namespace

std::string run_train(const config::TrainOptions& options, const Sinks& given,
                      const StopRequested& stop) {
  const std::string source = source_of(options, given);
  config::RunConfig config = config::resolved(source, options.overrides);
  if (!options.data.empty()) config.data.path = options.data;
  if (options.steps) config.training.steps = *options.steps;
  config::require_valid(config, "train");
  const fs::path run = options.out.empty() ? default_out(source) : fs::path(options.out);

  const data::Dataset dataset = data::open(config.data, data::Split::train);
  require_fit(config, dataset);
  const FileLock lock(run / ".lock");
  claim_folder(options, config, run);
  const Sinks sinks = with_log_file(run, given);
  const bool keep_budget =
      options.resume && !names_a_budget(options) && fs::exists(run / "budget.json");
  const training::Budget budget = keep_budget ? read_budget(run) : budget_of(options, config);
  write_budget(run, budget);
  write_shape(run, shape_of(dataset));

  const Compute compute = prepare(options.machine, config.training.precision, sinks);
  const auto network = std::make_shared<model::UNet>(config.model);
  training::TrainingState state = starting_state(options, config, *network, run, sinks);
  if (budget.spent(state) >= 1) {
    sinks.info("this run is finished: nothing to do");
    return summary(options, run, state, "finished");
  }
  training::cut_metrics(run, state.step);
  network->to(compute.device, compute.dtype);
  const process::VpSchedule schedule(config.process);
  const Preview preview(config, shape_of(dataset), compute, run);
  const training::Ending ending =
      training::train({.network = *network,
                       .schedule = schedule,
                       .dataset = dataset,
                       .config = config.training,
                       .run = run},
                      budget, state,
                      {.sinks = sinks,
                       .stop = stop,
                       .preview = [&](std::uint64_t step, const training::NamedTensors& averages) {
                         preview.draw(step, averages);
                       }});
  return summary(options, run, state,
                 ending == training::Ending::finished ? "finished" : "stopped");
}

}  // namespace tinta::experiment
