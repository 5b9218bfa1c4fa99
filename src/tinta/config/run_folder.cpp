#include "tinta/config/run_folder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"

namespace tinta::config {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  // Whoever trains may remove an entry in between.
  while (!error && at != fs::directory_iterator()) {
    entries.push_back(at->path());
    at.increment(error);
  }
  return entries;
}

}  // namespace

const std::vector<std::string>& clock_metrics() {
  static const std::vector<std::string> names = {"images_per_second", "seconds", "time"};
  return names;
}

std::string step_name(std::uint64_t step) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "step-%08llu", static_cast<unsigned long long>(step));
  return name.data();
}

std::optional<std::uint64_t> step_in(const std::string& name) {
  constexpr std::string_view kPrefix = "step-";
  if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + 8 || name.size() > 24) return {};
  std::uint64_t step = 0;
  for (const char c : name.substr(kPrefix.size())) {
    if (c < '0' || c > '9') return {};
    step = step * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return step;
}

std::vector<fs::path> checkpoint_folders(const fs::path& run) {
  std::vector<fs::path> folders = entries_of(run / "checkpoints");
  std::erase_if(folders, [](const fs::path& path) { return !step_in(path.filename().string()); });
  std::ranges::sort(folders, {},
                    [](const fs::path& path) { return *step_in(path.filename().string()); });
  return folders;
}

bool has_unfinished_save(const fs::path& run, std::int64_t process) {
  const std::string id = std::to_string(process);
  return std::ranges::any_of(entries_of(run / "checkpoints"), [&](const fs::path& path) {
    // ".tmp-step-00010000-ID", and "-old" after it
    const std::vector<std::string> parts = split(path.filename().string(), '-');
    return parts.size() >= 4 && parts[0] == ".tmp" && parts[3] == id;
  });
}

std::uint64_t last_logged_step(const fs::path& run) {
  std::string text;
  try {
    text = read_text(run / "metrics.jsonl");
  } catch (const SystemError&) {
    return 0;  // not there yet
  }
  std::vector<std::string> lines = split(text, '\n');
  for (; !lines.empty(); lines.pop_back()) {
    const auto json = nlohmann::json::parse(lines.back(), nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("step") && json["step"].is_number_unsigned()) {
      return json["step"].get<std::uint64_t>();
    }
  }
  return 0;
}

}  // namespace tinta::config
