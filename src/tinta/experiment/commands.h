#pragma once

#include <string>

#include "tinta/config/options.h"
#include "tinta/core/sink.h"
#include "tinta/dist/group.h"

// The commands of tinta-core. Each does what its options ask and returns the text for stdout, which
// ends in a newline: a table, or JSON where options.json is set. Progress and log lines go to the
// sinks. Outputs that exist are refused unless options.force is set.
//
// Those that take a group may run as several processes (dist/): all call them with the same
// options, each does a share, and rank 0 alone writes, tells, and has a text.
//
// All throw ArgumentError (a wrong value, an output that exists), DataError (a bad file),
// SystemError (a broken machine, a run folder in use).

namespace tinta::experiment {

/// Trains a run, or goes on with one. When `stop` answers true the step in hand is finished, a
/// checkpoint saved, and the text says how to resume; the caller knows what it asked for.
/// @throws NonFiniteError naming step and batch when losses are not finite again and again
[[nodiscard]] std::string run_train(const config::TrainOptions& options, const Sinks& sinks,
                                    const StopRequested& stop,
                                    dist::Group& group = dist::Group::alone());

/// Draws pictures from a run: a grid and, on request, raw arrays `images` (uint8 [N,H,W] or
/// [N,H,W,C]) and `labels` (int64 [N]). When `stop` answers true nothing is written.
[[nodiscard]] std::string run_sample(const config::SampleOptions& options, const Sinks& sinks,
                                     const StopRequested& stop,
                                     dist::Group& group = dist::Group::alone());

/// Measures pictures that are drawn from a run, or come from a file (experiment/metrics.h). JSON:
/// {"run", "checkpoint", "from", "count", "seconds", "sampler", "steps", "guidance", "seed",
/// "metrics": {NAME: ...}}. When `stop` answers true there is no text.
[[nodiscard]] std::string run_eval(const config::EvalOptions& options, const Sinks& sinks,
                                   const StopRequested& stop,
                                   dist::Group& group = dist::Group::alone());

/// Trains a classifier and measures it on the data's test split. JSON: {"output", "test_accuracy",
/// "interval" (95%, Wilson), "test_pictures", "classes", "parameters", "gflop_per_image", "epochs",
/// "seconds", "images_per_second"}. When `stop` answers true nothing is written.
/// @throws NonFiniteError
[[nodiscard]] std::string run_classifier_train(const config::ClassifierTrainOptions& options,
                                               const Sinks& sinks, const StopRequested& stop);

/// Removes noise from held-out pictures (lab exercise 6). JSON: t, psnr_noisy, psnr_restored,
/// psnr_chain, psnr_classical, ssim_restored, one value per t. When `stop` answers true nothing is
/// written.
[[nodiscard]] std::string run_denoise(const config::DenoiseOptions& options, const Sinks& sinks,
                                      const StopRequested& stop,
                                      dist::Group& group = dist::Group::alone());

/// Fills in the part of a picture that a mask marks: the fillings in one PNG and, on request, raw
/// arrays `images` (uint8, as run_sample() writes them, one for each filling), `known` (likewise,
/// one picture) and `fill` (bool [H,W]). When `stop` answers true nothing is written.
[[nodiscard]] std::string run_inpaint(const config::InpaintOptions& options, const Sinks& sinks,
                                      const StopRequested& stop);

/// Describes a folder of pictures or built-in data: kind, number, sizes, classes.
[[nodiscard]] std::string run_data_info(const config::DataInfoOptions& options, const Sinks& sinks);

/// What was found, and whether a run could be trained on it.
struct Examined {
  std::string text;
  bool sound = true;
};

/// Reads every picture of a folder or file and says what would spoil a run (data/doctor.h).
[[nodiscard]] Examined run_data_doctor(const config::DataDoctorOptions& options,
                                       const Sinks& sinks);

/// Fetches a public data set (data/download.h). When `stop` answers true, what has come is kept and
/// the text says how to go on.
[[nodiscard]] std::string run_data_get(const config::DataGetOptions& options, const Sinks& sinks,
                                       const StopRequested& stop);

/// Describes the network of a preset, a file or a run folder. JSON: parameters, tensors,
/// gflop_per_image.
[[nodiscard]] std::string run_model_info(const config::ModelInfoOptions& options);

/// Draws the loss curves of runs into a PNG, SVG or PDF. JSON: {"file", "runs": [{"run", "lines",
/// "step", "loss", "validation"}]}.
[[nodiscard]] std::string run_plot(const config::PlotOptions& options);

/// One line for each thing the engine is built on or finds at run time: LibTorch, instruction sets,
/// CUDA devices.
[[nodiscard]] std::string engine_versions();

}  // namespace tinta::experiment
