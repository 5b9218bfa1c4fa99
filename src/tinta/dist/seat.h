#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

// Which of several processes this one is, as launchers tell by environment variables.

namespace tinta::dist {

/// The value of an environment variable; none where it is unset or empty.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

/// A process's place among those that work on one thing.
struct Seat {
  int rank = 0;                     ///< 0..size-1; 0 leads
  int size = 1;                     ///< processes
  std::optional<int> local_rank;    ///< among those of this machine; absent: nobody said
  std::string address{};            ///< where rank 0 is; "" where there is one process
  std::uint16_t port = 0;           ///< of the store by which they find each other
  bool store_is_launchers = false;  ///< torchrun serves the store; else rank 0 does
  std::string attempt = "0";        ///< how often the launcher has begun again

  friend bool operator==(const Seat&, const Seat&) = default;
};

/// The port of the store where MASTER_PORT is not set, as of LibTorch's launchers.
inline constexpr std::uint16_t kDefaultPort = 29500;
/// Far beyond any use; a number above it is a mistake.
inline constexpr int kMostProcesses = 4096;

/// Reads what the first of these launchers left that left anything:
///
/// - torchrun, or plain variables: RANK, WORLD_SIZE, LOCAL_RANK; and of torchrun
///   TORCHELASTIC_USE_AGENT_STORE, TORCHELASTIC_RESTART_COUNT
/// - Open MPI: OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, OMPI_COMM_WORLD_LOCAL_RANK
/// - MPICH, Intel MPI, PMI of Slurm: PMI_RANK, PMI_SIZE, MPI_LOCALRANKID
///
/// With more than one process MASTER_ADDR names the machine of rank 0, and MASTER_PORT the port.
/// @return a seat of one process where there is none of them
/// @throws ArgumentError naming the variable on a number that is none or out of range, on one of a
///         pair alone, and on a missing MASTER_ADDR
Seat seat_from(const Variables& variables);

}  // namespace tinta::dist
