#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "tinta/core/sink.h"

namespace tinta::cli {

enum class Colour { none, ansi };

/// Progress as one line for a terminal: `training [#####-----]  50% 120/240, loss 0.03, 8 s left`.
/// The bar takes what the text leaves; where that is little there is no bar.
/// @param width columns; the line is at most that long, escapes apart
std::string bar_line(const Progress& state, int width, Colour colour);

/// Progress as a line of a log: `training 120/240 (50%), loss 0.03, 8 s left`.
std::string log_line(const Progress& state);

/// Where progress is shown.
struct Screen {
  bool terminal = false;  ///< a bar that is drawn over; else lines
  Colour colour = Colour::none;
  int width = 80;
};

/// What stderr is: a terminal or not, its width, NO_COLOR and TERM respected.
Screen screen_of_stderr();

/// Shows progress and log lines: a bar at most ten times a second on a terminal, a line at most
/// every five seconds elsewhere; the first and the last state always. Safe to call from several
/// threads.
class ProgressDisplay {
 public:
  /// @param write where text goes @param clock seconds, never falling
  ProgressDisplay(Screen screen, std::function<void(std::string_view)> write,
                  std::function<double()> clock);
  ~ProgressDisplay() { finish(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void report(const Progress& state);
  void log(LogLevel level, const std::string& text);
  /// Ends a bar that stands on the terminal.
  void finish();

  /// Sinks that lead here; the display outlives them.
  Sinks sinks();

 private:
  void end_bar();

  Screen screen_;
  std::function<void(std::string_view)> write_;
  std::function<double()> clock_;
  std::mutex mutex_;
  Progress last_;  // what was shown last
  bool shown_ = false;
  bool bar_stands_ = false;
  double shown_at_ = 0;
};

/// Writes to stderr at once.
void write_to_stderr(std::string_view text);

/// Seconds of the machine's steady clock.
double steady_seconds();

}  // namespace tinta::cli
