#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

// TCP, as far as the watch needs it.

namespace tinta::dist {

/// An open socket, closed at its end.
class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  ~Socket();
  Socket(Socket&& other) noexcept : descriptor_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool open() const { return descriptor_ >= 0; }
  int release();

  /// Writes all of it, waiting half a second at most; false where that fails.
  [[nodiscard]] bool write(const std::string& bytes) const;
  /// What has come, without waiting; nothing where the peer has closed or the connection failed.
  [[nodiscard]] std::optional<std::string> read() const;

 private:
  int descriptor_;
};

/// Listens on every address of this machine, on a free port. @throws SystemError
Socket listen_anywhere(std::uint16_t& port);
/// The next who connects; none waits: not open.
Socket accept(const Socket& listening);
/// @throws SystemError naming address and port
Socket connect_to(const std::string& address, std::uint16_t port,
                  std::chrono::milliseconds patience);
/// The address of this machine from which that one is reached: "10.0.0.3".
/// @throws SystemError where its name means nothing or no way leads there
std::string address_towards(const std::string& address, std::uint16_t port);

}  // namespace tinta::dist
