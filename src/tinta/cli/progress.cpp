#include "tinta/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "tinta/cli/environment.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

constexpr double kBarInterval = 0.1;   // seconds
constexpr double kLineInterval = 5.0;  // seconds

double share_of(const Progress& state) {
  if (state.total <= 0) return 0;
  return std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0);
}

/// 100% is kept for what is done.
std::string percent(const Progress& state) {
  return std::to_string(static_cast<int>(std::floor(100 * share_of(state)))) + "%";
}

std::string count(const Progress& state) {
  const std::string done = std::to_string(state.done);
  return state.total > 0 ? done + "/" + std::to_string(state.total) : done;
}

/// ", loss 0.03, 8 s left"
std::string tail(const Progress& state) {
  std::string text;
  if (!state.detail.empty()) text += ", " + state.detail;
  const bool finished = state.total > 0 && state.done >= state.total;
  if (state.seconds_left >= 0 && !finished) text += ", " + duration(state.seconds_left) + " left";
  return text;
}

std::string coloured(const std::string& text, const char* code, Colour colour) {
  return colour == Colour::ansi ? std::string("\x1b[") + code + "m" + text + "\x1b[0m" : text;
}

}  // namespace

std::string bar_line(const Progress& state, int width, Colour colour) {
  constexpr int kShortestBar = 8;
  constexpr int kLongestBar = 40;
  if (state.total <= 0)
    return log_line(state).substr(0, static_cast<std::size_t>(std::max(width, 0)));
  std::string share = percent(state);
  share.insert(0, 4 - std::min<std::size_t>(4, share.size()), ' ');
  const std::string text = share + " " + count(state) + tail(state);
  const int room = width - static_cast<int>(state.what.size() + text.size()) - 4;
  if (room < kShortestBar) {
    return log_line(state).substr(0, static_cast<std::size_t>(std::max(width, 0)));
  }
  const int length = std::min(room, kLongestBar);
  const int filled = static_cast<int>(std::floor(share_of(state) * length));
  return state.what + " [" +
         coloured(std::string(static_cast<std::size_t>(filled), '#'), "36", colour) +
         std::string(static_cast<std::size_t>(length - filled), '-') + "] " + text;
}

std::string log_line(const Progress& state) {
  std::string text = state.what + " " + count(state);
  if (state.total > 0) text += " (" + percent(state) + ")";
  return text + tail(state);
}

Screen screen_of_stderr() {
  const Environment environment = process_environment();
  Screen screen;
  const auto kind = environment("TERM");
  screen.terminal = isatty(STDERR_FILENO) != 0 && kind && *kind != "dumb";
  if (!screen.terminal) return screen;
  if (!environment("NO_COLOR")) screen.colour = Colour::ansi;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) screen.width = size.ws_col;
  return screen;
}

ProgressDisplay::ProgressDisplay(Screen screen, std::function<void(std::string_view)> write,
                                 std::function<double()> clock)
    : screen_(screen), write_(std::move(write)), clock_(std::move(clock)) {}

void ProgressDisplay::report(const Progress& state) {
  const std::scoped_lock lock(mutex_);
  const double now = clock_();
  // Not by the total, which is an estimate where a budget is one of time.
  const bool other_work = !shown_ || state.what != last_.what || state.done < last_.done;
  const bool last = state.total > 0 && state.done >= state.total;
  const bool repeated = !other_work && state.done == last_.done;
  const double interval = screen_.terminal ? kBarInterval : kLineInterval;
  if (repeated || (!other_work && !last && now - shown_at_ < interval)) return;
  if (screen_.terminal) {
    if (other_work) end_bar();
    // One column is left free: a full line would wrap on some terminals.
    write_("\r\x1b[K" + bar_line(state, screen_.width - 1, screen_.colour));
    bar_stands_ = true;
    if (last) end_bar();
  } else {
    write_(log_line(state) + "\n");
  }
  last_ = state;
  shown_ = true;
  shown_at_ = now;
}

void ProgressDisplay::log(LogLevel level, const std::string& text) {
  const std::scoped_lock lock(mutex_);
  const std::string mark =
      level == LogLevel::warning ? coloured("warning:", "33", screen_.colour) + " " : "";
  if (bar_stands_) {
    write_("\r\x1b[K" + mark + text + "\n" + bar_line(last_, screen_.width - 1, screen_.colour));
  } else {
    write_(mark + text + "\n");
  }
}

void ProgressDisplay::finish() {
  const std::scoped_lock lock(mutex_);
  end_bar();
}

void write_to_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void ProgressDisplay::end_bar() {
  if (bar_stands_) write_("\n");
  bar_stands_ = false;
}

Sinks ProgressDisplay::sinks() {
  return {.progress = [this](const Progress& state) { report(state); },
          .log = [this](LogLevel level, const std::string& text) { log(level, text); }};
}

}  // namespace tinta::cli
