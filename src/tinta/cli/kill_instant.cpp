#include "tinta/cli/kill_instant.h"

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "tinta/config/run_folder.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"

namespace tinta::cli {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds kGlance{100};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Whether this process has taken the run's lock.
bool locked(const ChildProcess& child, const fs::path& run) {
  try {
    return read_text(run / ".lock") == std::to_string(child.id());
  } catch (const SystemError&) {
    return false;  // not there yet
  }
}

/// Whether the condition came true while the process ran.
bool wait_for(const std::function<bool()>& condition, ChildProcess& child) {
  while (child.running()) {
    if (condition()) return true;
    std::this_thread::sleep_for(kGlance);
  }
  return false;
}

}  // namespace

Pace pace_of(ChildProcess& child, const fs::path& run) {
  Pace pace;
  if (!wait_for([&] { return locked(child, run); }, child)) return pace;
  const Clock::time_point taken = Clock::now();
  if (!wait_for([&] { return config::last_logged_step(run) > 0; }, child)) return pace;
  pace.start = seconds_since(taken);
  const Clock::time_point stepping = Clock::now();
  wait_for([] { return false; }, child);
  pace.steps = seconds_since(stepping);
  return pace;
}

Instant drawn_instant(std::mt19937_64& random, const Pace& pace, std::int64_t kills) {
  const auto below = [&](double limit) {
    return std::uniform_real_distribution<double>(0, limit)(random);
  };
  constexpr double kOfASave = 0.01;  // seconds; a small network's takes about as long
  const double share = below(1);
  if (share < 0.5) return {.moment = Instant::Moment::saving, .delay = below(kOfASave)};
  if (share < 0.625) return {.moment = Instant::Moment::locked, .delay = below(pace.start)};
  return {.moment = Instant::Moment::stepping,
          .delay = below(2 * pace.steps / static_cast<double>(kills + 1))};
}

bool reached(const Instant& instant, ChildProcess& child, const fs::path& run) {
  const std::uint64_t before = config::last_logged_step(run);
  if (!wait_for([&] { return locked(child, run); }, child)) return false;
  if (instant.moment == Instant::Moment::stepping) {
    // What was logged after the last checkpoint is cut and logged again.
    const auto cut = [&] { return config::last_logged_step(run) < before; };
    const auto grown = [&] { return config::last_logged_step(run) > before; };
    if (!wait_for([&] { return cut() || grown(); }, child)) return false;
  }
  if (instant.moment == Instant::Moment::saving &&
      !wait_for([&] { return config::has_unfinished_save(run, child.id()); }, child)) {
    return false;
  }
  const Clock::time_point moment = Clock::now();
  return wait_for([&] { return seconds_since(moment) >= instant.delay; }, child);
}

}  // namespace tinta::cli
