#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// What can be read of a run folder without the engine.

namespace tinta::config {

/// A checkpoint's file that says when, not what: the one that two equal runs do not share.
inline constexpr const char* kClockFile = "clock.json";

/// Keys of a line of metrics.jsonl that say how fast, not what.
const std::vector<std::string>& clock_metrics();

/// "step-00010000": how checkpoints, sample grids and the like are called.
std::string step_name(std::uint64_t step);

/// The step in a checkpoint's name, "step-00010000", or nothing.
std::optional<std::uint64_t> step_in(const std::string& name);

/// Folders that bear a checkpoint's name, oldest first; nothing is said of their content.
std::vector<std::filesystem::path> checkpoint_folders(const std::filesystem::path& run);

/// Whether that process is saving, or was when it died.
bool has_unfinished_save(const std::filesystem::path& run, std::int64_t process);

/// The step of the last whole line of metrics.jsonl; 0 where there is none.
std::uint64_t last_logged_step(const std::filesystem::path& run);

}  // namespace tinta::config
