#pragma once

#include <cstdint>
#include <filesystem>
#include <random>

#include "tinta/cli/child_process.h"

// When to kill a process that trains: at instants that a program cannot foresee, and often enough
// at the worst of them, inside a save.

namespace tinta::cli {

/// How long the parts of a run take, in seconds.
struct Pace {
  double start = 0;  ///< from taking the run's lock to the first step
  double steps = 0;  ///< all steps, with saves
};

/// Watches a run from its beginning to its end.
Pace pace_of(ChildProcess& child, const std::filesystem::path& run);

/// A moment to wait for, and how long after it to strike.
struct Instant {
  enum class Moment { locked, stepping, saving } moment = Moment::stepping;
  double delay = 0;  ///< seconds
};

/// Half of the instants lie in saves; most others anywhere in a span that lets `kills` of them
/// share a run; one in eight while the run is being read and set up.
Instant drawn_instant(std::mt19937_64& random, const Pace& pace, std::int64_t kills);

/// Waits for the instant. @return whether the process still ran then
bool reached(const Instant& instant, ChildProcess& child, const std::filesystem::path& run);

}  // namespace tinta::cli
