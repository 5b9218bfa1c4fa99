#include "tinta/core/error.h"
#include "tinta/dist/connect.h"
#include "tinta/dist/single.h"

namespace tinta::dist {

std::unique_ptr<Connection> connect(const ConnectConfig& config) {
  if (config.seat.size > 1) {
    throw ArgumentError(
        "[processes] expected one process, as this build was made without the "
        "headers of Gloo (libgloo-dev), got " +
        std::to_string(config.seat.size));
  }
  return single_process();
}

std::vector<std::unique_ptr<Group>> groups_of_threads(int size) {
  throw ArgumentError("[processes] expected a build with Gloo for " + std::to_string(size) +
                      " ranks, got one without");
}

}  // namespace tinta::dist
