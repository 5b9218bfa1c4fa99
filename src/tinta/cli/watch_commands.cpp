#include "tinta/cli/watch_commands.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "tinta/cli/interrupt.h"
#include "tinta/cli/report.h"
#include "tinta/cli/run_table.h"
#include "tinta/cli/validate.h"
#include "tinta/config/run_log.h"
#include "tinta/config/run_summary.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"

namespace tinta::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFolder = "runs";

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json to_json(const config::RunSummary& run) {
  return {{"run", run.path},
          {"state", config::to_string(run.state)},
          {"problem", run.problem.empty() ? Json() : Json(run.problem)},
          {"step", run.step},
          {"share", or_null(run.share)},
          {"loss", or_null(run.loss)},
          {"images_per_second", or_null(run.images_per_second)},
          {"bytes", run.bytes},
          {"checkpoint", or_null(run.checkpoint)}};
}

// Prints what has come to both files since it was last asked.
class LogPrinter {
 public:
  explicit LogPrinter(const config::LogOptions& options)
      : json_(options.json),
        log_(fs::path(options.run) / "log.jsonl"),
        metrics_(fs::path(options.run) / "metrics.jsonl") {}

  void print_new() {
    std::string text;
    for (const config::RunLine& line : config::merged(log_.next(), metrics_.next())) {
      text += json_ ? line.text + "\n" : table_.row(line);
    }
    if (!text.empty()) print(text);
  }

 private:
  bool json_;
  config::LineReader log_, metrics_;
  LogTable table_;
};

}  // namespace

Outcome list_runs(const config::RunsOptions& options) {
  const fs::path folder = options.folder.empty() ? fs::path(kFolder) : fs::path(options.folder);
  std::error_code unknown;
  if (!options.folder.empty() && !fs::is_directory(folder, unknown)) {
    throw ArgumentError("[runs] expected a folder, got " + folder.string() +
                        (fs::exists(folder, unknown) ? ", which is none" : ", which is not there"));
  }
  std::vector<config::RunSummary> runs;
  for (const fs::path& run : config::find_runs(folder)) runs.push_back(config::summarise_run(run));
  if (options.json) {
    Json list = Json::array();
    for (const config::RunSummary& run : runs) list.push_back(to_json(run));
    return {list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
  }
  if (runs.empty()) return {"no runs in " + folder.string() + "\n"};
  return {run_table(runs)};
}

Outcome show_log(const config::LogOptions& options) {
  validate(options);
  constexpr auto kPause = std::chrono::milliseconds(200);
  if (options.follow) catch_interrupts("\n");
  const fs::path lock = fs::path(options.run) / ".lock";
  LogPrinter printer(options);
  for (;;) {
    // Asked before: what a run writes last is printed after it has ended.
    const bool running = options.follow && lock_held(lock);
    printer.print_new();
    if (!running || interrupted_by() != 0) break;
    std::this_thread::sleep_for(kPause);
  }
  const int signal = interrupted_by();
  return {"", signal == 0 ? int{kDone} : kSignalBase + signal};
}

}  // namespace tinta::cli
