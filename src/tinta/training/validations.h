#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/training/state.h"
#include "tinta/training/validation.h"

// The validations of a run, validation.jsonl: one line for each, {"step", "loss", "standard_error",
// "bins": [{"t_low", "t_high", "loss", "standard_error", "count"}]}. All that follows from them,
// the best one and when to give up, follows from this file alone, so that a resumed run goes on as
// one left alone. best.json names the best one: {"step", "loss", "standard_error", "checkpoint"}.

namespace tinta::training {

/// One validation of a run that is over.
struct ValidationLine {
  std::uint64_t step = 0;
  MeanLoss loss{};
};

/// Lines of steps up to `step`, in order; one that a kill cut short is left out.
std::vector<ValidationLine> read_validations(const std::filesystem::path& run, std::uint64_t step);

/// The least loss, the first of equal ones; nothing where there are none.
std::optional<ValidationLine> best_of(const std::vector<ValidationLine>& lines);

/// Whether patience is at its end: so many validations after the best one. @param patience 0: never
bool given_up(const std::vector<ValidationLine>& lines, std::int64_t patience);

/// Cuts validation.jsonl back to the lines of steps up to `step`, and names the best of them.
/// @return as cut_metrics() does
/// @throws SystemError
std::size_t cut_validations(const std::filesystem::path& run, std::uint64_t step);

/// The step of the checkpoint that best.json names. @throws ArgumentError where there is none,
/// DataError on a file of another form
std::uint64_t best_checkpoint(const std::filesystem::path& run);

/// What a trainer asks of its validations. Without `validate` nothing is validated, but what was
/// found best before is known.
class Validations {
 public:
  using Validate = std::function<std::optional<Validation>(std::uint64_t, const NamedTensors&)>;

  /// @param config, sinks kept by reference
  Validations(std::filesystem::path run, const config::TrainingConfig& config, const Sinks& sinks,
              Validate validate);
  ~Validations();
  Validations(const Validations&) = delete;
  Validations& operator=(const Validations&) = delete;

  /// Validates after each validate_every steps and at the run's end, once for each step; nothing is
  /// written where it was stopped. @return whether it was due
  bool run(const TrainingState& state, bool finished);
  /// Whether this step's validation is the best one, so that its checkpoint is to be saved.
  [[nodiscard]] bool best_is(std::uint64_t step) const;
  /// The step of the best one whose checkpoint exists, which best.json names.
  [[nodiscard]] std::optional<std::uint64_t> best_saved_step() const;
  [[nodiscard]] bool given_up() const { return training::given_up(lines_, config_.patience); }

  /// Before a checkpoint: lines down to the disk. @throws SystemError
  void flush();
  /// After it: best.json. @throws SystemError
  void name_best() const;

 private:
  void append(const Validation& validation);
  void tell(const Validation& validation) const;

  std::filesystem::path run_;
  const config::TrainingConfig& config_;
  const Sinks& sinks_;
  Validate validate_;
  std::vector<ValidationLine> lines_;
  int descriptor_ = -1;  // opened at the first line
};

}  // namespace tinta::training
