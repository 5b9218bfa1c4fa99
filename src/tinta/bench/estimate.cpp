#include "tinta/bench/estimate.h"

#include <algorithm>
#include <cmath>

#include "tinta/bench/steps.h"
#include "tinta/experiment/run.h"
#include "tinta/model/unet.h"
#include "tinta/training/validation.h"

namespace tinta::bench {
namespace {

constexpr double kMostSeconds = 1;    // of a timed step, as expected
constexpr double kShareOfRoof = 0.4;  // that a step is expected to reach
constexpr std::int64_t kTimedSteps = 3;
constexpr std::int64_t kLeastPictures =
    4;  // of the larger batch: fewer tell what a step costs alone
constexpr double kMebibyte = 1024.0 * 1024.0;

// Pictures that previews draw during a run, times evaluations of the network for each; as
// experiment/preview.cpp does.
double preview_evaluations(const config::RunConfig& config) {
  const config::TrainingConfig& training = config.training;
  if (training.sample_every <= 0) return 0;
  const double previews =
      std::floor(static_cast<double>(training.steps) / static_cast<double>(training.sample_every)) +
      (training.steps % training.sample_every == 0 ? 0 : 1);
  const std::int64_t classes = std::min<std::int64_t>(config.model.classes, 10);
  const auto pictures = static_cast<double>(classes > 0 ? 4 * classes : 16);
  const bool guided = classes > 0 && config.sampling.guidance != 1 && config.sampling.guidance != 0;
  const std::int64_t each = std::min<std::int64_t>(config::evaluations(config.sampling), 50);
  return previews * pictures * static_cast<double>(each) * (guided ? 2 : 1);
}

StepMeasurement measured(config::RunConfig config, std::int64_t batch,
                         const experiment::Compute& compute, const Sinks& sinks,
                         const StopRequested& stop) {
  const std::int64_t part = config.training.batch / config.training.accumulate;
  config.training.batch = batch;
  config.training.accumulate = std::max<std::int64_t>(1, batch / part);
  return measure_training({.config = config,
                           .compute = compute,
                           .steps = kTimedSteps,
                           .traced = 0,
                           .sinks = sinks,
                           .stop = stop});
}

// So many pictures, or a little fewer: whole parts of the run's batch, or less than one.
std::int64_t whole_parts(const config::TrainingConfig& training, std::int64_t pictures) {
  const std::int64_t part = training.batch / training.accumulate;
  return pictures < part ? pictures : pictures / part * part;
}

// Evaluations of the network that validations take.
double validation_evaluations(const config::TrainingConfig& training) {
  if (training.validate_every <= 0) return 0;
  const double times =
      std::ceil(static_cast<double>(training.steps) / static_cast<double>(training.validate_every));
  return times * training::kValidationBins * static_cast<double>(training.validation_images);
}

// Checkpoints that lie on the disk at once: those that are kept, and one in the writing.
double checkpoints_at_once(const config::TrainingConfig& training) {
  const double all = training.checkpoint_every > 0
                         ? std::ceil(static_cast<double>(training.steps) /
                                     static_cast<double>(training.checkpoint_every))
                         : 1;
  const auto kept = static_cast<double>(training.keep_checkpoints);
  const double best = training.validate_every > 0 ? 1 : 0;
  return (kept > 0 ? std::min(all, kept + best) : all) + 1;
}

}  // namespace

std::string basis(const Estimate& estimate) {
  if (estimate.timed_batch == estimate.batch) {
    return "timed at the run's own batch of " + std::to_string(estimate.batch);
  }
  if (estimate.by_roof) return "what the roof allows: few pictures a step tell too little";
  const std::string larger = std::to_string(estimate.timed_batch);
  return "timed at batches of " + std::to_string(estimate.timed_smaller_batch) + " and " + larger +
         ", extended to " + std::to_string(estimate.batch);
}

double extended(const TimedBatch& larger, const TimedBatch& smaller, std::int64_t batch) {
  if (larger.batch == batch) return larger.value;
  const auto at = static_cast<double>(batch), most = static_cast<double>(larger.batch);
  if (smaller.batch == 0) return larger.value * at / most;
  const double slope = (larger.value - smaller.value) / (most - static_cast<double>(smaller.batch));
  // A line that falls is noise: then nothing is known but that more pictures take more.
  return larger.value + std::max(slope, 0.0) * (at - most);
}

Estimate estimate_run(const config::RunConfig& config, const experiment::Compute& compute,
                      double peak, const Sinks& sinks, const StopRequested& stop) {
  const model::UNet network(config.model);
  const experiment::PictureShape shape = experiment::nominal_shape(config);
  const double per_image =
      3 * 2.0 * static_cast<double>(network.multiply_adds(shape.height, shape.width));
  const std::int64_t batch = config.training.batch;
  const double affordable = kMostSeconds * kShareOfRoof * peak / per_image;
  const std::int64_t timed = whole_parts(
      config.training, static_cast<std::int64_t>(std::clamp(
                           affordable, static_cast<double>(std::min(batch, kLeastPictures)),
                           static_cast<double>(batch))));

  // The smaller batch first: the peak of memory of a process is that of its largest step so far.
  Estimate out{.parameters = network.parameter_count(),
               .gflop_per_image = per_image * 1e-9,
               .batch = batch,
               .timed_batch = timed,
               .timed_smaller_batch = timed < batch ? whole_parts(config.training, timed / 4) : 0};
  TimedBatch small_seconds{.batch = out.timed_smaller_batch}, small_memory = small_seconds;
  if (out.timed_smaller_batch > 0) {
    const StepMeasurement small = measured(config, out.timed_smaller_batch, compute, sinks, stop);
    small_seconds.value = small.seconds.median;
    small_memory.value = small.peak_mebibytes;
  }
  const StepMeasurement large = measured(config, timed, compute, sinks, stop);
  const double extension = extended({timed, large.seconds.median}, small_seconds, batch);
  const double roof = per_image * static_cast<double>(batch) / peak;
  out.by_roof = timed < batch && extension < roof;
  out.seconds_per_step = out.by_roof ? roof : extension;

  const auto steps = static_cast<double>(config.training.steps);
  const double evaluation = out.seconds_per_step / static_cast<double>(batch) / 3;
  out.preview_seconds = preview_evaluations(config) * evaluation;
  out.seconds = steps * out.seconds_per_step + out.preview_seconds +
                validation_evaluations(config.training) * evaluation;

  // Masters, moments and average in float32; a checkpoint is encoded in memory before it is
  // written.
  const auto parameters = static_cast<double>(out.parameters);
  const auto widths = static_cast<double>(config.training.ema_relative_widths.size());
  out.checkpoint_mebibytes = (16 + 4 * widths) * parameters / kMebibyte;
  // Snapshots of tracked averages, in float16, stay.
  const double snapshots = config.training.checkpoint_every > 0
                               ? steps / static_cast<double>(config.training.checkpoint_every)
                               : 1;
  out.disk_mebibytes = checkpoints_at_once(config.training) * out.checkpoint_mebibytes +
                       std::ceil(snapshots) * 2 * widths * parameters / kMebibyte;
  out.mebibytes = extended({timed, large.peak_mebibytes}, small_memory, batch);
  if (compute.device.is_cpu()) out.mebibytes += out.checkpoint_mebibytes;
  return out;
}

}  // namespace tinta::bench
