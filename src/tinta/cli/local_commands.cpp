#include "tinta/cli/local_commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/lab_rows.h"
#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

const char* kind_of(const config::Source& source) {
  return source.pictures ? "pictures" : "points";
}

const char* origin_of(const config::Source& source) {
  return source.origin == config::Origin::drawn ? "built-in" : "files";
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

Outcome check_as_json(const config::ConfigCheckOptions& options) {
  std::vector<std::string> broken;
  try {
    broken = config::problems(config::resolved(options.preset_or_file, options.overrides));
  } catch (const ArgumentError& error) {
    broken = {error.what()};
  }
  const bool ok = broken.empty();
  return {dumped(Json{{"ok", ok}, {"problems", broken}}), ok ? 0 : 2};
}

/// The flags that a row takes beyond those that all take.
std::vector<std::string> flags_of(const config::LabRow& row) {
  using config::LabOption;
  std::vector<std::string> flags;
  for (const LabOption option : row.takes) {
    switch (option) {
      case LabOption::image:
        flags.emplace_back("--image");
        break;
      case LabOption::steps:
        flags.emplace_back("--steps");
        break;
      case LabOption::repeats:
        flags.emplace_back("--repeats");
        break;
      case LabOption::density:
        flags.emplace_back("--density");
        break;
      case LabOption::process:
        flags.emplace_back("--set");
        break;
      case LabOption::run:
        flags.emplace_back("--run");
        break;
      case LabOption::classifier:
        flags.emplace_back("--classifier");
        break;
    }
  }
  return flags;
}

}  // namespace

Outcome lab_list(const config::LabListOptions& options) {
  if (options.json) {
    Json list = Json::array();
    for (const config::LabRow& row : config::lab_rows()) {
      list.push_back({{"name", row.name},
                      {"source", row.source},
                      {"summary", row.summary},
                      {"steps", row.steps},
                      {"takes", flags_of(row)}});
    }
    return {dumped(list)};
  }
  std::string text;
  for (const config::LabRow& row : config::lab_rows()) {
    text += padded(row.name, 21) + row.summary + "\n" + std::string(21, ' ') + row.source;
    const std::vector<std::string> flags = flags_of(row);
    if (!flags.empty()) text += "; takes " + join(flags, " ");
    if (!row.steps.empty()) text += "; --steps: " + row.steps;
    text += "\n";
  }
  return {text};
}

Outcome data_list(const config::DataListOptions& options) {
  if (options.json) {
    Json list = Json::array();
    for (const config::Source& source : config::sources()) {
      list.push_back({{"name", source.name},
                      {"kind", kind_of(source)},
                      {"origin", origin_of(source)},
                      {"summary", source.summary}});
    }
    return {dumped(list)};
  }
  std::string text;
  for (const config::Source& source : config::sources()) {
    text += padded(source.name, 14) + padded(kind_of(source), 10) + padded(origin_of(source), 10) +
            source.summary + "\n";
  }
  return {text};
}

Outcome config_check(const config::ConfigCheckOptions& options) {
  if (options.json) return check_as_json(options);
  const config::RunConfig config = config::resolved(options.preset_or_file, options.overrides);
  config::require_valid(config, options.preset_or_file);
  if (options.print) return {config::to_toml(config)};
  return {options.preset_or_file + ": ok\n"};
}

}  // namespace tinta::cli
