#include "tinta/cli/verify_resume.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tinta/cli/child_process.h"
#include "tinta/cli/compare_runs.h"
#include "tinta/cli/engine.h"
#include "tinta/cli/kill_instant.h"
#include "tinta/cli/report.h"
#include "tinta/config/run_folder.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

/// A kill that came while a run was being trained.
struct Strike {
  std::int64_t run = 0;          ///< which of the killed runs, from 1
  std::uint64_t step = 0;        ///< the last one that it had logged
  std::uint64_t checkpoint = 0;  ///< step of the newest folder; 0: none
  bool inside_save = false;
};

std::string device_name(const config::Machine& machine) {
  switch (machine.device) {
    case config::Device::cpu:
      return "cpu";
    case config::Device::cuda:
      return "cuda:" + std::to_string(machine.gpu);
    case config::Device::automatic:
      break;
  }
  return "auto";
}

/// What the engine is asked for; the same for every run but for the folder.
std::vector<std::string> train_words(const config::VerifyResumeOptions& options,
                                     const fs::path& run) {
  // Often enough that many kills fall into saves, seldom enough that others do not.
  const std::int64_t every = std::max<std::int64_t>(1, options.steps / 20);
  std::vector<std::string> words = {
      "train",     options.preset_or_file,
      "--out",     run.string(),
      "--steps",   std::to_string(options.steps),
      "--device",  device_name(options.machine),
      "--threads", std::to_string(options.machine.threads),
      "--set",     "training.log_every=1",
      "--set",     "training.checkpoint_every=" + std::to_string(every)};
  if (!options.data.empty()) words.insert(words.end(), {"--data", options.data});
  for (const std::string& assignment : options.overrides) {
    words.insert(words.end(), {"--set", assignment});
  }
  return words;
}

/// The folder of all runs: the one asked for, or one that goes at the end.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& asked) : kept_(!asked.empty()) {
    if (kept_) {
      path_ = fs::absolute(asked).lexically_normal();
      if (fs::exists(path_)) {
        throw ArgumentError("[verify-resume] --out: expected a new folder, got " + asked +
                            ", which exists");
      }
      fs::create_directories(path_);
      return;
    }
    std::string pattern = (fs::temp_directory_path() / "tinta-verify-resume-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw SystemError("[" + pattern + "] cannot make a temporary folder", errno);
    }
    path_ = pattern;
  }
  ~WorkFolder() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  void keep() { kept_ = true; }
  [[nodiscard]] bool kept() const { return kept_; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  bool kept_;
};

/// A verification under way.
class Verification {
 public:
  Verification(const config::VerifyResumeOptions& options, const Sinks& sinks)
      : options_(options), sinks_(sinks), folder_(options.out), random_(options.instants) {}

  void run() {
    train_straight();
    const std::int64_t most_runs = options_.kills + 3;
    while (delivered() < options_.kills) {
      if (++runs_ > most_runs) {
        throw SystemError("[verify-resume] expected " + std::to_string(options_.kills) +
                          " kills while training, got " + std::to_string(delivered()) + " in " +
                          std::to_string(most_runs) + " runs: more --steps last longer");
      }
      train_killed();
      compare();
    }
    if (!identical()) folder_.keep();
  }

  [[nodiscard]] bool identical() const {
    return std::ranges::all_of(compared_, [](const Compared& one) { return one.file.same(); });
  }

  [[nodiscard]] std::string as_json() const {
    ordered_json struck = ordered_json::array();
    for (const Strike& strike : strikes_) {
      struck.push_back({{"run", strike.run},
                        {"step", strike.step},
                        {"checkpoint", strike.checkpoint},
                        {"inside_a_save", strike.inside_save}});
    }
    ordered_json files = ordered_json::array();
    for (const Compared& one : compared_) {
      files.push_back({{"run", one.run},
                       {"file", one.file.name},
                       {"straight", one.file.straight},
                       {"killed", one.file.killed},
                       {"identical", one.file.same()}});
    }
    const ordered_json json = {{"identical", identical()},
                               {"kills", delivered()},
                               {"inside_a_save", inside_saves()},
                               {"steps", options_.steps},
                               {"runs", runs_},
                               {"struck", struck},
                               {"files", files},
                               {"apart", apart()},
                               {"folder", folder_.kept() ? folder_.path().string() : ""}};
    return json.dump(2) + "\n";
  }

