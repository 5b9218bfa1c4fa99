#pragma once

#include <functional>
#include <string>

namespace tinta::cli {

/// How a program ends.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kWrongUsage = 2,
  kNotFinite = 3,
  kSignalBase = 128,  ///< + 2 interrupted, + 15 terminated
};

/// Runs the body of main(): returns its exit code, or turns what it throws into one of ExitCode and
/// one "tinta: ..." line on stderr (more only for a list of problems).
int report_errors(const std::function<int()>& body) noexcept;

/// Writes text to stdout and makes sure that it got there. @throws SystemError
void print(const std::string& text);

}  // namespace tinta::cli
