#include "tinta/cli/run_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

using Row = std::vector<std::string>;

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

// "-" for what is not known.
std::string number(std::optional<double> value, int digits) {
  return value && std::isfinite(*value) ? fixed(*value, digits) : "-";
}

std::string scientific(double value) {
  if (!std::isfinite(value)) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2e", value);
  return text.data();
}

// The first column to the left, all others to the right.
std::string in_columns(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    text += row.front() + std::string(widths.front() - row.front().size(), ' ');
    for (std::size_t i = 1; i < row.size(); ++i) text += "  " + right(row[i], widths[i]);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 1023.95 would be shown as 1024.0.
  for (; size >= 1023.95 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  return fixed(size, unit == 0 ? 0 : 1) + " " + kUnits.at(unit);
}

std::string run_table(const std::vector<config::RunSummary>& runs) {
  std::vector<Row> rows = {{"run", "state", "done", "step", "loss", "img/s", "size", "checkpoint"}};
  std::string problems;
  for (const config::RunSummary& run : runs) {
    const auto percent = run.share ? std::optional(std::floor(*run.share * 100)) : std::nullopt;
    rows.push_back({run.path, config::to_string(run.state),
                    percent ? fixed(*percent, 0) + "%" : "-", std::to_string(run.step),
                    number(run.loss, 4), number(run.images_per_second, 0), size_text(run.bytes),
                    run.checkpoint ? std::to_string(*run.checkpoint) : "-"});
    if (!run.problem.empty()) problems += run.path + ": " + run.problem + "\n";
  }
  return in_columns(rows) + problems;
}

std::string LogTable::row(const config::RunLine& line) {
  constexpr std::array<std::size_t, 7> kWidths = {9, 9, 8, 9, 9, 9, 13};
  const auto columns = [&](const std::array<std::string, 7>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text += ' ';
      text += right(cells.at(i), kWidths.at(i));
    }
    return text + "\n";
  };
  if (const auto point = config::parse_metrics(line.text)) {
    std::string text;
    if (!headed_) {
      text = columns({"step", "loss", "img/s", "rate", "gradient", "weights", "trained"});
    }
    headed_ = true;
    return text + columns({std::to_string(point->step), number(point->loss, 5),
                           number(point->images_per_second, 0), scientific(point->learning_rate),
                           number(point->gradient_norm, 4), number(point->weight_norm, 3),
                           std::isfinite(point->seconds) ? duration(point->seconds) : "-"});
  }
  const auto json = nlohmann::json::parse(line.text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("text") || !json["text"].is_string()) return "";
  headed_ = false;
  // Whole seconds are enough to look at.
  const std::string time = line.time.size() > 20 ? line.time.substr(0, 19) + "Z" : line.time;
  const bool warns = json.contains("level") && json["level"] == "warning";
  return time + "  " + (warns ? "warning: " : "") + json["text"].get<std::string>() + "\n";
}

}  // namespace tinta::cli
