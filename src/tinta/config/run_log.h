#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// metrics.jsonl, validation.jsonl and log.jsonl of a run, read without torch, also while they grow.
// A last line without its end, and lines that are not what they should be, are passed over.

namespace tinta::config {

/// What is read of a line of metrics.jsonl; NaN where the line has no number.
struct MetricsPoint {
  std::uint64_t step = 0;
  double loss = 0;
  double images_per_second = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  double weight_norm = 0;
  double seconds = 0;
};

/// A line of metrics.jsonl; none where it is not one.
std::optional<MetricsPoint> parse_metrics(std::string_view line);

/// All of a run's, in the order of the file; none where there is no file.
std::vector<MetricsPoint> read_metrics(const std::filesystem::path& run);
std::optional<MetricsPoint> last_metrics(const std::filesystem::path& run);

/// A loss of held-out pictures.
struct ValidationPoint {
  std::uint64_t step = 0;
  double loss = 0;
  double standard_error = 0;  ///< NaN where it is not known
};

/// validation.jsonl of a run; none where there is no file.
std::vector<ValidationPoint> read_validation(const std::filesystem::path& run);

/// A line of metrics.jsonl or log.jsonl with the time that it bears.
struct RunLine {
  std::string text{};  ///< the line as it is written
  std::string time{};  ///< "2026-05-04T12:30:59.125Z"; "" where it bears none
};

/// Follows a file of lines that grows. One that was cut back and grows anew, as a resumed run's
/// metrics do, gives the lines that it has not given before.
class LineReader {
 public:
  explicit LineReader(std::filesystem::path path) : path_(std::move(path)) {}
  /// Whole lines that are JSON objects and have come since the last call.
  std::vector<RunLine> next();

 private:
  std::filesystem::path path_;
  std::vector<std::string> seen_{};
  std::uintmax_t size_ = 0;
  std::filesystem::file_time_type changed_{};
};

/// Lines of both files in the order of their times, those of log.jsonl first where they are equal.
std::vector<RunLine> merged(std::vector<RunLine> log, std::vector<RunLine> metrics);

}  // namespace tinta::config
