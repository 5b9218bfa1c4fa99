#include "tinta/cli/report.h"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

#include "tinta/core/error.h"

namespace tinta::cli {
int complain(std::string_view message, int exit_code) noexcept {
  std::fprintf(stderr, "tinta: %.*s\n", static_cast<int>(message.size()), message.data());
  return exit_code;
}

int report_errors(const std::function<int()>& body,
                  const std::function<void(int, std::string_view)>& failed) noexcept {
  const auto report = [&](std::string_view message, int exit_code) noexcept {
    if (failed) failed(exit_code, message);
    return complain(message, exit_code);
  };
  try {
    return body();
  } catch (const ArgumentError& error) {
    return report(error.what(), kWrongUsage);
  } catch (const NonFiniteError& error) {
    return report(error.what(), kNotFinite);
  } catch (const Error& error) {
    return report(error.what(), kFailed);
  } catch (const std::bad_alloc&) {
    return report("out of memory", kFailed);
  } catch (const std::exception& error) {
    // LibTorch's errors carry a stack trace below their first line.
    const std::string_view text = error.what();
    return report(text.substr(0, text.find('\n')), kFailed);
  } catch (...) {
    return report("failed for an unknown reason", kFailed);
  }
}

void print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0)
    throw SystemError("[tinta] cannot write to stdout", errno);
}

}  // namespace tinta::cli
