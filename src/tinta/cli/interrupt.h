#pragma once

namespace tinta::cli {

/// From now on the first SIGINT, SIGTERM or SIGHUP (unless it is ignored, as under nohup) is
/// remembered, for the work to come to a good end, and says so on stderr; the second ends the
/// program at once, with 128 + its number.
void catch_interrupts();

/// The signal that came, 0 when none did.
int interrupted_by() noexcept;

}  // namespace tinta::cli
