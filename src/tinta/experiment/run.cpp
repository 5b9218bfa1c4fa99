#include "tinta/experiment/run.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "tinta/core/clock.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/seal.h"
#include "tinta/core/sha256.h"
#include "tinta/core/text.h"
#include "tinta/io/safetensors.h"
#include "tinta/training/ema_snapshots.h"
#include "tinta/training/validations.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

constexpr const char* kSeal = "sha256";

// Runs of earlier versions have no seal.
ordered_json read_json(const fs::path& path) {
  const std::string text = read_text(path);
  try {
    const ordered_json json = ordered_json::parse(text);
    if (json.contains(kSeal) || has_seal(text)) require_seal(text, path.string());
    return json;
  } catch (const ordered_json::exception& error) {
    throw DataError(path.string(), std::string("expected JSON, got ") + error.what());
  }
}

void write_json(const fs::path& path, const ordered_json& json) {
  ordered_json all = {{kSeal, kOpenSeal}};
  all.update(json);
  write_file(path, sealed(all.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n"),
             Existing::replace);
}

template <class T>
T field(const ordered_json& json, const char* key, const fs::path& path) {
  try {
    return json.at(key).get<T>();
  } catch (const ordered_json::exception& error) {
    throw DataError(path.string(), std::string("key ") + key + ": " + error.what());
  }
}

template <class T>
std::optional<T> optional_field(const ordered_json& json, const char* key, const fs::path& path) {
  if (!json.contains(key) || json.at(key).is_null()) return std::nullopt;
  return field<T>(json, key, path);
}

template <class T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

training::CheckpointRef checkpoint_of(const fs::path& run, const Selection& selection,
                                      const Sinks& sinks) {
  if (selection.best) return training::checkpoint_at(run, training::best_checkpoint(run));
  if (selection.checkpoint) {
    return training::checkpoint_at(run, static_cast<std::uint64_t>(*selection.checkpoint));
  }
  const auto newest =
      training::newest_valid(run, [&](const std::string& text) { sinks.warn(text); });
  if (!newest) {
    throw ArgumentError("[" + run.string() + "] expected a checkpoint, got none: train it first");
  }
  return *newest;
}

struct ChosenWeights {
  training::NamedTensors weights;
  std::string hash;
};

// The average of a width that was chosen after training, and how well it is met.
ChosenWeights rebuilt(const fs::path& run, std::uint64_t step, double width, const Sinks& sinks) {
  constexpr double kDoubtful = 0.1;  // residual
  const training::RebuiltAverage found = training::rebuild_average(
      run, step, width, [&](const std::string& text) { sinks.warn(text); });
  const std::string text = "average of relative width " + shortest(width) + " at step " +
                           std::to_string(step) + " from " + std::to_string(found.snapshots) +
                           " snapshots; its profile is met to " + fixed(100 * found.residual, 1) +
                           "%";
  if (found.residual > kDoubtful) {
    sinks.warn(text + ": more frequent checkpoints, or another width, would meet it better");
  } else {
    sinks.info(text);
  }
  const std::vector<std::byte> bytes = io::encode_safetensors({.tensors = found.weights});
  return {.weights = found.weights, .hash = sha256(bytes).substr(0, 16)};
}

ChosenWeights weights_of(const fs::path& run, const training::CheckpointRef& checkpoint,
                         const Selection& selection, const Sinks& sinks) {
  if (selection.ema_width) return rebuilt(run, checkpoint.step, *selection.ema_width, sinks);
  const auto kind = selection.weights == config::Weights::ema ? training::WeightsKind::ema
                                                              : training::WeightsKind::raw;
  return {.weights = training::load_weights(checkpoint, kind),
          .hash = training::content_hash(checkpoint, kind)};
}

}  // namespace

PictureShape shape_of(const data::Dataset& dataset) {
  return {.channels = dataset.images.size(1),
          .height = dataset.images.size(2),
          .width = dataset.images.size(3)};
}

PictureShape nominal_shape(const config::RunConfig& config) {
  const std::int64_t side = config.data.source == "mnist"             ? 28
                            : config.data.source.starts_with("cifar") ? 32
                                                                      : config.data.size;
  return {.channels = config.model.image_channels, .height = side, .width = side};
}

