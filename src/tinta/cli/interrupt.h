#pragma once

namespace tinta::cli {

/// What the first signal says on stderr.
inline constexpr const char* kStoppingNote =
    "\ntinta: stopping after this step; once more stops at once\n";

/// From now on the first SIGINT, SIGTERM or SIGHUP (unless it is ignored, as under nohup) is
/// remembered, for the work to come to a good end, and says so on stderr; the second ends the
/// program at once, with 128 + its number, unless it is SIGHUP: a closed terminal may send several.
/// @param note what it says; kept by pointer
void catch_interrupts(const char* note = kStoppingNote);

/// The signal that came, 0 when none did.
int interrupted_by() noexcept;

}  // namespace tinta::cli
