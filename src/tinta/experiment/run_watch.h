#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/experiment/event_log.h"
#include "tinta/experiment/preview.h"
#include "tinta/training/state.h"
#include "tinta/training/trainer.h"

namespace tinta::experiment {

/// What a run shows of itself while it trains, beside its metrics: grids of samples, and both and
/// the validations for TensorBoard.
class RunWatch {
 public:
  /// @param preview, stop kept by reference
  /// @param run           locked by the caller
  /// @param step          steps that are done
  RunWatch(const Preview& preview, const std::filesystem::path& run, std::uint64_t step,
           const StopRequested& stop);

  void draw(std::uint64_t step, const training::NamedTensors& averages);

  /// Puts itself in: preview, logged, saving, rolled_back. It outlives them.
  void join(training::TrainerHooks& hooks);

  /// Shows a validation; not one whose loss is not finite, which the run leaves out.
  void show(const training::Validation& validation);

 private:
  const Preview& preview_;
  std::filesystem::path run_;
  const StopRequested& stop_;
  std::optional<EventLog> events_;
};

}  // namespace tinta::experiment
