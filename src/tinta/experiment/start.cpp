#include "tinta/experiment/start.h"

#include <ATen/ATen.h>

#include <cstddef>

#include "tinta/core/error.h"
#include "tinta/model/init.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/rollback.h"

namespace tinta::experiment {
namespace fs = std::filesystem;

training::TrainingState start_of(const config::RunConfig& config) {
  model::UNet network(config.model);
  model::initialise(network, config.training.seed);
  return training::TrainingState::fresh(network.named_parameters(),
                                        config.training.ema_relative_widths);
}

std::string start_weights(const std::string& init_from, std::uint64_t seed, model::UNet& network,
                          const Sinks& sinks) {
  model::initialise(network, seed);
  if (init_from.empty()) return "";
  const auto newest =
      training::newest_valid(init_from, [&](const std::string& text) { sinks.warn(text); });
  if (!newest) {
    throw ArgumentError("[--init-from] expected a run with a checkpoint, got " + init_from);
  }
  try {
    training::copy_weights(training::load_weights(*newest, training::WeightsKind::ema),
                           network.named_parameters());
  } catch (const ArgumentError& error) {
    throw ArgumentError("[--init-from] expected a run of the same network, got " + init_from +
                        ": " + error.what());
  }
  return "weights from " + newest->folder.string();
}

Start resumed(const config::RunConfig& config, const fs::path& run, const Sinks& sinks) {
  const auto warn = [&](const std::string& text) { sinks.warn(text); };
  training::finish_rollback(
      run, [&] { return start_of(config); }, warn);
  if (const auto newest = training::newest_valid(run, warn)) {
    return {training::load_checkpoint(*newest),
            "going on from " + newest->folder.filename().string()};
  }
  const std::size_t damaged = training::list_checkpoints(run).size();
  if (damaged > 0) {
    throw DataError(run.string(), "expected a whole checkpoint to go on from, got " +
                                      std::to_string(damaged) +
                                      " damaged ones; --force starts over");
  }
  return {start_of(config), "no checkpoint to go on from: starting at step 0"};
}

}  // namespace tinta::experiment
