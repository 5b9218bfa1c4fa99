#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace tinta::cli {

/// One file of two runs.
struct ComparedFile {
  std::string name;      ///< "model.safetensors", "metrics.jsonl", "samples/step-00000010.png"
  std::string straight;  ///< SHA-256 in the run left alone; "" where it has no such file
  std::string killed;    ///< in the other

  [[nodiscard]] bool same() const { return !straight.empty() && straight == killed; }
};

/// Every file of both runs' newest checkpoint, the lines of their metrics, and the pictures drawn
/// during training. What the wall clock says is left out: clock.json, its entry in manifest.json,
/// and of the metrics the keys of config::clock_metrics().
/// @throws SystemError / DataError naming a file that cannot be read
std::vector<ComparedFile> compare_runs(const std::filesystem::path& straight,
                                       const std::filesystem::path& killed);

}  // namespace tinta::cli
