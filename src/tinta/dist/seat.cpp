#include "tinta/dist/seat.h"

#include <array>
#include <charconv>
#include <limits>
#include <system_error>

#include "tinta/core/error.h"

namespace tinta::dist {
namespace {

/// How a launcher calls what it tells.
struct Launcher {
  const char* rank;
  const char* size;
  const char* local_rank;
};

constexpr std::array<Launcher, 3> kLaunchers{{
    {"RANK", "WORLD_SIZE", "LOCAL_RANK"},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
}};

std::optional<int> whole(const Variables& variables, const std::string& name, int low, int high) {
  const std::optional<std::string> text = variables(name);
  if (!text) return std::nullopt;
  int value = 0;
  const char* const end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stopped != end || value < low || value > high) {
    throw ArgumentError("[" + name + "] expected a whole number from " + std::to_string(low) +
                        " to " + std::to_string(high) + ", got " + *text);
  }
  return value;
}

Seat seat_of(const Launcher& launcher, const Variables& variables) {
  const std::optional<int> size = whole(variables, launcher.size, 1, kMostProcesses);
  if (!size || !variables(launcher.rank)) {
    const char* const there = size ? launcher.size : launcher.rank;
    const char* const missing = size ? launcher.rank : launcher.size;
    throw ArgumentError("[" + std::string(missing) + "] expected to be set with " + there +
                        ", got none; a launcher sets both, and a single process needs neither");
  }
  return {.rank = *whole(variables, launcher.rank, 0, *size - 1),
          .size = *size,
          .local_rank = whole(variables, launcher.local_rank, 0, *size - 1)};
}

/// Where the processes meet.
void add_meeting_place(Seat& seat, const Variables& variables) {
  const std::optional<std::string> address = variables("MASTER_ADDR");
  if (!address) {
    throw ArgumentError(
        "[MASTER_ADDR] expected the name or address of rank 0's machine, as there "
        "are " +
        std::to_string(seat.size) + " processes, got none");
  }
  seat.address = *address;
  seat.port = static_cast<std::uint16_t>(
      whole(variables, "MASTER_PORT", 1, std::numeric_limits<std::uint16_t>::max())
          .value_or(kDefaultPort));
  seat.store_is_launchers = variables("TORCHELASTIC_USE_AGENT_STORE") == "True";
  seat.attempt = variables("TORCHELASTIC_RESTART_COUNT").value_or("0");
}

}  // namespace

Seat seat_from(const Variables& variables) {
  for (const Launcher& launcher : kLaunchers) {
    if (!variables(launcher.rank) && !variables(launcher.size)) continue;
    Seat seat = seat_of(launcher, variables);
    if (seat.size > 1) add_meeting_place(seat, variables);
    return seat;
  }
  return {};
}

}  // namespace tinta::dist
