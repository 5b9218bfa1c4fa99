#include "tinta/dist/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tinta/dist/socket.h"

namespace tinta::dist {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What is said on a connection: a letter, and for some of them a number or a text. Numbers are in
// the bytes' order of little-endian machines.
constexpr char kHello = 'H';  ///< of a peer, with its rank
constexpr char kAlive = 'A';
constexpr char kEnd = 'E';   ///< all have come to the end
constexpr char kLoss = 'L';  ///< exit code, length, text

constexpr std::size_t kNumber = 4;
constexpr std::uint32_t kLongestText = 1 << 20;

std::string number(std::uint32_t value) {
  std::string bytes;
  for (std::size_t i = 0; i < kNumber; ++i) {
    bytes += static_cast<char>((value >> (8 * i)) & 0xffU);
  }
  return bytes;
}

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kNumber; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

std::string word_of(const Loss& loss) {
  const std::string text = loss.text.substr(0, kLongestText);
  return kLoss + number(static_cast<std::uint32_t>(loss.exit_code)) +
         number(static_cast<std::uint32_t>(text.size())) + text;
}

/// One of the others, or one that has connected and not yet said who it is.
struct Peer {
  Socket socket;
  std::optional<int> rank{};
  Clock::time_point heard = Clock::now();
  std::string unread{};
  bool ended = false;  ///< has come to its end, and may close
};

std::string of(const Peer& peer) { return "rank " + std::to_string(peer.rank.value_or(-1)); }

class Watching : public Watch {
 public:
  Watching(const WatchConfig& config, Socket listening, std::uint16_t port)
      : config_(config), listening_(std::move(listening)), port_(port) {
    // Several words within the time that counts as silence.
    period_ = std::clamp(config.silence / 5, milliseconds(10), milliseconds(1000));
    if (::pipe2(wake_, O_CLOEXEC) != 0) wake_[0] = wake_[1] = -1;
  }

  ~Watching() override {
    end();
    for (const int descriptor : wake_) {
      if (descriptor >= 0) ::close(descriptor);
    }
  }