PictureShape read_shape(const fs::path& run) {
  const fs::path path = run / "data.json";
  const ordered_json json = read_json(path);
  const PictureShape shape{.channels = field<std::int64_t>(json, "channels", path),
                           .height = field<std::int64_t>(json, "height", path),
                           .width = field<std::int64_t>(json, "width", path)};
  constexpr std::int64_t kMost = 65536;
  for (const std::int64_t side : {shape.channels, shape.height, shape.width}) {
    if (side < 1 || side > kMost) {
      throw DataError(path.string(), "expected sizes from 1 to 65536, got " + std::to_string(side));
    }
  }
  return shape;
}

void write_shape(const fs::path& run, const PictureShape& shape,
                 const std::vector<std::string>& class_names) {
  ordered_json json = {
      {"channels", shape.channels}, {"height", shape.height}, {"width", shape.width}};
  if (!class_names.empty()) json["class_names"] = class_names;
  write_json(run / "data.json", json);
}

training::Budget read_budget(const fs::path& run) {
  const fs::path path = run / "budget.json";
  const ordered_json json = read_json(path);
  const training::Budget budget{.steps = optional_field<std::uint64_t>(json, "steps", path),
                                .images = optional_field<std::uint64_t>(json, "images", path),
                                .seconds = optional_field<double>(json, "seconds", path)};
  if (budget.steps == 0U || budget.images == 0U || (budget.seconds && !(*budget.seconds > 0))) {
    throw DataError(path.string(), "expected budgets above zero");
  }
  return budget;
}

void write_budget(const fs::path& run, const training::Budget& budget) {
  const ordered_json json = {{"steps", or_null(budget.steps)},
                             {"images", or_null(budget.images)},
                             {"seconds", or_null(budget.seconds)}};
  write_json(run / "budget.json", json);
}

config::RunConfig read_config(const fs::path& run) {
  const fs::path path = run / "config.toml";
  if (!fs::exists(path)) {
    throw ArgumentError("[" + run.string() + "] expected a run folder (with a config.toml), got " +
                        (fs::exists(run) ? "a folder without one" : "nothing of that name"));
  }
  const std::string text = read_text(path);
  if (text.empty()) throw DataError(path.string(), "expected a config, got an empty file");
  if (text.front() == '#') require_seal(text, path.string());
  config::RunConfig config = config::parse(text, path.string());
  config::require_valid(config, path.string());
  return config;
}

void write_config(const fs::path& run, const config::RunConfig& config) {
  const std::string seal = "# Written by tinta. Remove this line to change what follows by hand. " +
                           std::string(kSeal) + " " + std::string(kOpenSeal) + "\n\n";
  write_file(run / "config.toml", sealed(seal + config::to_toml(config)), Existing::replace);
}

TrainedRun load_run(const fs::path& run, const Selection& selection, const config::Machine& machine,
                    const Sinks& sinks) {
  TrainedRun loaded{.config = read_config(run),
                    .shape = {},
                    .checkpoint = {},
                    .weights_hash = {},
                    .network = {},
                    .compute = {}};
  loaded.shape = read_shape(run);
  loaded.checkpoint = checkpoint_of(run, selection, sinks);
  const ChosenWeights chosen = weights_of(run, loaded.checkpoint, selection, sinks);
  loaded.weights_hash = chosen.hash;
  loaded.compute = prepare(
      machine, selection.precision.empty() ? loaded.config.training.precision : selection.precision,
      sinks);
  loaded.network = std::make_shared<model::UNet>(loaded.config.model);
  place(*loaded.network, loaded.compute);
  training::copy_weights(chosen.weights, loaded.network->named_parameters());
  return loaded;
}

Sinks with_log_file(const fs::path& run, const Sinks& sinks) {
  Sinks both = sinks;
  both.log = [path = run / "log.jsonl", sinks](LogLevel level, const std::string& text) {
    std::ofstream file(path, std::ios::app);
    file << ordered_json{{"time", utc_text(wall_time())},
                         {"level", level == LogLevel::info ? "info" : "warning"},
                         {"text", text}}
                .dump(-1, ' ', false, ordered_json::error_handler_t::replace)
         << '\n';
    if (sinks.log) sinks.log(level, text);
  };
  return both;
}

}  // namespace tinta::experiment
