#pragma once

#include <functional>
#include <string>

namespace tinta {

/// Where long work tells how far it is. The library never prints: a program hands these in.
struct Progress {
  std::string what{};        ///< "training", "sampling"
  long long done = 0;        ///< units of work finished
  long long total = 0;       ///< 0 when not known
  std::string detail{};      ///< "loss 0.0312, 612 img/s"
  double seconds_left = -1;  ///< negative when not known
};

enum class LogLevel { info, warning };

/// Both may be empty functions; use report() and log() below, which allow for that.
struct Sinks {
  std::function<void(const Progress&)> progress{};
  std::function<void(LogLevel, const std::string&)> log{};

  void report(const Progress& state) const {
    if (progress) progress(state);
  }
  void info(const std::string& text) const {
    if (log) log(LogLevel::info, text);
  }
  void warn(const std::string& text) const {
    if (log) log(LogLevel::warning, text);
  }
};

/// Asked between units of work, from any thread: true means finish this one, save, and return.
using StopRequested = std::function<bool()>;

/// Thrown by work that was asked to stop and has nothing to save. No error: nobody did wrong.
struct Stopped {};

}  // namespace tinta
