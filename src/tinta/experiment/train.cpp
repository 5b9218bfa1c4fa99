#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/data/dataset.h"
#include "tinta/data/info.h"
#include "tinta/experiment/alike.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/held_out.h"
#include "tinta/experiment/job.h"
#include "tinta/experiment/preview.h"
#include "tinta/experiment/run.h"
#include "tinta/experiment/start.h"
#include "tinta/experiment/step_profile.h"
#include "tinta/model/unet.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/trainer.h"
#include "tinta/training/validations.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

// What rank 0 tells the others where there is something to train.
constexpr const char* kBegin = "begin";

// "runs/mnist" from a preset's name, from "mine/mnist.toml", and from the run folder "old/mnist/".
fs::path default_out(const std::string& preset_or_file) {
  fs::path path = fs::path(preset_or_file).lexically_normal();
  if (!path.has_filename() || path.filename() == "config.toml") path = path.parent_path();
  if (path.extension() == ".toml") path.replace_extension();
  const fs::path name = path.filename();
  if (name.empty() || name == "." || name == "..") {
    throw ArgumentError("[train] expected --out RUN with " + preset_or_file + ", got none");
  }
  return "runs" / name;
}

// Whether the data decide what to train.
bool picked_by_data(const config::TrainOptions& options) {
  return options.preset_or_file.empty() &&
         !(options.resume && fs::exists(fs::path(options.out) / "config.toml"));
}

// Where a run goes without --out: pictures of one's own give it their name.
fs::path out_of(const config::TrainOptions& options, const std::string& source) {
  if (!options.out.empty()) return options.out;
  if (!picked_by_data(options) || (source != "folder" && source != "arrays")) {
    return default_out(source);
  }
  return default_out(fs::absolute(options.data).lexically_normal().replace_extension().string());
}

// What to train: the preset or file that was named, or the one that suits the data, or on resume
// the run's own config.
std::string source_of(const config::TrainOptions& options, const Sinks& sinks) {
  if (!options.preset_or_file.empty()) return options.preset_or_file;
  // Its file rather than the folder, whose name may be a preset's too.
  if (!picked_by_data(options)) return (fs::path(options.out) / "config.toml").string();
  if (options.data.empty()) {
    throw ArgumentError("[train] expected a preset, a .toml file, or --data DIR, got none");
  }
  std::string source = data::detect_source(options.data);
  sinks.info("training preset \"" + source + "\", because " + options.data + " holds its files");
  return source;
}

// Whether --set gives the number of steps.
bool sets_steps(const config::TrainOptions& options) {
  config::RunConfig probe;
  probe.training.steps = 0;
  for (const std::string& assignment : options.overrides) config::set(probe, assignment);
  return probe.training.steps != 0;
}

bool names_a_budget(const config::TrainOptions& options) {
  return options.steps || options.images || options.minutes || sets_steps(options);
}

training::Budget budget_of(const config::TrainOptions& options, const config::RunConfig& config,
                           const fs::path& run) {
  if (options.resume && !names_a_budget(options) && fs::exists(run / "budget.json")) {
    return read_budget(run);
  }
  training::Budget budget;
  if (options.images) budget.images = static_cast<std::uint64_t>(*options.images);
  if (options.minutes) budget.seconds = *options.minutes * 60;
  if (options.steps || (!options.images && !options.minutes)) {
    budget.steps = static_cast<std::uint64_t>(config.training.steps);
  }
  return budget;
}

// What was asked for. On resume, where the data lie and how long the run is are as they were,
// unless asked for otherwise.
config::RunConfig config_of(const config::TrainOptions& options, const std::string& source,
                            const fs::path& run) {
  config::RunConfig config = config::resolved(source, options.overrides);
  if (options.steps) config.training.steps = *options.steps;
  if (options.image_size) {
    const config::Source* known = config::find_source(config.data.source);
    if (known != nullptr && !known->resized) {
      throw ArgumentError("[train] --image-size: expected none, as the pictures of data.source = " +
                          config.data.source + " have a size, got " +
                          std::to_string(*options.image_size));
    }
    config.data.size = *options.image_size;
  }
  if (options.resume && fs::exists(run / "config.toml")) {
    const config::RunConfig before = read_config(run);
    if (config.data.path.empty() && config.data.source == before.data.source) {
      config.data.path = before.data.path;
    }
    if (!names_a_budget(options)) config.training.steps = before.training.steps;
  }
  // Absolute, so that the run can be resumed and measured from any folder.
  if (!options.data.empty()) {
    config.data.path = fs::absolute(options.data).lexically_normal().string();
  }
  config::require_valid(config, "train");
  return config;
}

