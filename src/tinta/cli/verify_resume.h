#pragma once

#include "tinta/cli/local_commands.h"
#include "tinta/config/options.h"
#include "tinta/core/sink.h"

namespace tinta::cli {

/// tinta verify-resume: trains once without a break, and again with kills (SIGKILL) at random
/// instants, each followed by a resume, as real processes of the engine; then compares what is left
/// (compare_runs.h). A share of the kills is aimed at saves. Where a run ends before all kills are
/// delivered, another one begins, and is compared as well.
///
/// JSON: {"identical", "kills", "inside_a_save", "steps", "runs", "struck": [{"run", "step",
/// "checkpoint", "inside_a_save"}], "files": [{"run", "file", "straight", "killed", "identical"}],
/// "apart", "folder"}. Exit code 1 where a run is not identical.
/// @throws ArgumentError when `out` exists; SystemError when a run fails (with its own last words),
///         or is too short to be killed that often
[[nodiscard]] Outcome verify_resume(const config::VerifyResumeOptions& options, const Sinks& sinks);

}  // namespace tinta::cli
