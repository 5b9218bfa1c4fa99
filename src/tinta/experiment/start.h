#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/model/unet.h"
#include "tinta/training/state.h"

namespace tinta::experiment {

/// Where training begins, and what to tell of it.
struct Start {
  training::TrainingState state;
  std::string note;
};

/// The state that a run of that config begins with, but for one with --init-from.
training::TrainingState start_of(const config::RunConfig& config);

/// Fills a new run's network.
/// @param init_from the run whose averaged weights it takes; "": none
/// @return what to tell of it
/// @throws ArgumentError when there is no such run, or it is of another network
std::string start_weights(const std::string& init_from, std::uint64_t seed, model::UNet& network,
                          const Sinks& sinks);

/// A run's newest valid checkpoint; its first step where a kill came before there was one. Finishes
/// a rollback first. Call with the run's lock held.
/// @throws DataError when there are checkpoints, but none is whole
Start resumed(const config::RunConfig& config, const std::filesystem::path& run,
              const Sinks& sinks);

}  // namespace tinta::experiment