// Classes as the data have them, where nobody said which.
void take_classes(const config::TrainOptions& options, const data::Dataset& dataset,
                  config::RunConfig& config) {
  const config::Source* source = config::find_source(config.data.source);
  const bool said = std::ranges::any_of(options.overrides, [](const std::string& assignment) {
    return assignment.starts_with("model.classes=");
  });
  if (said || source == nullptr || source->classes >= 0) return;
  config.model.classes = dataset.classes;
  if (dataset.classes == 0) config.sampling.guidance = 1;
  config::require_valid(config, "train");
}

std::string described(const data::Dataset& dataset) {
  const PictureShape shape = shape_of(dataset);
  std::string text = std::to_string(dataset.size()) + " pictures of " +
                     std::to_string(shape.channels) + " x " + std::to_string(shape.height) + " x " +
                     std::to_string(shape.width) + ", ";
  if (dataset.classes == 0) return text + "no classes";
  text += std::to_string(dataset.classes) + " classes";
  const std::vector<std::string>& names = dataset.class_names;
  constexpr std::size_t kShown = 5;
  if (names.empty()) return text;
  return text + ": " + join(std::span(names).first(std::min(kShown, names.size())), ", ") +
         (names.size() > kShown ? ", ..." : "");
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

// Refuses a folder that holds another run; removes that run where it may be started over.
void claim_folder(const config::TrainOptions& options, const config::RunConfig& config,
                  const fs::path& run) {
  const bool begun = fs::exists(run / "config.toml");
  if (options.resume) {
    if (begun) require_same(read_config(run), config, run);
    return;
  }
  if (!begun && training::list_checkpoints(run).empty()) return;
  if (!options.force) {
    throw ArgumentError("[" + run.string() +
                        "] already holds a run; --resume goes on with it, --force starts over");
  }
  // config.toml last: killed in between, it is still the run of these weights, or none.
  for (const char* part : {"checkpoints", "samples", "tb", "ema", "metrics.jsonl",
                           "validation.jsonl", "best.json", "log.jsonl", "budget.json", "data.json",
                           "trace.json", "post-mortem", "rollback.json", "config.toml"}) {
    fs::remove_all(run / part);
  }
}

// Writes what a run folder says of itself; config.toml last, because it makes the folder a run.
void describe_folder(const config::TrainOptions& options, const config::RunConfig& config,
                     const fs::path& run, const training::Budget& budget, const Start& start) {
  // No seed gives these weights: a run killed before its first checkpoint must find them again.
  if (!options.resume && !options.init_from.empty()) {
    training::save_checkpoint(run, start.state, config.training.keep_checkpoints);
  }
  write_budget(run, budget);
  write_config(run, config);
}

// A rank other than 0: trains what that one says.
void follow_train(const config::TrainOptions& options, const StopRequested& stop,
                  dist::Group& group) {
  const config::RunConfig config = config::parse(group.broadcast_text(""), "rank 0");
  const data::Dataset dataset = data::open(config.data, data::Split::train, {}, stop);
  const Compute compute = prepare(options.machine, config.training.precision, {});
  require_alike(group, dataset, compute);
  model::UNet network(config.model);
  const std::unique_ptr<HeldOut> held_out = make_held_out(config, compute, {}, stop, group);
  if (group.broadcast_text("") != kBegin) return;
  training::TrainingState state = training::TrainingState::fresh(
      network.named_parameters(), config.training.ema_relative_widths);
  take_part({.config = config,
             .dataset = dataset,
             .compute = compute,
             .network = network,
             .run = {},
             .group = group,
             .held_out = held_out.get()},
            state, stop);
}

std::string summary(const config::TrainOptions& options, const fs::path& run,
                    const training::TrainingState& state, const std::string& ending,
                    const StepProfile* profile = nullptr) {
  const auto checkpoints = training::list_checkpoints(run);
  const fs::path latest = checkpoints.empty() ? fs::path() : checkpoints.front().folder;
  const double speed = state.seconds > 0 ? static_cast<double>(state.images) / state.seconds : 0;
  if (options.json) {
    nlohmann::ordered_json json = {{"run", run.string()},          {"ending", ending},
                                   {"step", state.step},           {"images", state.images},
                                   {"seconds", state.seconds},     {"images_per_second", speed},
                                   {"checkpoint", latest.string()}};
    if (profile != nullptr) json["profile"] = profile_summary(*profile).json;
    return json.dump(2) + "\n";
  }
  std::string text = run.string() + ": " + ending + " at step " + std::to_string(state.step) +
                     ", " + std::to_string(state.images) + " pictures in " +
                     duration(state.seconds) + " (" + fixed(speed, 0) + " img/s)\n";
  if (profile != nullptr) text += profile_summary(*profile).text;
  if (ending == "stopped") {
    text += "go on with: tinta train --out " + shell_word(run.string()) + " --resume\n";
  } else {
    text += "draw from it: tinta sample " + shell_word(run.string()) + "\n";
  }
  return text;
}

}  // namespace

