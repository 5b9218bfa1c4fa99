#include "tinta/cli/validate.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/lab_rows.h"
#include "tinta/config/names.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

namespace fs = std::filesystem;
using config::to_text;

/// Run folders beside a path that is none: what may have been meant.
std::vector<std::string> runs_beside(const fs::path& path) {
  std::vector<std::string> runs;
  std::error_code failed;
  fs::directory_iterator entries(path.has_parent_path() ? path.parent_path() : ".", failed);
  if (failed) return runs;
  for (const fs::directory_entry& entry : entries) {
    if (fs::exists(entry.path() / "config.toml", failed)) {
      runs.push_back((path.has_parent_path() ? entry.path() : entry.path().filename()).string());
    }
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

void require_run(const std::string& where, const std::string& run) {
  std::error_code failed;
  if (!fs::exists(fs::path(run) / "config.toml", failed)) {
    const std::string near = nearest(run, runs_beside(run));
    throw ArgumentError(
        "[" + where + "] expected a run folder, got " + to_text(run) +
        (near.empty() ? ", which holds no config.toml" : ": did you mean " + to_text(near) + "?"));
  }
}

/// The config of a run folder.
config::RunConfig run_config(const std::string& where, const std::string& run) {
  require_run(where, run);
  return config::preset_or_file((fs::path(run) / "config.toml").string());
}

void refuse_existing(const std::string& where, const std::string& flag, const std::string& path) {
  std::error_code failed;
  if (!path.empty() && fs::exists(path, failed)) {
    throw ArgumentError("[" + where + "] " + flag + ": expected a new file (or --force), got " +
                        to_text(path) + ", which exists");
  }
}

void require_step(const std::string& where, const std::string& flag, std::int64_t step,
                  const config::RunConfig& run) {
  if (step > run.process.steps) {
    throw ArgumentError("[" + where + "] " + flag +
                        ": expected at most the run's process.steps = " +
                        std::to_string(run.process.steps) + ", got " + std::to_string(step));
  }
}

/// Refuses options that a single row does not take; with "all" each row takes what it can.
void require_taken(const config::LabOptions& options) {
  const config::LabRow* row = config::find_lab_row(options.row);
  if (row == nullptr) return;
  using config::LabOption;
  const auto refuse = [&](bool given, LabOption option, const char* flag) {
    const bool taken = std::find(row->takes.begin(), row->takes.end(), option) != row->takes.end();
    if (given && !taken) {
      throw ArgumentError(std::string("[lab] ") + flag + ": expected nothing, as " + row->name +
                          " does not take it, got a value");
    }
  };
  refuse(!options.image.empty(), LabOption::image, "--image");
  refuse(options.steps.has_value(), LabOption::steps, "--steps");
  refuse(options.repeats.has_value(), LabOption::repeats, "--repeats");
  refuse(!options.density.empty(), LabOption::density, "--density");
  refuse(!options.overrides.empty(), LabOption::process, "--set");
  refuse(!options.run.empty(), LabOption::run, "--run");
  refuse(!options.classifier.empty(), LabOption::classifier, "--classifier");
}

/// What is asked of a run's classes must be there.
void require_classes(const std::string& where, const std::string& run_path,
                     const config::RunConfig& run, const std::vector<std::int64_t>& labels,
                     const std::optional<double>& guidance) {
  for (const std::int64_t label : labels) {
    if (label >= run.model.classes) {
      throw ArgumentError("[" + where + "] --class: expected labels from 0 to " +
                          std::to_string(run.model.classes - 1) + ", got " + std::to_string(label));
    }
  }
  if (guidance && *guidance != 1 && run.model.classes == 0) {
    throw ArgumentError("[" + where + "] --guidance: expected 1, as " + to_text(run_path) +
                        " is unconditional, got " + shortest(*guidance));
  }
}

/// A file that the engine is to read.
void require_file(const std::string& where, const std::string& flag, const std::string& path) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed)) {
    throw ArgumentError("[" + where + "] " + flag + ": expected a file, got " + to_text(path) +
                        (fs::exists(path, failed) ? ", which is none" : ", which is not there"));
  }
}