  /// @param leader the connection to rank 0, where this is another
  void begin(std::optional<Socket> leader) {
    if (leader) {
      peers_.push_back({.socket = std::move(*leader), .rank = 0});
      std::ignore =
          peers_.front().socket.write(kHello + number(static_cast<std::uint32_t>(config_.rank)));
    }
    thread_ = std::thread([this] { run(); });
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  void fail(int exit_code, const std::string& text) override {
    end();
    const Loss loss{.exit_code = exit_code,
                    .text = "rank " + std::to_string(config_.rank) + ": " + text};
    greet();  // whoever has come since is told too
    if (!lost_) tell(word_of(loss));
  }

  void leave() override {
    leaving_ = true;
    const std::lock_guard lock(mutex_);
    tell(std::string(1, kEnd));
  }

 private:
  void end() {
    ended_ = true;
    [[maybe_unused]] const auto written = ::write(wake_[1], "x", 1);
    if (thread_.joinable()) thread_.join();
  }

  void tell(const std::string& word) {
    for (const Peer& peer : peers_) {
      if (peer.socket.open() && !peer.ended) std::ignore = peer.socket.write(word);
    }
  }

  void run() {
    const Clock::time_point begun = Clock::now();
    Clock::time_point last = begun;
    while (!ended_) {
      wait();
      const std::lock_guard lock(mutex_);
      const Clock::time_point now = Clock::now();
      // This process was itself held up: what the others said meanwhile is still to be read.
      if (now - last > config_.silence / 2) forgive(now);
      if (now - last_told_ >= period_) {
        tell(std::string(1, kAlive));
        last_told_ = now;
      }
      last = now;
      greet();
      if (const std::optional<Loss> loss = listen(now)) return lose(*loss);
      if (const std::optional<Loss> loss = missing(now - begun)) return lose(*loss);
    }
  }

  void wait() {
    std::vector<pollfd> asked{{.fd = wake_[0], .events = POLLIN, .revents = 0}};
    {
      const std::lock_guard lock(mutex_);
      if (listening_.open()) {
        asked.push_back({.fd = listening_.descriptor(), .events = POLLIN, .revents = 0});
      }
      for (const Peer& peer : peers_) {
        if (peer.socket.open() && !peer.ended) {
          asked.push_back({.fd = peer.socket.descriptor(), .events = POLLIN, .revents = 0});
        }
      }
    }
    ::poll(asked.data(), asked.size(), static_cast<int>(period_.count()));
  }

  void forgive(Clock::time_point now) {
    for (Peer& peer : peers_) peer.heard = now;
  }

  // Those who have newly connected.
  void greet() {
    if (!listening_.open()) return;
    for (Socket socket = accept(listening_); socket.open(); socket = accept(listening_)) {
      peers_.push_back({.socket = std::move(socket)});
    }
  }

  std::optional<Loss> listen(Clock::time_point now) {
    for (Peer& peer : peers_) {
      if (peer.ended) continue;
      if (std::optional<Loss> loss = listen_to(peer, now)) return loss;
    }
    // Who is no peer of ours, a scanner of ports for instance, is not kept.
    std::erase_if(peers_, [](const Peer& peer) { return !peer.rank && !peer.socket.open(); });
    return std::nullopt;
  }

  std::optional<Loss> listen_to(Peer& peer, Clock::time_point now) {
    const std::optional<std::string> bytes = peer.socket.read();
    if (!bytes) {
      peer.socket = Socket();
      if (!peer.rank) return std::nullopt;
      peer.ended = true;
      if (leaving_) return std::nullopt;
      return Loss{.text = of(peer) + " ended without a word: killed, or out of memory?"};
    }
    if (!bytes->empty()) peer.heard = now;
    peer.unread += *bytes;
    if (std::optional<Loss> loss = understand(peer)) return loss;
    if (peer.ended || now - peer.heard <= config_.silence) return std::nullopt;
    if (!peer.rank) {
      peer.socket = Socket();
      return std::nullopt;
    }
    return Loss{.text = of(peer) + " has said nothing for " + seconds(config_.silence) +
                        ": stopped, or its machine or the network is down"};
  }

  // Takes whole words off what has come.
  std::optional<Loss> understand(Peer& peer) {
    std::string& text = peer.unread;
    while (!text.empty()) {
      const std::size_t length = length_of_word(text);
      if (length == 0) {  // nobody of ours says that
        peer.socket = Socket();
        text.clear();
        return std::nullopt;
      }
      if (text.size() < length) return std::nullopt;
      const std::string word = text.substr(0, length);
      text.erase(0, length);
      if (word[0] == kHello) peer.rank = static_cast<int>(number_at(word, 1));
      if (!peer.rank) continue;
      if (word[0] == kEnd) peer.ended = true;
      if (word[0] == kLoss) {
        return Loss{.exit_code = static_cast<int>(number_at(word, 1)),
                    .text = word.substr(1 + 2 * kNumber)};
      }
    }
    return std::nullopt;
  }

  // 0: no word of ours begins like this.
  static std::size_t length_of_word(const std::string& text) {
    switch (text[0]) {
      case kAlive:
      case kEnd:
        return 1;
      case kHello:
        return 1 + kNumber;
      case kLoss: {
        if (text.size() < 1 + 2 * kNumber) return 1 + 2 * kNumber;
        const std::uint32_t length = number_at(text, 1 + kNumber);
        return length > kLongestText ? 0 : 1 + 2 * kNumber + length;
      }
      default:
        return 0;
    }
  }

  // Rank 0 alone: who has not come in time.
  std::optional<Loss> missing(Clock::duration passed) const {
    if (!listening_.open() || passed <= config_.silence || leaving_) return std::nullopt;
    for (int rank = 1; rank < config_.size; ++rank) {
      const bool here =
          std::ranges::any_of(peers_, [&](const Peer& peer) { return peer.rank == rank; });
      if (!here) {
        return Loss{.text = "rank " + std::to_string(rank) + " did not come within " +
                            seconds(config_.silence)};
      }
    }
    return std::nullopt;
  }

  void lose(const Loss& loss) {
    lost_ = true;
    greet();
    if (config_.rank == 0) tell(word_of(loss));
    if (config_.on_loss) config_.on_loss(loss);
  }

  static std::string seconds(milliseconds time) {
    return std::to_string((time.count() + 500) / 1000) + " s";
  }

  WatchConfig config_;
  Socket listening_;
  std::uint16_t port_;
  milliseconds period_{};
  int wake_[2] = {-1, -1};
  std::mutex mutex_;  // of peers_
  std::vector<Peer> peers_;
  Clock::time_point last_told_{};
  std::atomic<bool> ended_ = false;
  std::atomic<bool> leaving_ = false;
  std::atomic<bool> lost_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Watch> listen_for_peers(const WatchConfig& config) {
  std::uint16_t port = 0;
  Socket listening = listen_anywhere(port);
  auto watch = std::make_unique<Watching>(config, std::move(listening), port);
  watch->begin(std::nullopt);
  return watch;
}

std::unique_ptr<Watch> watch_leader(const WatchConfig& config, const std::string& address,
                                    std::uint16_t port) {
  auto watch = std::make_unique<Watching>(config, Socket(), port);
  watch->begin(connect_to(address, port, config.silence));
  return watch;
}

}  // namespace tinta::dist
