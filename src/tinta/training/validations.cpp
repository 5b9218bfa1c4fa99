#include "tinta/training/validations.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tinta/config/run_folder.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/lines.h"

namespace tinta::training {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

constexpr auto kEveryStep = std::numeric_limits<std::uint64_t>::max();

fs::path lines_path(const fs::path& run) { return run / "validation.jsonl"; }
fs::path best_path(const fs::path& run) { return run / "best.json"; }

// A line as it was written, or nothing.
std::optional<ValidationLine> line_from(const std::string& text) {
  const auto json = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    return ValidationLine{.step = json.at("step").get<std::uint64_t>(),
                          .loss = {.mean = json.at("loss").get<double>(),
                                   .standard_error = json.at("standard_error").get<double>()}};
  } catch (const ordered_json::exception&) {
    return std::nullopt;
  }
}

std::string text_of(const Validation& validation) {
  ordered_json bins = ordered_json::array();
  for (const ValidationBin& bin : validation.bins) {
    bins.push_back({{"t_low", bin.t_low},
                    {"t_high", bin.t_high},
                    {"sigma_low", bin.sigma_low},
                    {"sigma_high", bin.sigma_high},
                    {"loss", bin.loss.mean},
                    {"standard_error", bin.loss.standard_error},
                    {"count", bin.count}});
  }
  const ordered_json line = {{"step", validation.step},
                             {"loss", validation.loss.mean},
                             {"standard_error", validation.loss.standard_error},
                             {"bins", std::move(bins)}};
  return line.dump() + "\n";
}

// The best of those whose checkpoint exists: a better one may have been lost with its own.
std::optional<ValidationLine> best_saved(const fs::path& run, std::vector<ValidationLine> lines) {
  const std::vector<CheckpointRef> checkpoints = list_checkpoints(run);
  std::erase_if(lines, [&](const ValidationLine& line) {
    return std::ranges::find(checkpoints, line.step, &CheckpointRef::step) == checkpoints.end();
  });
  return best_of(lines);
}

// Writes best.json, or removes it where there is none to name.
void name(const fs::path& run, const std::vector<ValidationLine>& lines) {
  const auto best = best_saved(run, lines);
  if (!best) {
    std::error_code ignored;
    fs::remove(best_path(run), ignored);
    return;
  }
  const ordered_json json = {{"step", best->step},
                             {"loss", best->loss.mean},
                             {"standard_error", best->loss.standard_error},
                             {"checkpoint", config::step_name(best->step)}};
  write_file(best_path(run), json.dump(2) + "\n", Existing::replace);
}

std::size_t place_of_best(const std::vector<ValidationLine>& lines) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].loss.mean < lines[best].loss.mean) best = i;
  }
  return best;
}

}  // namespace

std::vector<ValidationLine> read_validations(const fs::path& run, std::uint64_t step) {
  std::vector<ValidationLine> lines;
  if (!fs::exists(lines_path(run))) return lines;
  for (const std::string& text : split(read_text(lines_path(run)), '\n')) {
    const auto line = line_from(text);
    if (line && line->step <= step) lines.push_back(*line);
  }
  return lines;
}

std::optional<ValidationLine> best_of(const std::vector<ValidationLine>& lines) {
  if (lines.empty()) return std::nullopt;
  return lines[place_of_best(lines)];
}

bool given_up(const std::vector<ValidationLine>& lines, std::int64_t patience) {
  if (patience <= 0 || lines.empty()) return false;
  return lines.size() - 1 - place_of_best(lines) >= static_cast<std::size_t>(patience);
}

std::size_t cut_validations(const fs::path& run, std::uint64_t step) {
  if (!fs::exists(lines_path(run))) return 0;
  const std::size_t damaged =
      cut_lines(lines_path(run), step, [](const std::string& text) -> std::optional<std::uint64_t> {
        const auto line = line_from(text);
        return line ? std::optional(line->step) : std::nullopt;
      });
  name(run, read_validations(run, step));
  return damaged;
}

std::uint64_t best_checkpoint(const fs::path& run) {
  const fs::path path = best_path(run);
  if (!fs::exists(path)) {
    throw ArgumentError("[" + run.string() +
                        "] expected a run with a best checkpoint (training.validate_every), got no "
                        "best.json");
  }
  const auto best = line_from(read_text(path));
  if (!best) throw DataError(path.string(), "expected step, loss and standard_error, got others");
  return best->step;
}

Validations::Validations(fs::path run, const config::TrainingConfig& config, const Sinks& sinks,
                         Validate validate)
    : run_(std::move(run)),
      config_(config),
      sinks_(sinks),
      validate_(std::move(validate)),
      lines_(read_validations(run_, kEveryStep)) {}

Validations::~Validations() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Validations::run(const TrainingState& state, bool finished) {
  if (!validate_ || config_.validate_every <= 0) return false;
  const bool due = state.step % static_cast<std::uint64_t>(config_.validate_every) == 0;
  if (!due && !finished) return false;
  if (!lines_.empty() && lines_.back().step >= state.step) return false;
  const auto found = validate_(state.step, state.averages());
  if (!found) return true;
  if (std::isfinite(found->loss.mean)) {
    append(*found);
    tell(*found);
  } else {
    sinks_.warn("validation at step " + std::to_string(state.step) +
                " is left out: its loss is not finite");
  }
  return true;
}

void Validations::tell(const Validation& validation) const {
  const ValidationLine best = *best_of(lines_);
  sinks_.info("validation at step " + std::to_string(validation.step) + ": loss " +
              fixed(validation.loss.mean, 5) + " +- " + fixed(validation.loss.standard_error, 5) +
              (best.step == validation.step ? ", the best so far"
                                            : "; best " + fixed(best.loss.mean, 5) + " at step " +
                                                  std::to_string(best.step)));
  if (given_up()) {
    sinks_.info("training ends early: no better validation since step " +
                std::to_string(best.step) +
                " (training.patience = " + std::to_string(config_.patience) + ")");
  }
}

bool Validations::best_is(std::uint64_t step) const {
  return validate_ && !lines_.empty() && best_of(lines_)->step == step;
}

std::optional<std::uint64_t> Validations::best_saved_step() const {
  const auto best = best_saved(run_, lines_);
  if (!best) return std::nullopt;
  return best->step;
}

void Validations::append(const Validation& validation) {
  const fs::path path = lines_path(run_);
  if (descriptor_ < 0) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor_ < 0) throw SystemError("[" + path.string() + "] cannot open", errno);
  }
  const std::string text = text_of(validation);
  const ssize_t written = ::write(descriptor_, text.data(), text.size());
  if (written < 0) throw SystemError("[" + path.string() + "] cannot write", errno);
  if (static_cast<std::size_t>(written) != text.size()) {
    throw SystemError("[" + path.string() + "] cannot write the whole line: is the disk full?");
  }
  lines_.push_back({.step = validation.step, .loss = validation.loss});
}

void Validations::flush() {
  if (descriptor_ >= 0 && ::fsync(descriptor_) != 0) {
    throw SystemError("[" + lines_path(run_).string() + "] cannot flush", errno);
  }
}

void Validations::name_best() const {
  if (!lines_.empty()) name(run_, lines_);
}

}  // namespace tinta::training
