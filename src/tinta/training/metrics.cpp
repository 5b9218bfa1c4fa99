#include "tinta/training/metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tinta/core/clock.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/training/lines.h"

namespace tinta::training {
namespace fs = std::filesystem;

namespace {

nlohmann::ordered_json to_json(const std::vector<std::optional<double>>& values) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::optional<double>& value : values) {
    list.push_back(value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json());
  }
  return list;
}

}  // namespace

MetricsFile::MetricsFile(const fs::path& run)
    : path_(run / "metrics.jsonl"),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw SystemError("[" + path_.string() + "] cannot open", errno);
}

MetricsFile::~MetricsFile() { ::close(descriptor_); }

void MetricsFile::append(const MetricsLine& line) {
  const nlohmann::ordered_json json = {{"step", line.step},
                                       {"loss", line.loss},
                                       {"images_per_second", line.images_per_second},
                                       {"learning_rate", line.learning_rate},
                                       {"gradient_norm", line.gradient_norm},
                                       {"weight_norm", line.weight_norm},
                                       {"ema_age", line.ema_age},
                                       {"loss_by_t", to_json(line.loss_by_t)},
                                       {"images", line.images},
                                       {"seconds", line.seconds},
                                       {"skipped_steps", line.skipped},
                                       {"time", utc_text(line.wall_time)}};
  const std::string text = json.dump() + "\n";
  const ssize_t written = ::write(descriptor_, text.data(), text.size());
  if (written < 0) throw SystemError("[" + path_.string() + "] cannot write", errno);
  if (static_cast<std::size_t>(written) != text.size()) {
    throw SystemError("[" + path_.string() + "] cannot write the whole line: is the disk full?");
  }
}

void MetricsFile::flush() {
  if (::fsync(descriptor_) != 0) throw SystemError("[" + path_.string() + "] cannot flush", errno);
}

std::size_t cut_metrics(const fs::path& run, std::uint64_t step) {
  return cut_lines(
      run / "metrics.jsonl", step, [](const std::string& line) -> std::optional<std::uint64_t> {
        const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
        if (!json.is_object() || !json.contains("step") || !json["step"].is_number_unsigned()) {
          return std::nullopt;
        }
        return json["step"].get<std::uint64_t>();
      });
}

}  // namespace tinta::training
