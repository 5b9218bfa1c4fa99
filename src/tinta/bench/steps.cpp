#include "tinta/bench/steps.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/data/dataset.h"
#include "tinta/experiment/generate.h"
#include "tinta/experiment/trace.h"
#include "tinta/kernels/random.h"
#include "tinta/model/init.h"
#include "tinta/model/unet.h"
#include "tinta/process/schedule.h"
#include "tinta/sampling/sampler.h"
#include "tinta/training/step.h"

namespace tinta::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kWarmUp = 2;

void go_on(const StopRequested& stop) {
  if (stop && stop()) throw Stopped{};
}

double arithmetic(const model::UNet& network, const experiment::PictureShape& shape,
                  std::int64_t batch, int passes) {
  return 2.0 * passes * static_cast<double>(batch) *
         static_cast<double>(network.multiply_adds(shape.height, shape.width));
}

void report(const StepTask& task, const char* what, std::int64_t done) {
  task.sinks.report({.what = what,
                     .done = done,
                     .total = kWarmUp + task.steps + std::min(task.steps, task.traced)});
}

/// One step, which must be one that was worth timing.
void take(training::TrainingStep& step) {
  if (step.run(0).outcome != training::StepOutcome::taken) {
    throw NonFiniteError("[bench] expected finite losses and gradients, got others");
  }
}

std::shared_ptr<model::UNet> network_of(const StepTask& task) {
  auto network = std::make_shared<model::UNet>(task.config.model);
  model::initialise(*network, task.config.training.seed);
  return network;
}

}  // namespace

data::Dataset made_up(const experiment::PictureShape& shape, std::int64_t classes) {
  constexpr std::int64_t kBytes = std::int64_t{1} << 26;
  const std::int64_t pixels = shape.channels * shape.height * shape.width;
  const std::int64_t count = std::clamp<std::int64_t>(kBytes / pixels, 64, 4096);
  const at::Tensor drawn = kernels::normal({count, pixels}, {.seed = 0, .stream = Stream::draw});
  data::Dataset dataset{.name = "made-up pictures",
                        .images = (drawn * 64 + 128)
                                      .clamp(0, 255)
                                      .to(at::kByte)
                                      .view({count, shape.channels, shape.height, shape.width})};
  if (classes > 0) {
    dataset.labels = at::arange(count, at::kLong).remainder(classes);
    dataset.classes = classes;
  }
  return dataset;
}

double share_of(double operations, double seconds, double peak) {
  return operations / seconds / peak;
}

StepMeasurement measure_training(const StepTask& task) {
  const config::RunConfig& config = task.config;
  StepMeasurement out{.shape = experiment::nominal_shape(config), .batch = config.training.batch};
  data::Dataset dataset = made_up(out.shape, config.model.classes);
  dataset.augment = config.data.augment;
  const auto network = network_of(task);
  training::TrainingState state = training::TrainingState::fresh(
      network->named_parameters(), config.training.ema_relative_widths);
  experiment::place(*network, task.compute);
  const auto schedule = process::make_schedule(config.process);
  const training::TrainerParts parts{
      .network = *network, .schedule = *schedule, .dataset = dataset, .config = config.training};
  training::TrainingStep step(parts, state);
  out.parameters = network->parameter_count();
  out.operations = arithmetic(*network, out.shape, out.batch, 3);

  out.seconds_to_first_step = seconds_since_start();
  const PeakMemory peak(task.compute.device);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < kWarmUp + task.steps; ++i) {
    go_on(task.stop);
    const auto start = Clock::now();
    take(step);
    experiment::wait_for(task.compute.device);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    report(task, "training", i + 1);
  }
  out.seconds_of_first_step = seconds.front();
  out.seconds = spread_of({seconds.begin() + kWarmUp, seconds.end()});
  out.peak_mebibytes = peak.mebibytes();
  out.peak_span = peak.span();

  if (task.traced == 0) return out;
  experiment::Trace trace(task.compute.device);
  for (std::int64_t i = 0; i < std::min(task.steps, task.traced); ++i) take(step);
  out.profile = experiment::profile_of(trace.finish(), training::TrainingStep::kStepScope,
                                       experiment::measured_data_share());
  return out;
}

StepMeasurement measure_sampling(const StepTask& task) {
  config::RunConfig config = task.config;
  const std::int64_t most = config.process.steps - kWarmUp;
  if (task.steps > most) {
    throw ArgumentError("[bench] --steps: expected at most process.steps - " +
                        std::to_string(kWarmUp) + " = " + std::to_string(most) + ", got " +
                        std::to_string(task.steps));
  }
  StepMeasurement out{.shape = experiment::nominal_shape(config)};
  out.batch = task.batch > 0 ? task.batch : experiment::fitting_batch(out.shape);
  const auto network = network_of(task);
  experiment::place(*network, task.compute);
  out.parameters = network->parameter_count();
  const bool both = config.sampling.guidance != 0 && config.sampling.guidance != 1;
  const int evaluations = config.sampling.sampler == "heun" ? 2 : 1;  // but for the last step
  out.operations = arithmetic(*network, out.shape, out.batch,
                              (both && config.model.classes > 0 ? 2 : 1) * evaluations);
  std::vector<std::int64_t> classes(static_cast<std::size_t>(config.model.classes));
  std::iota(classes.begin(), classes.end(), std::int64_t{0});
  const at::Tensor labels =
      classes.empty() ? at::Tensor() : experiment::labels_in_turn(classes, out.batch);

  // One batch of pictures, from noise to bytes, in so many steps; the times at which steps ended.
  const auto generate = [&](std::int64_t steps) {
    config.sampling.steps = steps;
    std::vector<Clock::time_point> ends;
    const Sinks sinks{.progress = [&](const Progress&) {
      experiment::wait_for(task.compute.device);
      ends.push_back(Clock::now());
      report(task, "sampling", static_cast<std::int64_t>(ends.size()));
    }};
    experiment::generate({.network = *network,
                          .process = config.process,
                          .sampling = config.sampling,
                          .shape = out.shape,
                          .compute = task.compute,
                          .labels = labels,
                          .count = out.batch,
                          .batch = out.batch,
                          .seed = config.training.seed},
                         sinks, task.stop);
    go_on(task.stop);
    return ends;
  };

  out.seconds_to_first_step = seconds_since_start();
  const PeakMemory peak(task.compute.device);
  const auto start = Clock::now();
  const std::vector<Clock::time_point> ends = generate(kWarmUp + task.steps);
  out.peak_mebibytes = peak.mebibytes();
  out.peak_span = peak.span();
  out.seconds_of_first_step = std::chrono::duration<double>(ends.front() - start).count();
  std::vector<double> seconds;
  for (std::size_t i = kWarmUp; i < ends.size(); ++i) {
    seconds.push_back(std::chrono::duration<double>(ends[i] - ends[i - 1]).count());
  }
  out.seconds = spread_of(std::move(seconds));

  if (task.traced == 0) return out;
  experiment::Trace trace(task.compute.device);
  generate(std::min(task.steps, task.traced));
  out.profile = experiment::profile_of(trace.finish(), sampling::kStepScope,
                                       experiment::measured_data_share());
  return out;
}

}  // namespace tinta::bench
