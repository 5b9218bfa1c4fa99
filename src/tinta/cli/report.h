#pragma once

#include <functional>
#include <string>
#include <string_view>

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
/// @param failed called with code and text of an error before it goes to stderr; may be empty
int report_errors(const std::function<int()>& body,
                  const std::function<void(int, std::string_view)>& failed = {}) noexcept;

/// That line. @return exit_code
int complain(std::string_view message, int exit_code) noexcept;

/// Writes text to stdout and makes sure that it got there. @throws SystemError
void print(const std::string& text);

}  // namespace tinta::cli
