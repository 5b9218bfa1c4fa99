#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace tinta::cli {

/// A program that runs beside this one, and dies with it.
class ChildProcess {
 public:
  /// @param words its arguments, without its own name
  /// @param log   file for what it says on stderr; what it says on stdout is dropped
  /// @throws SystemError when it cannot be started
  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& words,
               const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t id() const noexcept { return id_; }
  /// Whether it has not ended.
  bool running();
  /// Kills it, if it still runs, and waits for its end.
  void kill();
  /// Waits for its end. @return its exit code, or 128 + the number of the signal that ended it
  int wait();

 private:
  pid_t id_ = -1;
  int result_ = -1;  // -1: has not ended
};

}  // namespace tinta::cli