/// A run, and what is asked of its samples. @return the run's config
config::RunConfig require_drawable(const std::string& where, const config::SampleOptions& options) {
  config::RunConfig run = run_config(where, options.run);
  if (options.steps) require_step(where, "--steps", *options.steps, run);
  if (run.model.classes == 0 && (!options.classes.empty() || options.per_class > 0)) {
    throw ArgumentError("[" + where + "] expected no --class or --per-class, as " +
                        to_text(options.run) + " is unconditional, got one");
  }
  require_classes(where, options.run, run, options.classes, options.guidance);
  return run;
}

struct Validator {
  void operator()(const HelpText&) const {}
  void operator()(const config::VersionOptions&) const {}
  void operator()(const config::DataListOptions&) const {}
  void operator()(const config::DataInfoOptions&) const {}
  void operator()(const config::DataDoctorOptions& options) const {
    std::error_code failed;
    if (!fs::exists(options.path, failed)) {
      throw ArgumentError("[data doctor] expected a folder or file, got " + to_text(options.path) +
                          ", which is not there");
    }
  }
  void operator()(const config::DataGetOptions& options) const {
    const std::vector<std::string>& names = config::downloadable_names();
    if (std::find(names.begin(), names.end(), options.name) == names.end()) {
      throw ArgumentError("[data get] expected the name of a set that can be fetched, got " +
                          to_text(options.name) + suggestion(options.name, names));
    }
    for (const std::string& mirror : options.mirrors) {
      if (mirror.starts_with("http://") || mirror.starts_with("https://")) continue;
      throw ArgumentError("[data get] --mirror: expected a URL of http or https, got " +
                          to_text(mirror));
    }
  }
  void operator()(const config::ConfigCheckOptions&) const {}
  void operator()(const config::LabListOptions&) const {}
  void operator()(const config::RunsOptions&) const {}
  void operator()(const config::LogOptions& options) const { require_run("log", options.run); }
  void operator()(const config::PlotOptions& options) const {
    for (const std::string& run : options.runs) require_run("plot", run);
    const std::string type = fs::path(options.output).extension().string();
    const std::vector<std::string> known = {".png", ".svg", ".pdf"};
    if (std::find(known.begin(), known.end(), type) == known.end()) {
      throw ArgumentError("[plot] --output: expected a file .png, .svg or .pdf, got " +
                          to_text(options.output));
    }
    if (!options.force) refuse_existing("plot", "--output", options.output);
  }
  void operator()(const config::DoctorOptions& options) const {
    // Rules that its values break are what the doctor finds; what cannot be read is refused.
    if (!options.preset_or_file.empty()) {
      config::resolved(options.preset_or_file, options.overrides);
    }
    std::error_code failed;
    if (!options.data.empty() && !fs::exists(options.data, failed)) {
      throw ArgumentError("[doctor] --data: expected a folder or file, got " +
                          to_text(options.data) + ", which is not there");
    }
  }
  void operator()(const config::BenchOptions&) const {}

  void operator()(const config::BenchStepsOptions& options) const {
    config::RunConfig config = config::resolved(options.preset_or_file, options.overrides);
    if (options.batch) config.training.batch = *options.batch;
    config::require_valid(config, options.preset_or_file);
  }

  void operator()(const config::TrainOptions& options) const {
    if (!options.init_from.empty()) run_config("train", options.init_from);
    if (options.preset_or_file.empty()) {
      // The engine settles which config it is; the keys and values can be wrong already.
      config::RunConfig any;
      for (const std::string& assignment : options.overrides) config::set(any, assignment);
      if (options.resume) run_config("train", options.out);
      return;
    }
    const config::RunConfig config = config::resolved(options.preset_or_file, options.overrides);
    config::require_valid(config, options.preset_or_file);
    const config::Source* source = config::find_source(config.data.source);
    if (source != nullptr && !source->resized && options.image_size) {
      throw ArgumentError("[train] --image-size: expected none, as the pictures of data.source = " +
                          to_text(source->name) + " have a size, got " +
                          std::to_string(*options.image_size));
    }
    const bool from_files = source != nullptr && source->origin == config::Origin::files;
    if (from_files && config.data.path.empty() && options.data.empty() && !options.resume) {
      throw ArgumentError("[train] expected --data DIR, as " + options.preset_or_file +
                          " learns from files (data.source = " + to_text(config.data.source) +
                          "), got none");
    }
  }

  void operator()(const config::VerifyResumeOptions& options) const {
    (*this)(config::TrainOptions{.preset_or_file = options.preset_or_file,
                                 .data = options.data,
                                 .overrides = options.overrides});
  }

