#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tinta/bench/commands.h"
#include "tinta/bench/roof.h"
#include "tinta/bench/steps.h"
#include "tinta/core/text.h"
#include "tinta/experiment/machine.h"

namespace tinta::bench {
namespace {

using nlohmann::ordered_json;

struct Report {
  const config::BenchStepsOptions& options;
  const config::RunConfig& config;
  experiment::Compute compute;
  StepMeasurement steps;
  Peak peak;

  [[nodiscard]] bool training() const { return options.what == config::BenchedStep::training; }
  [[nodiscard]] std::string precision() const { return experiment::precision_name(compute.dtype); }
  [[nodiscard]] Spread images_per_second() const {
    return steps.seconds.over(static_cast<double>(steps.batch));
  }
  [[nodiscard]] double share() const {
    return share_of(steps.operations, steps.seconds.median, peak.flops.median);
  }
};

std::string as_json(const Report& report) {
  const StepMeasurement& steps = report.steps;
  const Spread images = report.images_per_second();
  ordered_json json = {
      {"step", report.training() ? "training" : "sampling"},
      {"preset", report.options.preset_or_file},
      {"device", report.compute.device.str()},
      {"threads", at::get_num_threads()},
      {"precision", report.precision()},
      {"batch", steps.batch},
      {"parameters", steps.parameters},
      {"channels", steps.shape.channels},
      {"height", steps.shape.height},
      {"width", steps.shape.width},
      {"gflop_per_image", steps.operations * 1e-9 / static_cast<double>(steps.batch)},
      {"seconds_per_step", to_json(steps.seconds)},
      {"images_per_second", images.median},
      {"images_per_second_low", images.low},
      {"images_per_second_high", images.high},
      {"convolution_peak_gflops", report.peak.flops.median * 1e-9},
      {"convolution_peak_shape", report.peak.shape},
      {"share_of_roof", report.share()},
      {"peak_memory_mib", steps.peak_mebibytes},
      {"peak_memory_of", to_string(steps.peak_span)},
      {"seconds_to_first_step", steps.seconds_to_first_step},
      {"seconds_of_first_step", steps.seconds_of_first_step}};
  if (!report.training()) {
    json["sampler"] = report.config.sampling.sampler;
    json["steps_per_picture"] = report.config.sampling.steps;
    json["pictures_per_second"] = images.median / static_cast<double>(report.config.sampling.steps);
  }
  json["profile"] = experiment::to_json(steps.profile);
  return json.dump(2) + "\n";
}

std::string as_text(const Report& report) {
  const StepMeasurement& steps = report.steps;
  const Spread milliseconds{.median = 1e3 * steps.seconds.median,
                            .low = 1e3 * steps.seconds.low,
                            .high = 1e3 * steps.seconds.high};
  std::string text =
      report.options.preset_or_file + ", " + (report.training() ? "training" : "sampling") + ": " +
      std::to_string(steps.parameters) + " parameters, batch " + std::to_string(steps.batch) +
      ", " + report.precision() + ", " + report.compute.device.str() + ", " +
      std::to_string(at::get_num_threads()) + " CPU threads\n";
  text += "a step             " + to_text(milliseconds, 1) + " ms, median and quartiles of " +
          std::to_string(steps.seconds.count) + "\n";
  text += "images per second  " + to_text(report.images_per_second(), 1);
  if (!report.training()) {
    text += " through one step; a picture takes " + std::to_string(report.config.sampling.steps);
  }
  text += "\nshare of the roof  " + fixed(100 * report.share(), 1) + "% of " +
          fixed(report.peak.flops.median * 1e-9, 0) + " GFLOP/s (" + report.peak.shape + ")\n";
  text += "peak memory        " + fixed(steps.peak_mebibytes, 0) + " MiB, of the " +
          to_string(steps.peak_span) + "\n";
  text += "first step after   " + fixed(steps.seconds_to_first_step, 2) + " s, which took " +
          fixed(steps.seconds_of_first_step, 2) + " s\n\n";
  return text + "Time by part, mean of " + std::to_string(steps.profile.steps) + " traced steps\n" +
         experiment::table_of(steps.profile);
}

}  // namespace

std::string run_bench_steps(const config::BenchStepsOptions& options, const Sinks& sinks,
                            const StopRequested& stop) {
  config::RunConfig config = config::resolved(options.preset_or_file, options.overrides);
  if (options.batch) config.training.batch = *options.batch;
  config::require_valid(config, "bench");
  const experiment::Compute compute =
      experiment::prepare(options.machine, config.training.precision, sinks);
  const StepTask task{.config = config,
                      .compute = compute,
                      .batch = options.batch.value_or(0),
                      .steps = options.steps,
                      .sinks = sinks,
                      .stop = stop};
  const bool training = options.what == config::BenchedStep::training;
  try {
    StepMeasurement steps = training ? measure_training(task) : measure_sampling(task);
    // After the steps, so that it delays none of them.
    Peak peak = convolution_peak(compute.device, compute.dtype, {.seconds = 0.3});
    const Report report{.options = options,
                        .config = config,
                        .compute = compute,
                        .steps = std::move(steps),
                        .peak = std::move(peak)};
    return options.json ? as_json(report) : as_text(report);
  } catch (const Stopped&) {
    return "";
  }
}

}  // namespace tinta::bench
