#include "tinta/training/rollback.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/seal.h"
#include "tinta/training/validations.h"

namespace tinta::training {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

fs::path file_of(const fs::path& run) { return run / "rollback.json"; }

/// A whole checkpoint, and what it remembers.
struct Candidate {
  CheckpointRef checkpoint;
  Skips skips;
};

/// The step of the checkpoint that is kept as the best one, however old; 0 where there is none.
std::uint64_t kept_best(const fs::path& run) {
  try {
    return best_checkpoint(run);
  } catch (const Error&) {
    return 0;
  }
}

/// Checkpoints that were saved while all was well, newest first; at most `most`. After the first of
/// them not the best one: it may be as old as the run.
std::vector<Candidate> good_checkpoints(const fs::path& run, std::size_t most) {
  const std::uint64_t best = kept_best(run);
  std::vector<Candidate> good;
  for (const CheckpointRef& checkpoint : list_checkpoints(run)) {
    if (good.size() == most) break;
    if (!good.empty() && checkpoint.step == best) continue;
    if (fault(checkpoint)) continue;
    Skips skips = load_skips(checkpoint);
    if (skips.in_row == 0) good.push_back({checkpoint, std::move(skips)});
  }
  return good;
}

/// What is passed over from `to` on: what was before, and the bad steps of `skips` with what led
/// there.
std::vector<StepRange> passed_over_from(std::uint64_t to, const Skips& skips) {
  std::uint64_t begin = skips.first_bad;
  std::vector<StepRange> ranges;
  for (const StepRange& range : skips.passed_over) {
    if (range.first < begin && range.last + 1 >= begin) {
      begin = range.first;  // the bad place goes on where the last rollback had left off
    } else {
      ranges.push_back(range);
    }
  }
  const std::uint64_t before = std::uint64_t{1} << std::min<std::uint64_t>(skips.rollbacks, 32);
  begin = std::max(to + 1, begin > before ? begin - before : 1);
  ranges.push_back({.first = begin, .last = skips.last_bad});
  std::erase_if(ranges, [to](const StepRange& range) { return range.last <= to; });
  std::ranges::sort(ranges, {}, &StepRange::first);
  return ranges;
}

Rollback read_rollback(const fs::path& run) {
  const fs::path path = file_of(run);
  const std::string text = read_text(path);
  require_seal(text, path.string());
  try {
    const auto json = nlohmann::json::parse(text);
    return {.to = json.at("to").get<std::uint64_t>(),
            .skips = skips_from(json.at("skips")),
            .seconds = json.at("seconds").get<double>()};
  } catch (const nlohmann::json::exception& error) {
    throw DataError(path.string(), std::string("expected a rollback, got ") + error.what());
  }
}

void remove_whole(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw SystemError("[" + path.string() + "] cannot remove: " + error.message());
}

/// The state that a rollback begins from, as it was saved.
TrainingState state_at(const fs::path& run, std::uint64_t step, const RunStart& start) {
  for (const CheckpointRef& checkpoint : list_checkpoints(run)) {
    if (checkpoint.step == step) return load_checkpoint(checkpoint);
  }
  if (step == 0 && start) return start();
  throw DataError(file_of(run).string(), "expected the checkpoint of step " + std::to_string(step) +
                                             ", to which the run goes back, got none");
}

}  // namespace

std::optional<Rollback> plan_rollback(const fs::path& run, const TrainingState& state,
                                      const RunStart& start) {
  const Skips& now = state.skips;
  // The newest one was gone back to before, and did not lead past the place.
  const std::vector<Candidate> good = good_checkpoints(run, now.rollbacks > 0 ? 2 : 1);
  if (good.empty() && !start) return std::nullopt;
  Rollback rollback{.to = good.empty() ? 0 : good.back().checkpoint.step,
                    .skips = good.empty() ? Skips{} : good.back().skips,
                    .seconds = state.seconds};
  rollback.skips.last_bad = now.last_bad;
  rollback.skips.rollbacks = now.rollbacks + 1;
  rollback.skips.passed_over = passed_over_from(rollback.to, now);
  return rollback;
}

void write_rollback(const fs::path& run, const Rollback& rollback) {
  const ordered_json json = {{"sha256", kOpenSeal},
                             {"to", rollback.to},
                             {"skips", to_json(rollback.skips)},
                             {"seconds", rollback.seconds}};
  write_file(file_of(run), sealed(json.dump(2) + "\n"), Existing::replace);
}

void finish_rollback(const fs::path& run, const RunStart& start,
                     const std::function<void(const std::string&)>& warn) {
  if (!fs::exists(file_of(run))) return;
  try {
    const Rollback rollback = read_rollback(run);
    TrainingState state = state_at(run, rollback.to, start);
    state.skips = rollback.skips;
    state.seconds = rollback.seconds;
    save_checkpoint(run, state, 0);
    for (const CheckpointRef& checkpoint : list_checkpoints(run)) {
      if (checkpoint.step > rollback.to) remove_whole(checkpoint.folder);
    }
    flush_folder(run / "checkpoints");
  } catch (const DataError& error) {
    if (warn) warn(std::string("a rollback that was begun is left out: ") + error.what());
  }
  remove_whole(file_of(run));
  flush_folder(run);
}

}  // namespace tinta::training
