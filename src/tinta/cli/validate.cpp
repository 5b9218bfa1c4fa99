#include "tinta/cli/validate.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tinta/config/config.h"
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

/// The config of a run folder.
config::RunConfig run_config(const std::string& where, const std::string& run) {
  std::error_code failed;
  if (!fs::exists(fs::path(run) / "config.toml", failed)) {
    const std::string near = nearest(run, runs_beside(run));
    throw ArgumentError(
        "[" + where + "] expected a run folder, got " + to_text(run) +
        (near.empty() ? ", which holds no config.toml" : ": did you mean " + to_text(near) + "?"));
  }
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

struct Validator {
  void operator()(const HelpText&) const {}
  void operator()(const config::VersionOptions&) const {}
  void operator()(const config::DataListOptions&) const {}
  void operator()(const config::DataInfoOptions&) const {}
  void operator()(const config::ConfigCheckOptions&) const {}

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
    if (source != nullptr && !source->readable) {
      throw ArgumentError("[train] expected data that this version can read, got " +
                          to_text(source->name) + ", whose files it cannot");
    }
    const bool from_files = source != nullptr && source->origin == config::Origin::files;
    if (from_files && config.data.path.empty() && options.data.empty() && !options.resume) {
      throw ArgumentError("[train] expected --data DIR, as " + options.preset_or_file +
                          " learns from files (data.source = " + to_text(config.data.source) +
                          "), got none");
    }
  }

  void operator()(const config::SampleOptions& options) const {
    const config::RunConfig run = run_config("sample", options.run);
    if (options.steps) require_step("sample", "--steps", *options.steps, run);
    if (run.model.classes == 0 && (!options.classes.empty() || options.per_class > 0)) {
      throw ArgumentError("[sample] expected no --class or --per-class, as " +
                          to_text(options.run) + " is unconditional, got one");
    }
    for (const std::int64_t label : options.classes) {
      if (label >= run.model.classes) {
        throw ArgumentError("[sample] --class: expected labels from 0 to " +
                            std::to_string(run.model.classes - 1) + ", got " +
                            std::to_string(label));
      }
    }
    if (options.guidance && *options.guidance != 1 && run.model.classes == 0) {
      throw ArgumentError("[sample] --guidance: expected 1, as " + to_text(options.run) +
                          " is unconditional, got " + shortest(*options.guidance));
    }
    if (options.force) return;
    refuse_existing("sample", "--output", options.output);
    refuse_existing("sample", "--npz", options.npz);
  }

  void operator()(const config::DenoiseOptions& options) const {
    const config::RunConfig run = run_config("denoise", options.run);
    for (const std::int64_t t : options.t) require_step("denoise", "--t", t, run);
    if (options.force) return;
    refuse_existing("denoise", "--output", options.output);
    refuse_existing("denoise", "--npz", options.npz);
  }

  void operator()(const config::ModelInfoOptions& options) const {
    config::require_valid(config::resolved(options.preset_or_file, options.overrides),
                          options.preset_or_file);
  }
};

}  // namespace

void validate(const Command& command) { std::visit(Validator{}, command); }

}  // namespace tinta::cli
