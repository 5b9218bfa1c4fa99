#include "tinta/config/run_summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "tinta/config/config.h"
#include "tinta/config/run_folder.h"
#include "tinta/config/run_log.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"

namespace tinta::config {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr int kDeepest = 4;

void collect(const fs::path& folder, int depth, std::vector<fs::path>& runs) {
  if (is_run(folder)) {
    runs.push_back(folder);
    return;
  }
  if (depth == kDeepest) return;
  std::error_code skipped;  // a folder that may not be read holds no runs for its reader
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, skipped)) {
    const bool hidden = entry.path().filename().string().starts_with(".");
    if (!hidden && !entry.is_symlink(skipped) && entry.is_directory(skipped)) {
      collect(entry.path(), depth + 1, runs);
    }
  }
}

std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code gone;  // files come and go while a run is trained
  auto entry = fs::recursive_directory_iterator(folder, gone);
  for (; !gone && entry != fs::recursive_directory_iterator(); entry.increment(gone)) {
    std::error_code missing;
    if (!entry->is_regular_file(missing)) continue;
    const std::uintmax_t size = entry->file_size(missing);
    if (!missing) bytes += size;
  }
  return bytes;
}

struct Checkpoint {
  fs::path folder;
  std::uint64_t step = 0;
};

// By name; the newest bears the largest step.
std::optional<Checkpoint> newest_checkpoint(const fs::path& run) {
  const std::vector<fs::path> folders = checkpoint_folders(run);
  if (folders.empty()) return {};
  return Checkpoint{folders.back(), *step_in(folders.back().filename().string())};
}

// Null where it cannot be read or is no JSON.
json read_json(const fs::path& path) {
  try {
    return json::parse(read_text(path), nullptr, /*allow_exceptions=*/false);
  } catch (const Error&) {
    return {};
  }
}

std::optional<double> number(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return {};
  return object[key].get<double>();
}

// What is wrong with a checkpoint, as far as sizes show; "" where nothing is.
std::string checkpoint_problem(const Checkpoint& checkpoint) {
  const std::string name = checkpoint.folder.filename().string();
  const json manifest = read_json(checkpoint.folder / "manifest.json");
  if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_object()) {
    return name + ": expected a manifest.json, got none that can be read";
  }
  for (const auto& [file, entry] : manifest["files"].items()) {
    std::error_code missing;
    const std::uintmax_t size = fs::file_size(checkpoint.folder / file, missing);
    if (missing) return name + "/" + file + ": expected a file, got none";
    const auto wanted = number(entry, "bytes");
    if (!wanted || static_cast<double>(size) != *wanted) {
      return name + "/" + file + ": expected as many bytes as the manifest says, got " +
             std::to_string(size);
    }
  }
  return "";
}

// The share of its budget that a checkpoint has spent.
std::optional<double> share_of(const fs::path& run, const std::optional<Checkpoint>& checkpoint) {
  const json budget = read_json(run / "budget.json");
  if (!budget.is_object()) return {};
  if (!checkpoint) return 0;
  const json state = read_json(checkpoint->folder / "state.json");
  const json clock = read_json(checkpoint->folder / "clock.json");
  double share = 0;
  const auto count = [&](const char* key, const json& spent) {
    const auto whole = number(budget, key), done = number(spent, key);
    if (whole && done && *whole > 0) share = std::max(share, *done / *whole);
  };
  count("steps", {{"steps", checkpoint->step}});
  count("images", state);
  count("seconds", clock);
  return std::min(share, 1.0);
}

std::string config_problem(const fs::path& run) {
  try {
    const std::vector<std::string> broken =
        problems(parse(read_text(run / "config.toml"), (run / "config.toml").string()));
    return broken.empty() ? "" : "config.toml: " + broken.front();
  } catch (const Error& error) {
    return error.what();
  }
}

// Whether as many validations as training.patience asks for have passed since the best one.
bool patience_is_spent(const fs::path& run, const std::optional<Checkpoint>& checkpoint) {
  if (!checkpoint) return false;
  const std::int64_t patience = preset_or_file((run / "config.toml").string()).training.patience;
  if (patience <= 0 || !fs::exists(run / "validation.jsonl")) return false;
  std::optional<double> least;
  std::int64_t since = 0;
  for (const std::string& text : split(read_text(run / "validation.jsonl"), '\n')) {
    const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    const auto step = number(line, "step"), loss = number(line, "loss");
    if (!step || !loss || *step > static_cast<double>(checkpoint->step)) continue;
    since = least && *loss >= *least ? since + 1 : 0;
    least = std::min(least.value_or(*loss), *loss);
  }
  return least && since >= patience;
}

}  // namespace

std::string to_string(RunState state) {
  switch (state) {
    case RunState::running:
      return "running";
    case RunState::finished:
      return "finished";
    case RunState::stopped:
      return "stopped";
    case RunState::damaged:
      return "damaged";
  }
  return "";
}

bool is_run(const fs::path& folder) {
  std::error_code unknown;
  return fs::is_regular_file(folder / "config.toml", unknown);
}

std::vector<fs::path> find_runs(const fs::path& folder) {
  std::vector<fs::path> runs;
  collect(folder, 0, runs);
  std::ranges::sort(runs);
  return runs;
}

RunSummary summarise_run(const fs::path& run) {
  RunSummary summary{.path = run.string()};
  // Before anything else is read: one that ends meanwhile is seen as running, not as stopped short.
  const bool running = lock_held(run / ".lock");
  const std::optional<Checkpoint> checkpoint = newest_checkpoint(run);
  if (checkpoint) summary.checkpoint = checkpoint->step;
  if (const auto last = last_metrics(run)) {
    summary.step = last->step;
    summary.loss = last->loss;
    summary.images_per_second = last->images_per_second;
  }
  summary.share = share_of(run, checkpoint);
  summary.bytes = bytes_in(run);
  if (running) {
    summary.state = RunState::running;
    return summary;
  }
  summary.problem = config_problem(run);
  if (summary.problem.empty() && checkpoint) summary.problem = checkpoint_problem(*checkpoint);
  if (!summary.problem.empty()) {
    summary.state = RunState::damaged;
  } else if (summary.share == 1.0 || patience_is_spent(run, checkpoint)) {
    summary.state = RunState::finished;
  }
  return summary;
}

}  // namespace tinta::config
