#include <ATen/ATen.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/generate.h"
#include "tinta/experiment/outputs.h"
#include "tinta/experiment/run.h"
#include "tinta/experiment/sample.h"
#include "tinta/io/npz.h"
#include "tinta/io/pixels.h"
#include "tinta/io/png.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

config::SamplingConfig sampling_of(const TrainedRun& run, const config::SampleOptions& options) {
  config::RunConfig config = run.config;
  config::SamplingConfig& sampling = config.sampling;
  if (options.sampler) sampling.sampler = *options.sampler;
  if (options.steps) sampling.steps = *options.steps;
  if (options.guidance) sampling.guidance = *options.guidance;
  if (options.eta) sampling.eta = *options.eta;
  if (options.variance) sampling.variance = *options.variance;
  config::require_valid(config, "sample");
  return sampling;
}

// The classes to draw, in turn; none for an unconditional network.
std::vector<std::int64_t> classes_of(const TrainedRun& run, const config::SampleOptions& options) {
  const std::int64_t classes = run.config.model.classes;
  if (classes == 0) {
    if (!options.classes.empty() || options.per_class > 0) {
      throw ArgumentError("[sample] expected no classes: the network is unconditional");
    }
    return {};
  }
  std::vector<std::int64_t> wanted = options.classes;
  if (wanted.empty()) {
    wanted.resize(static_cast<std::size_t>(classes));
    std::iota(wanted.begin(), wanted.end(), std::int64_t{0});
  }
  for (const std::int64_t label : wanted) {
    if (label < 0 || label >= classes) {
      throw ArgumentError("[--class] expected 0 to " + std::to_string(classes - 1) + ", got " +
                          std::to_string(label));
    }
  }
  return wanted;
}

// "samples/step-00010000-ddim50-guidance2.0-n64-seed0.png": the same command asks for the same
// name, and one that draws other pictures for another.
fs::path default_output(const config::SampleOptions& options, const TrainedRun& run,
                        const config::SamplingConfig& sampling) {
  std::string name = run.checkpoint.folder.filename().string() + "-" + sampling.sampler +
                     std::to_string(sampling.steps);
  if (sampling.sampler == "ddim" && sampling.eta != 0) name += "-eta" + shortest(sampling.eta);
  if (sampling.sampler == "ddpm") name += "-" + sampling.variance;
  name += "-guidance" + shortest(sampling.guidance);
  for (const std::int64_t label : options.classes) name += "-class" + std::to_string(label);
  name += options.per_class > 0 ? "-per-class" + std::to_string(options.per_class)
                                : "-n" + std::to_string(options.count);
  if (const std::string weights = weights_name(options); weights != "ema") name += "-" + weights;
  return fs::path(options.run) / "samples" /
         (name + "-seed" + std::to_string(options.seed) + ".png");
}

std::int64_t count_of(const config::SampleOptions& options, std::int64_t classes) {
  constexpr std::int64_t kMost = 10'000'000;  // far from overflow, beyond any memory
  const std::int64_t each = options.per_class > 0 ? options.per_class : options.count;
  const std::int64_t times = options.per_class > 0 ? classes : 1;
  if (each > kMost / times) {
    throw ArgumentError("[sample] expected at most " + std::to_string(kMost) + " pictures, got " +
                        std::to_string(each) + (times > 1 ? " of each class" : ""));
  }
  return each * times;
}

std::map<std::string, std::string> provenance(const config::SampleOptions& options,
                                              const TrainedRun& run,
                                              const config::SamplingConfig& sampling) {
  return {{"Software", "tinta"},
          {"seed", std::to_string(options.seed)},
          {"sampler", sampling.sampler},
          {"steps", std::to_string(sampling.steps)},
          {"guidance", shortest(sampling.guidance)},
          {"checkpoint", run.checkpoint.folder.filename().string()},
          {"weights", weights_name(options)},
          {"weights-sha256", run.weights_hash}};
}

std::string summary(const config::SampleOptions& options, const fs::path& output,
                    std::int64_t count, double seconds) {
  const double speed = static_cast<double>(count) / seconds;
  if (options.json) {
    nlohmann::ordered_json json = {{"count", count},
                                   {"output", output.string()},
                                   {"npz", nullptr},
                                   {"seconds", seconds},
                                   {"images_per_second", speed}};
    if (!options.npz.empty()) json["npz"] = options.npz;
    return json.dump(2) + "\n";
  }
  std::string text = std::to_string(count) + " pictures in " + duration(seconds) + " (" +
                     fixed(speed, 1) + " img/s)\n" + output.string() + "\n";
  if (!options.npz.empty()) text += options.npz + "\n";
  return text;
}

}  // namespace

Drawing drawing_of(const TrainedRun& run, const config::SampleOptions& options) {
  Drawing drawing{.sampling = sampling_of(run, options),
                  .classes = classes_of(run, options),
                  .count = 0,
                  .labels = {}};
  drawing.count = count_of(options, static_cast<std::int64_t>(drawing.classes.size()));
  if (!drawing.classes.empty()) drawing.labels = labels_in_turn(drawing.classes, drawing.count);
  return drawing;
}

at::Tensor draw(const TrainedRun& run, const Drawing& drawing, const config::SampleOptions& options,
                const Sinks& sinks, const StopRequested& stop, dist::Group& group) {
  return generate({.network = *run.network,
                   .process = run.config.process,
                   .sampling = drawing.sampling,
                   .shape = run.shape,
                   .compute = run.compute,
                   .labels = drawing.labels,
                   .count = drawing.count,
                   .batch = options.batch,
                   .seed = options.seed,
                   .group = group},
                  sinks, stop);
}

std::string run_sample(const config::SampleOptions& options, const Sinks& sinks,
                       const StopRequested& stop, dist::Group& group) {
  const TrainedRun run = load_run(options.run, selection_of(options), options.machine, sinks);
  group.require_alike("weights", run.weights_hash);
  const Drawing drawing = drawing_of(run, options);
  const fs::path output = options.output.empty() ? default_output(options, run, drawing.sampling)
                                                 : fs::path(options.output);
  if (group.leads()) {
    refuse_existing(output, options.force);
    refuse_existing(options.npz, options.force);
  }

  const auto start = std::chrono::steady_clock::now();
  const at::Tensor pictures = draw(run, drawing, options, sinks, stop, group);
  if (!pictures.defined() || !group.leads()) return "";
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Existing existing = options.force ? Existing::replace : Existing::refuse;
  const std::int64_t columns =
      grid_columns(drawing.count, static_cast<std::int64_t>(drawing.classes.size()), run.shape);
  write_file(
      output,
      io::encode_png(io::grid(pictures, columns), provenance(options, run, drawing.sampling)),
      existing);
  if (!options.npz.empty()) {
    std::map<std::string, at::Tensor> arrays{{"images", channels_last_array(pictures)}};
    if (drawing.labels.defined()) arrays["labels"] = drawing.labels;
    write_file(options.npz, io::encode_npz(arrays), existing);
  }
  return summary(options, output, drawing.count, seconds);
}

}  // namespace tinta::experiment
