#pragma once

#include <functional>
#include <string>

#include "tinta/cli/local_commands.h"
#include "tinta/config/options.h"

// tinta runs and tinta log: they read run folders, and need no engine.

namespace tinta::cli {

/// A table, or JSON: [{"run", "state", "problem", "step", "share", "loss", "images_per_second",
/// "bytes", "checkpoint"}, ...], null where a run does not say.
/// @throws ArgumentError when the folder that is asked for is not there
[[nodiscard]] Outcome list_runs(const config::RunsOptions& options);

/// Prints a run's metrics and log lines, in the order of their times, and with options.follow those
/// that come until the run ends or SIGINT or SIGTERM comes; the text of the outcome is "".
/// @throws ArgumentError when it is no run folder, SystemError
[[nodiscard]] Outcome show_log(const config::LogOptions& options);

}  // namespace tinta::cli
