#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace tinta::training {

/// One line of metrics.jsonl.
struct MetricsLine {
  std::uint64_t step = 0;        ///< steps done
  double loss = 0;               ///< mean since the line before; null where it is not finite
  double images_per_second = 0;  ///< since the line before, checkpoints and previews included
  double learning_rate = 0;
  double gradient_norm = 0;  ///< of the last step, before clipping; null where it is not finite or
                             ///< the step was passed over
  double weight_norm = 0;    ///< of all weights, after it
  double ema_age = 0;        ///< steps; see ema_age_at() of training/optimizer.h
  std::vector<std::optional<double>> loss_by_t{};  ///< see training/level_losses.h
  std::uint64_t images = 0;                        ///< pictures seen
  double seconds = 0;                              ///< time spent training
  std::uint64_t skipped = 0;  ///< steps so far that changed nothing (skips.h): "skipped_steps"
  double wall_time = 0;       ///< seconds since 1970
};

/// metrics.jsonl of a run, opened for appending; every write is checked.
class MetricsFile {
 public:
  /// @throws SystemError
  explicit MetricsFile(const std::filesystem::path& run);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  /// Appends one line, whole. @throws SystemError
  void append(const MetricsLine& line);
  /// Down to the disk. @throws SystemError
  void flush();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// Cuts metrics.jsonl back to the lines of steps up to `step`; a broken last line goes too.
/// @return how many others were no lines of metrics, and were left out
/// @throws SystemError
std::size_t cut_metrics(const std::filesystem::path& run, std::uint64_t step);

}  // namespace tinta::training
