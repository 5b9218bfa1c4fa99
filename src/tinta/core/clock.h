#pragma once

#include <string>

// The time of day, for what is written down when; nothing is computed from it.

namespace tinta {

/// Seconds since 1970, UTC.
double wall_time();

/// "2026-05-04T12:30:59.125Z": texts are in the order of their times. @param seconds since 1970
std::string utc_text(double seconds);

}  // namespace tinta
