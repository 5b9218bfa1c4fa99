#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tinta/bench/advice.h"
#include "tinta/bench/commands.h"
#include "tinta/bench/doctor_report.h"
#include "tinta/bench/estimate.h"
#include "tinta/bench/machine_facts.h"
#include "tinta/bench/overfit.h"
#include "tinta/bench/roof.h"
#include "tinta/bench/steps.h"
#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/data/dataset.h"
#include "tinta/data/doctor.h"
#include "tinta/experiment/machine.h"
#include "tinta/kernels/isa.h"

namespace tinta::bench {
namespace {

// Of each shape: enough for a tenth of the truth.
constexpr Effort kQuick{.seconds = 0.1, .least = 2};
constexpr std::int64_t kArray = std::int64_t{1} << 24;  // numbers of an array: 64 MiB
constexpr double kLittleMemory = 1024;                  // MiB
constexpr double kLittleDisk = 1024;                    // MiB

class Doctor {
 public:
  Doctor(const config::DoctorOptions& options, const Sinks& sinks, const StopRequested& stop)
      : options_(options), sinks_(sinks), stop_(stop) {}

  DoctorReport examine() {
    const experiment::Compute machine = experiment::prepare(options_.machine, "auto", sinks_);
    report_.facts = machine_facts("runs");
    report_.libraries = library_versions();
    examine_machine();
    measure_roof(machine.device);
    if (!options_.preset_or_file.empty()) examine_run();
    return std::move(report_);
  }

 private:
  void go_on(const std::string& what) const {
    if (stop_ && stop_()) throw Stopped{};
    sinks_.report({.what = "examining", .detail = what});
  }

  void advise(Severity severity, std::string kind, std::string text, std::string remedy) {
    report_.advice.push_back({severity, std::move(kind), std::move(text), std::move(remedy)});
  }

  void examine_machine() {
    const MachineFacts& facts = report_.facts;
    if (facts.threads < facts.cores) {
      advise(
          Severity::warning, "threads",
          "cores: " + std::to_string(facts.cores) + ", threads: " + std::to_string(facts.threads),
          "--threads " + std::to_string(facts.cores) + ", or unset OMP_NUM_THREADS");
    }
    if (facts.memory_available_mebibytes < kLittleMemory) {
      advise(Severity::warning, "memory",
             fixed(facts.memory_available_mebibytes, 0) + " MiB of memory are free",
             "end other programs");
    }
    if (facts.disk_free_mebibytes < kLittleDisk) {
      advise(Severity::warning, "disk",
             fixed(facts.disk_free_mebibytes, 0) + " MiB of the disk are free",
             "make room, or --out on another disk");
    }
  }

  void measure_roof(at::Device device) {
    go_on("memory");
    for (const Bandwidth& way : memory_bandwidth(device, kArray, kQuick)) {
      if (way.name == "triad") report_.triad = way.bytes.median;
    }
    go_on("fp32 convolutions");
    report_.fp32 = convolution_peak(device, at::kFloat, kQuick).flops.median;
    if (!device.is_cuda() && !kernels::has_bf16()) return;
    go_on("bf16 convolutions");
    report_.bf16 = convolution_peak(device, at::kBFloat16, kQuick).flops.median;
  }

  void examine_run() {
    config::RunConfig config = config::resolved(options_.preset_or_file, options_.overrides);
    if (!options_.data.empty()) config.data.path = options_.data;
    report_.examined = options_.preset_or_file;
    examine_pictures(config);
    const std::optional<config::RunConfig> sized =
        config::problems(config).empty() ? with_size(config) : std::nullopt;
    for (Advice& one : examine_config(sized.value_or(config))) {
      report_.advice.push_back(std::move(one));
    }
    if (!sized) return;  // no network can be made of it, or no picture for one
    const experiment::Compute compute =
        experiment::prepare(options_.machine, config.training.precision, sinks_);
    report_.precision = experiment::precision_name(compute.dtype);
    estimate(*sized, compute);
    if (options_.overfit) learn_by_heart(config, compute);
  }

