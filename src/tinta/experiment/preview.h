#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/dist/group.h"
#include "tinta/experiment/run.h"
#include "tinta/io/event_file.h"
#include "tinta/training/state.h"

namespace tinta::experiment {

/// Whether a run's pictures of a step are missing, as a stop came before they were drawn.
/// @param every training.sample_every @param finished the run ends with that step
bool preview_missing(const std::filesystem::path& run, std::int64_t every, std::uint64_t step,
                     bool finished);

/// Draws the same few pictures again and again as a network learns, into
/// samples/step-00010000.png of the run: same seed, same labels, the run's own
/// sampler; DDIM of 50 steps where that one takes more.
class Preview {
 public:
  /// @param run   of rank 0, which writes
  /// @param group all call draw(), and each rank draws a share; kept by reference
  Preview(const config::RunConfig& config, const PictureShape& shape, const Compute& compute,
          std::filesystem::path run, dist::Group& group = dist::Group::alone());

  /// @param averages the averaged weights
  /// @param stop     nothing is written where it answers true before the end
  /// @return what was written; none where it was stopped, and on every rank but 0
  /// @throws SystemError when the file cannot be written
  std::optional<io::EventImage> draw(std::uint64_t step, const training::NamedTensors& averages,
                                     const StopRequested& stop) const;

 private:
  config::RunConfig config_;
  PictureShape shape_;
  Compute compute_;
  std::filesystem::path run_;
  dist::Group& group_;
  std::shared_ptr<model::UNet> network_;
};

}  // namespace tinta::experiment
