#include "tinta/experiment/event_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tinta/core/clock.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";

// The next file's name. TensorBoard reads a folder's files in the order of their names, which by
// custom hold the time: later than every other, even where the clock was set back.
fs::path next_file(const fs::path& folder) {
  auto number = static_cast<long long>(wall_time());
  std::error_code none;  // where there is no folder yet there is no file
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    long long taken = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), taken);
    number = std::max(number, taken + 1);
  }
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "events.out.tfevents.%010lld.tinta", number);
  return folder / name.data();
}

// "loss_by_t/00-10": the bin's ends in per cent of T.
std::string level_tag(std::size_t bin, std::size_t bins) {
  std::array<char, 48> tag{};
  std::snprintf(tag.data(), tag.size(), "loss_by_t/%02zu-%02zu", 100 * bin / bins,
                100 * (bin + 1) / bins);
  return tag.data();
}

}  // namespace

EventLog::EventLog(const fs::path& run, std::uint64_t step)
    : file_(next_file(run / "tb"), wall_time(), step + 1) {}

void EventLog::add(const training::MetricsLine& line) {
  std::vector<io::EventValue> values;
  const auto scalar = [&](std::string tag, double value) {
    values.emplace_back(io::EventScalar{.tag = std::move(tag), .value = value});
  };
  scalar("loss", line.loss);
  scalar("learning_rate", line.learning_rate);
  scalar("gradient_norm", line.gradient_norm);
  scalar("skipped_steps", static_cast<double>(line.skipped));
  scalar("weight_norm", line.weight_norm);
  scalar("ema_age", line.ema_age);
  scalar("images_per_second", line.images_per_second);
  for (std::size_t bin = 0; bin < line.loss_by_t.size(); ++bin) {
    if (line.loss_by_t[bin]) scalar(level_tag(bin, line.loss_by_t.size()), *line.loss_by_t[bin]);
  }
  file_.append(line.wall_time, line.step, values);
}

void EventLog::add(const training::Validation& validation) {
  const training::MeanLoss& loss = validation.loss;
  const std::array<io::EventValue, 2> values = {
      io::EventScalar{.tag = "validation/loss", .value = loss.mean},
      io::EventScalar{.tag = "validation/standard_error", .value = loss.standard_error}};
  file_.append(wall_time(), validation.step, values);
}

void EventLog::add(std::uint64_t step, io::EventImage picture) {
  picture.tag = "samples";
  const std::array<io::EventValue, 1> values = {std::move(picture)};
  file_.append(wall_time(), step, values);
}

}  // namespace tinta::experiment
