#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

// Who notices that a process is gone. What processes compute together ends in an error or waits for
// ever when one of them is lost, and cannot tell which. So beside it each process has a thread with
// a connection to rank 0's, on which all say each second that they are alive. One that was killed
// is noticed by its closed connection, at once; one that was stopped, or is cut off, by its
// silence. Rank 0 tells the others. The main threads may be busy as long as they like.

namespace tinta::dist {

/// Why a group cannot go on.
struct Loss {
  int exit_code = 1;  ///< that all end with
  std::string text;   ///< "rank 2 ended without a word: killed, or out of memory?"

  friend bool operator==(const Loss&, const Loss&) = default;
};
/// Called once, from the watch's thread.
using OnLoss = std::function<void(const Loss&)>;

struct WatchConfig {
  int rank = 0;
  int size = 1;
  std::chrono::milliseconds silence{120'000};  ///< after which a peer counts as lost
  OnLoss on_loss;
};

/// One process's end. Rank 0 is made by listen(), the others by connect() once they know where.
class Watch {
 public:
  virtual ~Watch() = default;
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// @return the port for the others' connect()
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// Tells the others why this process fails: each one's on_loss gets "rank R: TEXT". Nothing is
  /// noticed afterwards.
  virtual void fail(int exit_code, const std::string& text) = 0;
  /// The end that all have come to: connections that close are no loss from now on.
  virtual void leave() = 0;
};

/// Rank 0's. A peer that does not come within `silence` counts as lost.
/// @throws SystemError
std::unique_ptr<Watch> listen_for_peers(const WatchConfig& config);
/// The others'. @throws SystemError where rank 0 cannot be reached
std::unique_ptr<Watch> watch_leader(const WatchConfig& config, const std::string& address,
                                    std::uint16_t port);

}  // namespace tinta::dist
