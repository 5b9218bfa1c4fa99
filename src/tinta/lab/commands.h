#pragma once

#include <string>

#include "tinta/config/options.h"
#include "tinta/core/sink.h"

namespace tinta::lab {

/// What a run of the laboratory says.
struct Verdict {
  std::string text;  ///< for stdout: readings and verdicts, or JSON
  bool held = true;  ///< no check failed
};

/// Runs a row, or all of them, and writes the outputs of each as it ends. JSON: a list of `name`,
/// `status` (pass, fail, skip), `checks`, `numbers`, `reading`, `files`. When `stop` answers true
/// the row in hand writes nothing.
/// @throws ArgumentError (an unknown row, an output that exists, a wrong option), DataError (a bad
///         picture), SystemError
[[nodiscard]] Verdict run_lab(const config::LabOptions& options, const Sinks& sinks,
                              const StopRequested& stop);

/// One document of what run_lab() wrote into a folder, as a PDF or one self-contained HTML page by
/// the ending of `out`. @return the path and a newline, for stdout
/// @throws ArgumentError (a folder without results, another ending), DataError, SystemError
[[nodiscard]] std::string run_report(const config::LabReportOptions& options);

}  // namespace tinta::lab
