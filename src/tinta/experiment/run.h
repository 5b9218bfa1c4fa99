#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/options.h"
#include "tinta/core/sink.h"
#include "tinta/core/text.h"
#include "tinta/data/dataset.h"
#include "tinta/experiment/machine.h"
#include "tinta/model/unet.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/trainer.h"

// The files of a run folder besides checkpoints and metrics:
//   config.toml   the complete, resolved config; it and the two below carry their own SHA-256
//                 (core/seal.h), so that damage is noticed
//   data.json     what the pictures are like, and the names of their classes
//   budget.json   when the run ends
//   log.jsonl     what happened when
//   validation.jsonl, best.json   losses on held-out pictures (training/validations.h)
//   ema/          tracked averages, for a later choice of width (training/ema_snapshots.h)
//   samples/      grids of pictures (preview.h)
//   tb/           metrics and sample grids for TensorBoard (event_log.h)
//   rollback.json what a rollback is about to do (training/rollback.h)
//   post-mortem/  batches whose loss or gradient was not finite
//   trace.json    what some steps spent their time on, where tinta train --profile asked for it
//   .lock         held by the process that trains

namespace tinta::experiment {

/// What a run's pictures are like: enough to sample without the data.
struct PictureShape {
  std::int64_t channels = 1;
  std::int64_t height = 28;
  std::int64_t width = 28;

  friend bool operator==(const PictureShape&, const PictureShape&) = default;
};
PictureShape shape_of(const data::Dataset& dataset);

/// What the pictures are like that a config's network is meant for, known without them.
PictureShape nominal_shape(const config::RunConfig& config);

/// @throws SystemError / DataError naming the file
PictureShape read_shape(const std::filesystem::path& run);
/// @param class_names kept beside the shape where they are known; may be empty
void write_shape(const std::filesystem::path& run, const PictureShape& shape,
                 const std::vector<std::string>& class_names);

training::Budget read_budget(const std::filesystem::path& run);
void write_budget(const std::filesystem::path& run, const training::Budget& budget);

/// The config of a run folder. @throws ArgumentError when it is not a run folder, DataError when
/// the
///         file is not as it was written, unless a person removed its first line
config::RunConfig read_config(const std::filesystem::path& run);
void write_config(const std::filesystem::path& run, const config::RunConfig& config);

/// A trained network, ready to answer.
struct TrainedRun {
  config::RunConfig config;
  PictureShape shape;
  training::CheckpointRef checkpoint;
  std::string weights_hash;  ///< names the weights in what is made from them
  std::shared_ptr<model::UNet> network;
  Compute compute;
};

/// What to load of a run.
struct Selection {
  config::Weights weights = config::Weights::ema;
  std::optional<double> ema_width{};         ///< of an average to rebuild (training/power_ema.h)
  std::optional<std::int64_t> checkpoint{};  ///< absent: the newest valid one
  bool best = false;                         ///< the checkpoint of the best validation instead
  std::string precision{};                   ///< auto | bf16 | fp32; "": as the run's config says
};

/// @throws ArgumentError when it is no run folder or has no checkpoint (of that step), DataError
///         when the one asked for is damaged
TrainedRun load_run(const std::filesystem::path& run, const Selection& selection,
                    const config::Machine& machine, const Sinks& sinks);

/// What --weights, --ema and --checkpoint of a command ask for.
template <class Options>
Selection selection_of(const Options& options) {
  return {.weights = options.weights,
          .ema_width = options.ema,
          .checkpoint = options.checkpoint,
          .best = options.best};
}

/// "ema", "raw" or "ema-0.075": which weights, in what is made from them.
template <class Options>
std::string weights_name(const Options& options) {
  if (options.ema) return "ema-" + shortest(*options.ema);
  return options.weights == config::Weights::ema ? "ema" : "raw";
}

/// A sink that writes a run's log.jsonl too.
Sinks with_log_file(const std::filesystem::path& run, const Sinks& sinks);

}  // namespace tinta::experiment
