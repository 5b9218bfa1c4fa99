#include "tinta/dist/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "tinta/core/error.h"

namespace tinta::dist {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

std::string named(const std::string& address, std::uint16_t port) {
  return "[" + address + ":" + std::to_string(port) + "]";
}

Addresses resolve(const std::string& address, std::uint16_t port, int type) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = type;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    throw SystemError(named(address, port) + " cannot find that machine: " + gai_strerror(error));
  }
  return {found, &freeaddrinfo};
}

bool ready(int descriptor, short events, std::chrono::milliseconds patience) {
  pollfd asked{.fd = descriptor, .events = events, .revents = 0};
  return ::poll(&asked, 1, static_cast<int>(patience.count())) > 0;
}

// Small words at once, and never a wait where none is asked for.
void prepare(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

// 0, or why it failed.
int connect_within(int descriptor, const addrinfo& to, std::chrono::milliseconds patience) {
  if (::connect(descriptor, to.ai_addr, to.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!ready(descriptor, POLLOUT, patience)) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

// On IPv6, which takes IPv4 too where the machine has both.
Socket listening_on(int family, std::uint16_t& port) {
  Socket listening(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listening.open()) return listening;
  const int off = 0;
  setsockopt(listening.descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_storage name{};  // any address, any port
  name.ss_family = static_cast<sa_family_t>(family);
  socklen_t size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  auto* const generic = reinterpret_cast<sockaddr*>(&name);
  if (::bind(listening.descriptor(), generic, size) != 0 ||
      ::listen(listening.descriptor(), SOMAXCONN) != 0 ||
      ::getsockname(listening.descriptor(), generic, &size) != 0) {
    return Socket();
  }
  port = ntohs(family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                                  : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
  prepare(listening.descriptor());
  return listening;
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

int Socket::release() { return std::exchange(descriptor_, -1); }

bool Socket::write(const std::string& bytes) const {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t now = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now >= 0) {
      sent += static_cast<std::size_t>(now);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!ready(descriptor_, POLLOUT, std::chrono::milliseconds(500))) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> Socket::read() const {
  std::string all;
  std::array<char, 4096> some{};
  for (;;) {
    const ssize_t now = ::recv(descriptor_, some.data(), some.size(), 0);
    if (now > 0) {
      all.append(some.data(), static_cast<std::size_t>(now));
    } else if (now < 0 && errno == EINTR) {
      continue;
    } else if (now < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return all;
    } else {
      // What came before the end is told first.
      if (!all.empty()) return all;
      return std::nullopt;
    }
  }
}

Socket listen_anywhere(std::uint16_t& port) {
  Socket listening = listening_on(AF_INET6, port);
  if (!listening.open()) listening = listening_on(AF_INET, port);
  if (!listening.open()) throw SystemError("[processes] cannot listen on a port", errno);
  return listening;
}

Socket accept(const Socket& listening) {
  Socket peer(::accept4(listening.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
  if (peer.open()) prepare(peer.descriptor());
  return peer;
}

Socket connect_to(const std::string& address, std::uint16_t port,
                  std::chrono::milliseconds patience) {
  const Addresses addresses = resolve(address, port, SOCK_STREAM);
  int error = 0;
  for (const addrinfo* to = addresses.get(); to != nullptr; to = to->ai_next) {
    Socket socket(::socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol));
    if (!socket.open()) {
      error = errno;
      continue;
    }
    prepare(socket.descriptor());
    error = connect_within(socket.descriptor(), *to, patience);
    if (error == 0) return socket;
  }
  throw SystemError(named(address, port) + " cannot connect to rank 0", error);
}

std::string address_towards(const std::string& address, std::uint16_t port) {
  const Addresses addresses = resolve(address, port, SOCK_DGRAM);
  int error = 0;
  for (const addrinfo* to = addresses.get(); to != nullptr; to = to->ai_next) {
    const Socket socket(::socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol));
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    auto* const generic = reinterpret_cast<sockaddr*>(&name);
    // Sends nothing: the system picks the way.
    if (!socket.open() || ::connect(socket.descriptor(), to->ai_addr, to->ai_addrlen) != 0 ||
        ::getsockname(socket.descriptor(), generic, &size) != 0) {
      error = errno;
      continue;
    }
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(generic, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
      return text.data();
    }
  }
  throw SystemError(named(address, port) + " cannot find a way to that machine", error);
}

}  // namespace tinta::dist