  // The config with the side of its pictures, which those of an array are asked for.
  std::optional<config::RunConfig> with_size(config::RunConfig config) {
    if (experiment::nominal_shape(config).height > 0) return config;
    if (config.data.path.empty()) {
      advise(Severity::warning, "size-unknown",
             "how large the pictures are is not known, and so neither what the run takes",
             "--data FILE, or --set data.size=N");
      return std::nullopt;
    }
    try {
      const experiment::PictureShape shape =
          experiment::shape_of(data::open(config.data, data::Split::train, sinks_, stop_));
      config.data.size = std::max(shape.height, shape.width);
      return config;
    } catch (const Error&) {
      return std::nullopt;  // examine_pictures() has told why
    }
  }

  // Data that cannot be read are a finding as well.
  void examine_pictures(const config::RunConfig& config) {
    const config::Source* source = config::find_source(config.data.source);
    if (source == nullptr || source->origin == config::Origin::drawn) return;
    if (config.data.path.empty()) {
      advise(Severity::warning, "data-unseen", "the pictures were not looked at", "--data DIR");
      return;
    }
    go_on("pictures");
    try {
      for (Advice& one :
           examine_data(config, config.data.path, data::examine(config.data.path, sinks_))) {
        report_.advice.push_back(std::move(one));
      }
    } catch (const Error& error) {
      advise(Severity::error, "data-unreadable", error.what(),
             "tinta data doctor " + shell_word(config.data.path) + " says more");
    }
  }

  void estimate(const config::RunConfig& config, const experiment::Compute& compute) {
    const double peak = compute.dtype != at::kFloat && report_.bf16 ? *report_.bf16 : report_.fp32;
    report_.estimate = estimate_run(config, compute, peak, sinks_, stop_);
    for (Advice& one : examine_estimate(*report_.estimate, report_.facts, config,
                                        compute.device.is_cpu() ? Place::cpu : Place::gpu)) {
      report_.advice.push_back(std::move(one));
    }
    if (compute.device.is_cpu() && compute.dtype == at::kBFloat16 && !kernels::has_bf16()) {
      advise(Severity::warning, "precision", "this CPU has no bfloat16 arithmetic",
             "--precision fp32");
    }
  }

  void learn_by_heart(const config::RunConfig& config, const experiment::Compute& compute) {
    const config::Source* source = config::find_source(config.data.source);
    const bool there =
        source != nullptr && (source->origin == config::Origin::drawn || !config.data.path.empty());
    try {
      const data::Dataset dataset =
          there ? data::open(config.data, data::Split::train, sinks_, stop_)
                : made_up(experiment::nominal_shape(config), config.model.classes);
      report_.overfit = overfit(config, compute, dataset, *options_.overfit, sinks_, stop_);
    } catch (const Error& error) {
      advise(Severity::error, "overfit", error.what(), "other data, or another preset");
      return;
    }
    if (report_.overfit->passed()) return;
    advise(Severity::error, "overfit",
           "one batch was not learnt by heart: the loss went from " +
               fixed(report_.overfit->first, 4) + " to " + fixed(report_.overfit->last, 4) +
               " in " + std::to_string(report_.overfit->steps) + " steps",
           "more steps; then another training.learning_rate");
  }

  const config::DoctorOptions& options_;
  const Sinks& sinks_;
  const StopRequested& stop_;
  DoctorReport report_;
};

}  // namespace

experiment::Examined run_doctor(const config::DoctorOptions& options, const Sinks& sinks,
                                const StopRequested& stop) {
  try {
    const DoctorReport report = Doctor(options, sinks, stop).examine();
    return {options.json ? as_json(report) : as_text(report), sound(report.advice)};
  } catch (const Stopped&) {
    return {"", true};
  }
}

}  // namespace tinta::bench
