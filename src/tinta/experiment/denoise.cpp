#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/data/dataset.h"
#include "tinta/data/info.h"
#include "tinta/evaluation/denoise_report.h"
#include "tinta/evaluation/denoising.h"
#include "tinta/evaluation/wiener.h"
#include "tinta/experiment/alike.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/outputs.h"
#include "tinta/experiment/run.h"
#include "tinta/io/npz.h"
#include "tinta/io/png.h"
#include "tinta/kernels/constant_weights.h"
#include "tinta/process/denoiser.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

// The first `count` pictures of a set in [-1, 1]; 0: all.
at::Tensor pictures_of(const data::Dataset& dataset, std::int64_t count) {
  const std::int64_t n = count > 0 ? std::min(count, dataset.size()) : dataset.size();
  return data::gather(dataset, at::arange(n, at::kLong));
}

// The classical baseline, fitted on training pictures; none where there is too little to fit.
std::unique_ptr<evaluation::PcaWiener> baseline(const config::DataConfig& data,
                                                const Sinks& sinks) {
  constexpr std::int64_t kPictures = 10000;
  try {
    const at::Tensor train = pictures_of(data::open(data, data::Split::train), kPictures);
    return std::make_unique<evaluation::PcaWiener>(train);
  } catch (const Error& error) {
    sinks.warn(std::string("no classical baseline: ") + error.what());
    return nullptr;
  }
}

fs::path default_output(const config::DenoiseOptions& options, const TrainedRun& run) {
  std::string name = "denoise-" + run.checkpoint.folder.filename().string() + "-" + options.split;
  if (const std::string weights = weights_name(options); weights != "ema") name += "-" + weights;
  return fs::path(options.run) / (name + "-seed" + std::to_string(options.seed) + ".png");
}

}  // namespace

std::string run_denoise(const config::DenoiseOptions& options, const Sinks& sinks,
                        const StopRequested& stop, dist::Group& group) {
  const TrainedRun run = load_run(options.run, selection_of(options), options.machine, sinks);
  group.require_alike("weights", run.weights_hash);
  config::DataConfig data = run.config.data;
  if (!options.data.empty()) {
    data.source = data::detect_source(options.data);
    data.path = options.data;
  }
  const fs::path output =
      options.output.empty() ? default_output(options, run) : fs::path(options.output);
  if (group.leads()) {
    refuse_existing(output, options.force);
    refuse_existing(options.npz, options.force);
  }

  const data::Dataset held_out = data::open(data, data::split_from(options.split), sinks, stop);
  if (shape_of(held_out) != run.shape) {
    throw ArgumentError(
        "[denoise] expected pictures of the shape that the run was trained on, got "
        "others in " +
        held_out.name);
  }
  require_alike(group, held_out, run.compute);
  const auto schedule = process::make_schedule(run.config.process);
  const process::NetworkDenoiser denoiser(*run.network, {});
  const auto classical = baseline(data, sinks);
  const at::Tensor images = pictures_of(held_out, options.limit);
  evaluation::DenoiseConfig config{.t = options.t,
                                   .chain_images = options.chain_images,
                                   .seed = options.seed,
                                   .device = run.compute.device};
  if (options.batch > 0) config.batch = options.batch;
  if (!options.npz.empty()) config.keep = images.size(0);
  const kernels::ConstantWeights constant;
  const auto report = evaluation::denoise({.denoiser = denoiser,
                                           .schedule = *schedule,
                                           .images = images,
                                           .classical = classical.get(),
                                           .sinks = sinks,
                                           .stop = stop,
                                           .group = group},
                                          config);
  if (!report || !group.leads()) return "";
  const Existing existing = options.force ? Existing::replace : Existing::refuse;
  write_file(output,
             io::encode_png(evaluation::picture(*report),
                            {{"Software", "tinta"},
                             {"seed", std::to_string(options.seed)},
                             {"checkpoint", run.checkpoint.folder.filename().string()},
                             {"weights-sha256", run.weights_hash}}),
             existing);
  if (!options.npz.empty()) {
    write_file(options.npz, io::encode_npz(evaluation::arrays(*report, *schedule)), existing);
  }
  if (options.json) return evaluation::json(*report);
  std::string text = evaluation::table(*report) + output.string() + "\n";
  if (!options.npz.empty()) text += options.npz + "\n";
  return text;
}

}  // namespace tinta::experiment
