#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// What a run folder says of itself, read without torch and without its weights.

namespace tinta::config {

/// running: a process trains it; finished: its budget is spent; stopped: it can be gone on with;
/// damaged: its config cannot be read, or its newest checkpoint is not what its manifest says.
enum class RunState { running, finished, stopped, damaged };

/// "running", "finished", ...
std::string to_string(RunState state);

/// A run at a glance.
struct RunSummary {
  std::string path{};
  RunState state = RunState::stopped;
  std::string problem{};                      ///< of a damaged one: what is wrong
  std::uint64_t step = 0;                     ///< of its last line of metrics; 0: none yet
  std::optional<double> share{};              ///< of its budget, 0 to 1; absent where unknown
  std::optional<double> loss{};               ///< of that line
  std::optional<double> images_per_second{};  ///< likewise
  std::uint64_t bytes = 0;                    ///< on disk, all files
  std::optional<std::uint64_t> checkpoint{};  ///< step of the newest one
};

/// Whether a folder is a run: it holds a config.toml.
bool is_run(const std::filesystem::path& folder);

/// The run folders in a folder, by path; itself, where it is one. Not looked into: runs, hidden
/// folders, links, and what lies more than four folders deep.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& folder);

/// Reads a run folder, also while it is being trained. A checkpoint's files are compared with its
/// manifest by their sizes alone. Never throws on what the files hold.
RunSummary summarise_run(const std::filesystem::path& run);

}  // namespace tinta::config
