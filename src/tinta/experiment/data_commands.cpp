#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/core/text.h"
#include "tinta/data/doctor.h"
#include "tinta/data/download.h"
#include "tinta/experiment/commands.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

std::string dumped(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

const char* name_of(data::Severity severity) {
  return severity == data::Severity::error ? "error" : "warning";
}

ordered_json to_json(const data::Examination& examination, const std::string& path) {
  ordered_json json = {{"source", examination.source},
                       {"format", examination.format},
                       {"path", path},
                       {"ok", examination.sound()},
                       {"splits", ordered_json::array()},
                       {"findings", ordered_json::array()}};
  for (const data::SplitSummary& split : examination.splits) {
    json["splits"].push_back({{"name", split.name},
                              {"count", split.count},
                              {"readable", split.readable},
                              {"grey", split.grey},
                              {"colour", split.colour},
                              {"least_height", split.least_height},
                              {"least_width", split.least_width},
                              {"largest_height", split.largest_height},
                              {"largest_width", split.largest_width},
                              {"class_names", split.class_names},
                              {"class_counts", split.class_counts}});
  }
  for (const data::Finding& finding : examination.findings) {
    json["findings"].push_back({{"severity", name_of(finding.severity)},
                                {"kind", finding.kind},
                                {"text", finding.text},
                                {"examples", finding.examples}});
  }
  return json;
}

std::string to_text(const data::SplitSummary& split) {
  std::string text = "  " + split.name + ": " + std::to_string(split.count) + " pictures";
  if (!split.class_counts.empty()) {
    text += " in " + std::to_string(split.class_counts.size()) + " classes";
  }
  if (split.readable > 0) {
    text += ", " + std::to_string(split.grey) + " grey and " + std::to_string(split.colour) +
            " in colour, heights " + std::to_string(split.least_height) + " to " +
            std::to_string(split.largest_height) + ", widths " + std::to_string(split.least_width) +
            " to " + std::to_string(split.largest_width);
  }
  return text + "\n";
}

std::string to_text(const data::Finding& finding) {
  constexpr std::size_t kShown = 10;
  std::string text = std::string(name_of(finding.severity)) + ": " + finding.text + "\n";
  for (std::size_t i = 0; i < std::min(kShown, finding.examples.size()); ++i) {
    text += "  " + finding.examples[i] + "\n";
  }
  if (finding.examples.size() > kShown) {
    text +=
        "  and " + std::to_string(finding.examples.size() - kShown) + " more (--json has all)\n";
  }
  return text;
}

}  // namespace

Examined run_data_doctor(const config::DataDoctorOptions& options, const Sinks& sinks) {
  const data::Examination examination = data::examine(options.path, sinks);
  const bool sound = examination.sound();
  if (options.json) return {dumped(to_json(examination, options.path)), sound};
  std::string text = examination.source + " (" + examination.format + ") in " + options.path + "\n";
  for (const data::SplitSummary& split : examination.splits) text += to_text(split);
  for (const data::Finding& finding : examination.findings) text += to_text(finding);
  if (examination.findings.empty()) text += "nothing to complain of\n";
  return {text, sound};
}

std::string run_data_get(const config::DataGetOptions& options, const Sinks& sinks,
                         const StopRequested& stop) {
  const data::RemoteSet& set = data::remote_set(options.name);
  const fs::path folder = options.out.empty() ? fs::path(options.name) : fs::path(options.out);
  const std::vector<std::string>& mirrors = options.mirrors.empty() ? set.mirrors : options.mirrors;
  ordered_json files = ordered_json::array();
  std::string text;
  for (const data::RemoteFile& file : set.files) {
    const data::Fetched fetched = data::fetch(file, mirrors, folder, sinks, stop);
    if (fetched == data::Fetched::stopped) {
      return "stopped; the same command goes on where it was\n";
    }
    const std::string path = (folder / file.name).string();
    const bool there = fetched == data::Fetched::already_there;
    files.push_back({{"path", path}, {"md5", file.md5}, {"already_there", there}});
    text += path + (there ? ": already there\n" : "\n");
  }
  if (options.json)
    return dumped({{"name", set.name}, {"folder", folder.string()}, {"files", files}});
  return text + "train on it: tinta train --data " + shell_word(folder.string()) + "\n";
}

}  // namespace tinta::experiment
