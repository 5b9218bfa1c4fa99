#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tinta/dist/group.h"
#include "tinta/dist/seat.h"
#include "tinta/dist/watch.h"

namespace tinta::dist {

/// A group of processes over c10d: Gloo for tensors on the CPU, NCCL for those on a GPU.
class Connection {
 public:
  virtual ~Connection() = default;
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  virtual Group& group() = 0;
  /// Threads that are this process's where each core of a machine serves those of its processes
  /// that may use it, in equal parts; at least 1, and 0, which asks for none, where it is alone.
  [[nodiscard]] virtual int threads() const = 0;
  /// Place among the processes of this machine, from 0.
  [[nodiscard]] virtual int local_rank() const = 0;
  /// Tells the others that this process fails, and why.
  virtual void fail(int exit_code, const std::string& text) = 0;
  /// The good end: waits until all are here.
  virtual void leave() = 0;
};

struct ConnectConfig {
  Seat seat;
  std::chrono::seconds timeout{120};  ///< to meet, and of silence after which a peer counts as lost
  std::string version;                ///< must be the same everywhere
  OnLoss on_loss;                     ///< see watch.h
};

/// Meets the others. A seat of one process needs none, and is at once there.
/// @throws SystemError naming who did not come in time, or where versions differ; ArgumentError
///         with more than one process in a build without Gloo
std::unique_ptr<Connection> connect(const ConnectConfig& config);

/// Groups whose ranks are threads of this process, for tests.
std::vector<std::unique_ptr<Group>> groups_of_threads(int size);

}  // namespace tinta::dist
