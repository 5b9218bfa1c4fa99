#include "tinta/config/run_log.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "tinta/core/error.h"
#include "tinta/core/file.h"

namespace tinta::config {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

json parse_object(std::string_view line) {
  json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object : json();
}

double number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
}

std::optional<std::uint64_t> step_of(const json& object) {
  if (!object.is_object()) return {};
  const auto found = object.find("step");
  if (found == object.end() || !found->is_number_unsigned()) return {};
  return found->get<std::uint64_t>();
}

// The lines that have an end; none where the file cannot be read.
std::vector<std::string> whole_lines(const fs::path& path) {
  std::string text;
  try {
    text = read_text(path);
  } catch (const Error&) {
    return {};
  }
  std::vector<std::string> lines;
  std::size_t from = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', from)) {
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

}  // namespace

std::optional<MetricsPoint> parse_metrics(std::string_view line) {
  const json object = parse_object(line);
  const auto step = step_of(object);
  if (!step) return {};
  return MetricsPoint{.step = *step,
                      .loss = number(object, "loss"),
                      .images_per_second = number(object, "images_per_second"),
                      .learning_rate = number(object, "learning_rate"),
                      .gradient_norm = number(object, "gradient_norm"),
                      .weight_norm = number(object, "weight_norm"),
                      .seconds = number(object, "seconds")};
}

std::vector<MetricsPoint> read_metrics(const fs::path& run) {
  std::vector<MetricsPoint> points;
  for (const std::string& line : whole_lines(run / "metrics.jsonl")) {
    if (const auto point = parse_metrics(line)) points.push_back(*point);
  }
  return points;
}

std::optional<MetricsPoint> last_metrics(const fs::path& run) {
  const std::vector<std::string> lines = whole_lines(run / "metrics.jsonl");
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (const auto point = parse_metrics(*line)) return point;
  }
  return {};
}

std::vector<ValidationPoint> read_validation(const fs::path& run) {
  std::vector<ValidationPoint> points;
  for (const std::string& line : whole_lines(run / "validation.jsonl")) {
    const json object = parse_object(line);
    const auto step = step_of(object);
    if (!step) continue;
    points.push_back({.step = *step,
                      .loss = number(object, "loss"),
                      .standard_error = number(object, "standard_error")});
  }
  return points;
}

std::vector<RunLine> LineReader::next() {
  std::error_code absent;
  const std::uintmax_t size = fs::file_size(path_, absent);
  const fs::file_time_type changed = fs::last_write_time(path_, absent);
  if (absent || (size == size_ && changed == changed_)) return {};
  size_ = size;
  changed_ = changed;
  std::vector<std::string> lines = whole_lines(path_);
  const auto fresh = std::ranges::mismatch(lines, seen_).in1;
  std::vector<RunLine> found;
  for (auto line = fresh; line != lines.end(); ++line) {
    const json object = parse_object(*line);
    if (!object.is_object()) continue;
    const auto time = object.find("time");
    found.push_back({.text = *line,
                     .time = time != object.end() && time->is_string() ? time->get<std::string>()
                                                                       : std::string()});
  }
  seen_ = std::move(lines);
  return found;
}

std::vector<RunLine> merged(std::vector<RunLine> log, std::vector<RunLine> metrics) {
  // A line without a time belongs right after the one before it.
  for (std::vector<RunLine>* lines : {&log, &metrics}) {
    std::string last;
    for (RunLine& line : *lines) {
      if (line.time.empty()) line.time = last;
      last = line.time;
    }
  }
  std::vector<RunLine> all;
  std::ranges::merge(log, metrics, std::back_inserter(all), {}, &RunLine::time, &RunLine::time);
  return all;
}

}  // namespace tinta::config