  void operator()(const config::SampleOptions& options) const {
    require_drawable("sample", options);
    if (options.force) return;
    refuse_existing("sample", "--output", options.output);
    refuse_existing("sample", "--npz", options.npz);
  }

  void operator()(const config::EvalOptions& options) const {
    for (const std::string& metric : options.metrics) {
      // Others will need other things.
      if (metric == "recognised" && options.classifier.empty()) {
        throw ArgumentError(
            "[eval] expected --classifier FILE for the metric recognised (tinta classifier train "
            "makes one), got none");
      }
    }
    if (!options.classifier.empty()) require_file("eval", "--classifier", options.classifier);
    if (!options.from.empty()) {
      require_file("eval", "--from", options.from);
      return;
    }
    if (require_drawable("eval", options.sample).model.classes == 0) {
      throw ArgumentError(
          "[eval] expected a run that is trained with classes, for the metric "
          "recognised, got " +
          to_text(options.sample.run) + ", which is unconditional");
    }
  }

  void operator()(const config::ClassifierTrainOptions& options) const {
    std::error_code failed;
    const config::Source* drawn = config::find_source(options.data);
    const bool built_in = drawn != nullptr && drawn->origin == config::Origin::drawn;
    if (!built_in && !fs::exists(options.data, failed)) {
      throw ArgumentError("[classifier train] --data: expected a folder or file, got " +
                          to_text(options.data) + ", which is not there");
    }
    if (built_in && drawn->classes == 0) {
      throw ArgumentError("[classifier train] --data: expected pictures of classes, got " +
                          to_text(options.data) + ", which has none");
    }
    if (options.features % 8 != 0) {
      throw ArgumentError("[classifier train] --features: expected a multiple of 8, got " +
                          std::to_string(options.features));
    }
    if (!options.force) refuse_existing("classifier train", "--out", options.out);
  }

  void operator()(const config::DenoiseOptions& options) const {
    const config::RunConfig run = run_config("denoise", options.run);
    for (const std::int64_t t : options.t) require_step("denoise", "--t", t, run);
    if (options.force) return;
    refuse_existing("denoise", "--output", options.output);
    refuse_existing("denoise", "--npz", options.npz);
  }

  void operator()(const config::InpaintOptions& options) const {
    const config::RunConfig run = run_config("inpaint", options.run);
    if (options.steps) require_step("inpaint", "--steps", *options.steps, run);
    if (options.label && run.model.classes == 0) {
      throw ArgumentError("[inpaint] expected no --class, as " + to_text(options.run) +
                          " is unconditional, got one");
    }
    require_classes("inpaint", options.run, run,
                    options.label ? std::vector{*options.label} : std::vector<std::int64_t>{},
                    options.guidance);
    require_file("inpaint", "--image", options.image);
    require_file("inpaint", "--mask", options.mask);
    if (options.force) return;
    refuse_existing("inpaint", "--output", options.output);
    refuse_existing("inpaint", "--npz", options.npz);
  }

  void operator()(const config::LabOptions& options) const {
    require_taken(options);
    config::RunConfig probe;
    for (const std::string& assignment : options.overrides) {
      if (!assignment.starts_with("process.")) {
        throw ArgumentError("[lab] --set: expected a key of process, got " + to_text(assignment));
      }
      config::set(probe, assignment);
    }
    config::require_valid(probe, "lab");
    if (!options.run.empty()) run_config("lab", options.run);
    if (!options.classifier.empty()) require_file("lab", "--classifier", options.classifier);
    if (options.force) return;
    const bool all = options.row == "all";
    for (const config::LabRow& row : config::lab_rows()) {
      if (!all && row.name != options.row) continue;
      refuse_existing("lab", "--out", (fs::path(options.out) / (row.name + ".json")).string());
    }
  }

  void operator()(const config::LabReportOptions& options) const {
    std::error_code failed;
    if (!fs::is_directory(options.from, failed)) {
      throw ArgumentError("[lab report] --from: expected a folder that tinta lab wrote, got " +
                          to_text(options.from));
    }
    if (!options.force) refuse_existing("lab report", "--out", options.out);
  }

  void operator()(const config::ModelInfoOptions& options) const {
    config::require_valid(config::resolved(options.preset_or_file, options.overrides),
                          options.preset_or_file);
  }
};

}  // namespace

void validate(const Command& command) { std::visit(Validator{}, command); }

}  // namespace tinta::cli
