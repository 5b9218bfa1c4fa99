#include "tinta/cli/report.h"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "tinta/cli/interrupt.h"
#include "tinta/core/error.h"
#include "tinta/core/sink.h"

namespace tinta::cli {
namespace {

// LibTorch's errors carry a stack trace below their first line, and its word for a lack of memory
// is one of its authors': "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't
// allocate memory: you tried to allocate 512 bytes. Error code 12 (Cannot allocate memory)".
std::string in_plain_words(std::string_view text) {
  constexpr std::string_view kAllocator = "DefaultCPUAllocator:", kTried = "you tried to allocate ";
  text = text.substr(0, text.find('\n'));
  if (text.find(kAllocator) == std::string_view::npos) return std::string(text);
  const std::size_t size = text.find(kTried);
  if (size == std::string_view::npos) return "out of memory";
  text.remove_prefix(size + kTried.size());
  return "out of memory: " + std::string(text.substr(0, text.find('.'))) +
         " more were asked for; a smaller batch takes less";
}

}  // namespace

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
  } catch (const Stopped&) {
    return report("stopped before there was anything to save", kSignalBase + interrupted_by());
  } catch (const std::bad_alloc&) {
    return report("out of memory", kFailed);
  } catch (const std::exception& error) {
    return report(in_plain_words(error.what()), kFailed);
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
