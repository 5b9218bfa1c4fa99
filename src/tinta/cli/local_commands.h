#pragma once

#include <string>

#include "tinta/config/options.h"

// The commands that need no engine.

namespace tinta::cli {

/// Text for stdout, and how the program ends.
struct Outcome {
  std::string text;
  int exit_code = 0;
};

/// A table, or JSON: [{"name", "kind", "origin", "summary"}, ...].
[[nodiscard]] Outcome data_list(const config::DataListOptions& options);

/// "mnist: ok", or with options.print the resolved TOML. JSON: {"ok", "problems"}, and exit code 2
/// where there are problems.
/// @throws ArgumentError with every problem, unless options.json; SystemError
[[nodiscard]] Outcome config_check(const config::ConfigCheckOptions& options);

/// A table of the laboratory's rows, or JSON: [{"name", "source", "summary", "takes"}, ...].
[[nodiscard]] Outcome lab_list(const config::LabListOptions& options);

}  // namespace tinta::cli