  [[nodiscard]] std::string as_text() const {
    std::string text = std::to_string(delivered()) + " kills, " + std::to_string(inside_saves()) +
                       " of them inside a save, over " + std::to_string(runs_) + " runs of " +
                       std::to_string(options_.steps) + " steps\n";
    for (const Compared& one : compared_) {
      const ComparedFile& file = one.file;
      if (file.same() && one.run > 1) continue;  // the same sums again
      text += (file.same() ? "same    " : "DIFFERS ") + one.text() + "\n";
    }
    text += identical() ? "identical: a run that is killed ends as one that is not\n"
                        : "not identical; the runs are in " + folder_.path().string() + "\n";
    return text;
  }

 private:
  struct Compared {
    std::int64_t run = 0;
    ComparedFile file{};

    [[nodiscard]] std::string text() const {
      const std::string straight = file.straight.empty() ? "missing" : file.straight;
      const std::string killed = file.killed.empty() ? "missing" : file.killed;
      if (file.same()) return straight + "  " + file.name;
      return straight + "  " + file.name + ", in run " + std::to_string(run) + " " + killed;
    }
  };

  [[nodiscard]] std::int64_t delivered() const { return std::ssize(strikes_); }

  [[nodiscard]] std::int64_t inside_saves() const {
    return std::ranges::count_if(strikes_, &Strike::inside_save);
  }

  /// What is not compared, because it tells the time.
  static std::vector<std::string> apart() {
    std::vector<std::string> names = {config::kClockFile};
    for (const std::string& key : config::clock_metrics()) names.push_back("metrics.jsonl: " + key);
    return names;
  }

  [[nodiscard]] fs::path killed_folder() const {
    return folder_.path() / ("killed-" + std::to_string(runs_));
  }
  [[nodiscard]] fs::path log_of(const fs::path& run) const { return run.string() + ".log"; }

  void tell() const {
    sinks_.report({.what = "kills",
                   .done = delivered(),
                   .total = options_.kills,
                   .detail = "run " + std::to_string(runs_)});
  }

  void train_straight() {
    sinks_.info("training " + std::to_string(options_.steps) + " steps without a break");
    const fs::path run = folder_.path() / "straight";
    ChildProcess child(engine_path(), train_words(options_, run), log_of(run));
    pace_ = pace_of(child, run);
    require_done(child.wait(), run);
  }

  /// One run, killed again and again, to its end.
  void train_killed() {
    const fs::path run = killed_folder();
    std::vector<std::string> words = train_words(options_, run);
    while (delivered() < options_.kills) {
      tell();
      ChildProcess child(engine_path(), words, log_of(run));
      if (!reached(drawn_instant(random_, pace_, options_.kills), child, run)) {
        return require_done(child.wait(), run);
      }
      child.kill();
      if (child.wait() != kSignalBase + SIGKILL) return require_done(child.wait(), run);
      strikes_.push_back(strike_of(child, run));
      if (words.back() != "--resume") words.emplace_back("--resume");
    }
    tell();
    require_done(ChildProcess(engine_path(), words, log_of(run)).wait(), run);
  }

  [[nodiscard]] Strike strike_of(const ChildProcess& child, const fs::path& run) const {
    const std::vector<fs::path> checkpoints = config::checkpoint_folders(run);
    return {.run = runs_,
            .step = config::last_logged_step(run),
            .checkpoint =
                checkpoints.empty() ? 0 : *config::step_in(checkpoints.back().filename().string()),
            .inside_save = config::has_unfinished_save(run, child.id())};
  }

  void compare() {
    for (ComparedFile& file : compare_runs(folder_.path() / "straight", killed_folder())) {
      compared_.push_back({.run = runs_, .file = std::move(file)});
    }
  }

  void require_done(int result, const fs::path& run) {
    if (result == kDone) return;
    folder_.keep();
    std::vector<std::string> said = split(read_text(log_of(run)), '\n');
    std::erase(said, "");
    throw SystemError("[verify-resume] expected a run that ends well, got exit code " +
                      std::to_string(result) + (said.empty() ? "" : "; " + said.back()));
  }

  const config::VerifyResumeOptions& options_;
  const Sinks& sinks_;
  WorkFolder folder_;
  std::mt19937_64 random_;
  Pace pace_;
  std::int64_t runs_ = 0;
  std::vector<Strike> strikes_;
  std::vector<Compared> compared_;
};

}  // namespace

Outcome verify_resume(const config::VerifyResumeOptions& options, const Sinks& sinks) {
  Verification verification(options, sinks);
  verification.run();
  return {options.json ? verification.as_json() : verification.as_text(),
          verification.identical() ? int{kDone} : int{kFailed}};
}

}  // namespace tinta::cli