std::string run_train(const config::TrainOptions& options, const Sinks& given,
                      const StopRequested& stop, dist::Group& group) {
  if (!group.leads()) {
    follow_train(options, stop, group);
    return "";
  }
  const std::string source = source_of(options, given);
  const fs::path run = out_of(options, source);
  config::RunConfig config = config_of(options, source, run);
  const std::uint64_t seed = config.training.seed;

  // What can be refused is refused before the folder is touched.
  const data::Dataset dataset = data::open(config.data, data::Split::train, given, stop);
  if (picked_by_data(options)) take_classes(options, dataset, config);
  require_fit(config, dataset);
  static_cast<void>(group.broadcast_text(config::to_toml(config)));
  const Compute compute = prepare(options.machine, config.training.precision, given);
  require_alike(group, dataset, compute);
  const auto network = std::make_shared<model::UNet>(config.model);
  const std::unique_ptr<HeldOut> held_out = make_held_out(config, compute, given, stop, group);
  Start start;
  if (!options.resume) start.note = start_weights(options.init_from, seed, *network, given);

  const FileLock lock(run / ".lock");
  claim_folder(options, config, run);
  const Sinks sinks = with_log_file(run, given);
  if (options.resume) {
    start = resumed(config, run, sinks);
  } else {
    start.state = training::TrainingState::fresh(network->named_parameters(),
                                                 config.training.ema_relative_widths);
  }
  const training::Budget budget = budget_of(options, config, run);
  // A stop at the last step leaves a finished run without its pictures.
  const bool undrawn =
      preview_missing(run, config.training.sample_every, start.state.step, /*finished=*/true);
  if (budget.spent(start.state) >= 1 && !undrawn) {
    given.info(
        "this run is finished: nothing to do; --steps, --images or --minutes sets a new end");
    static_cast<void>(group.broadcast_text(""));
    return summary(options, run, start.state, "finished");
  }
  if (training::given_up(training::read_validations(run, start.state.step),
                         config.training.patience)) {
    given.info(
        "this run ended early, as its validations had stopped falling: nothing to do; --set "
        "training.patience=0 goes on with it");
    static_cast<void>(group.broadcast_text(""));
    return summary(options, run, start.state, "finished");
  }
  write_shape(run, shape_of(dataset), dataset.class_names);
  describe_folder(options, config, run, budget, start);
  static_cast<void>(group.broadcast_text(kBegin));
  sinks.info(described(dataset));
  if (!start.note.empty()) sinks.info(start.note);
  std::unique_ptr<StepProfile> profile;
  if (options.profile) {
    profile =
        std::make_unique<StepProfile>(*options.profile, compute.device, run / "trace.json", sinks);
  }
  const training::Ending ending = carry_out({.config = config,
                                             .dataset = dataset,
                                             .compute = compute,
                                             .network = *network,
                                             .run = run,
                                             .group = group,
                                             .held_out = held_out.get(),
                                             .profile = profile.get()},
                                            budget, start.state, sinks, stop);
  return summary(options, run, start.state,
                 ending == training::Ending::finished ? "finished" : "stopped", profile.get());
}

}  // namespace tinta::experiment
