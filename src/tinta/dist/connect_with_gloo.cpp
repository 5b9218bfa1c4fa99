// LibTorch has it compiled in; its header is empty without this.
#define USE_C10D_GLOO

#include <ATen/ATen.h>
#include <c10/util/Logging.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/dist/connect.h"
#include "tinta/dist/cores.h"
#include "tinta/dist/nccl.h"
#include "tinta/dist/single.h"
#include "tinta/dist/socket.h"

namespace tinta::dist {
namespace {

using StorePointer = c10::intrusive_ptr<c10d::Store>;
using BackendPointer = c10::intrusive_ptr<c10d::Backend>;
using std::chrono::milliseconds;

// Who is lost is for the watch to find out (watch.h). This is for a network that fails between two
// of them alone, and far beyond what one rank may do while the others wait for it.
constexpr std::chrono::hours kPatience{6};
// How long a failed call waits for the watch, which knows better what happened, to end the process.
constexpr std::chrono::seconds kLastWord{4};

std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

/// Runs a call of c10d; what it throws becomes ours, after the watch has had its say.
template <class Call>
void carry_out(int rank, Call&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    std::this_thread::sleep_for(kLastWord);
    throw SystemError("[processes] rank " + std::to_string(rank) +
                      " cannot go on with the others: " + first_line(error));
  }
}

class Work : public Group::Pending {
 public:
  Work(int rank, c10::intrusive_ptr<c10d::Work> work) : rank_(rank), work_(std::move(work)) {}
  void wait() override {
    carry_out(rank_, [&] { work_->wait(); });
  }

 private:
  int rank_;
  c10::intrusive_ptr<c10d::Work> work_;
};

class C10dGroup : public Group {
 public:
  C10dGroup(StorePointer store, int rank, int size, const std::string& address)
      : Group(rank, size), store_(std::move(store)) {
    auto options = std::getenv("GLOO_SOCKET_IFNAME") != nullptr
                       ? c10d::ProcessGroupGloo::Options::create_default(kPatience)
                       : c10d::ProcessGroupGloo::Options::create(kPatience);
    if (options->devices.empty()) {
      // Not the address of the host's name, which often is one that no other machine can reach.
      options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
    }
    gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
        c10::make_intrusive<c10d::PrefixStore>("gloo", store_), rank, size, options);
  }

  std::unique_ptr<Pending> begin_sum(at::Tensor x) override {
    std::unique_ptr<Pending> pending;
    carry_out(rank(), [&] {
      std::vector<at::Tensor> tensors{std::move(x)};
      c10d::Backend& backend = backend_of(tensors.front());
      pending = std::make_unique<Work>(rank(), backend.allreduce(tensors));
    });
    return pending;
  }

  void broadcast(at::Tensor x) override {
    carry_out(rank(), [&] {
      std::vector<at::Tensor> tensors{std::move(x)};
      backend_of(tensors.front()).broadcast(tensors)->wait();
    });
  }

 private:
  c10d::Backend& backend_of(const at::Tensor& x) {
    if (x.is_cpu()) return *gloo_;
    if (!nccl_) {
      nccl_ = make_nccl(c10::make_intrusive<c10d::PrefixStore>("nccl", store_), rank(), size(),
                        kPatience);
    }
    return *nccl_;
  }

  StorePointer store_;
  BackendPointer gloo_;
  BackendPointer nccl_;  // made at the first tensor on a GPU
};

std::string meeting_place(const Seat& seat) {
  return seat.address + ":" + std::to_string(seat.port);
}

std::string seconds(std::chrono::seconds time) { return std::to_string(time.count()) + " s"; }

StorePointer open_store(const ConnectConfig& config) {
  const Seat& seat = config.seat;
  c10d::TCPStoreOptions options;
  options.port = seat.port;
  options.isServer = seat.rank == 0 && !seat.store_is_launchers;
  options.waitWorkers = false;
  options.timeout = config.timeout;
  try {
    auto store = c10::make_intrusive<c10d::TCPStore>(seat.address, options);
    // A launcher's store outlives the processes that it starts again.
    return c10::make_intrusive<c10d::PrefixStore>("tinta/" + seat.attempt, store);
  } catch (const std::exception& error) {
    throw SystemError("[" + meeting_place(seat) + "] " +
                      (options.isServer
                           ? "cannot serve the other ranks: "
                           : "cannot reach rank 0 within " + seconds(config.timeout) + ": ") +
                      first_line(error));
  }
}

std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

std::string text_of(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

std::string here(int rank) { return "here/" + std::to_string(rank); }

// Waits for every rank, and says who has not come.
void await_all(const ConnectConfig& config, c10d::Store& store) {
  const Seat& seat = config.seat;
  store.set(here(seat.rank), bytes_of(config.version));
  const auto end = std::chrono::steady_clock::now() + config.timeout;
  for (int rank = 0; rank < seat.size; ++rank) {
    try {
      const auto left =
          std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
      store.wait({here(rank)}, std::max(left, milliseconds(1)));
    } catch (const std::exception& error) {
      throw SystemError("[" + meeting_place(seat) + "] expected " + std::to_string(seat.size) +
                        " processes within " + seconds(config.timeout) + ", got no rank " +
                        std::to_string(rank) + ": " + first_line(error));
    }
    const std::string version = text_of(store.get(here(rank)));
    if (version != config.version) {
      throw SystemError("[" + meeting_place(seat) + "] expected " + config.version +
                        " on every rank, got " + version + " on rank " + std::to_string(rank));
    }
  }
}

std::unique_ptr<Watch> begin_watch(const ConnectConfig& config, c10d::Store& store) {
  const Seat& seat = config.seat;
  const WatchConfig watch{
      .rank = seat.rank, .size = seat.size, .silence = config.timeout, .on_loss = config.on_loss};
  if (seat.rank == 0) {
    auto leader = listen_for_peers(watch);
    store.set("watch", bytes_of(std::to_string(leader->port())));
    return leader;
  }
  store.wait({"watch"}, config.timeout);
  const int port = std::stoi(text_of(store.get("watch")));
  return watch_leader(watch, seat.address, static_cast<std::uint16_t>(port));
}

class C10dConnection : public Connection {
 public:
  explicit C10dConnection(const ConnectConfig& config) : seat_(config.seat) {
    const StorePointer store = open_store(config);
    await_all(config, *store);
    watch_ = begin_watch(config, *store);
    carry_out(seat_.rank, [&] {
      group_.emplace(store, seat_.rank, seat_.size, address_towards(seat_.address, seat_.port));
    });
    cores_ = cores_for(group_->gather(cores_of_this_process()), seat_.rank);
  }

  Group& group() override { return *group_; }
  [[nodiscard]] int threads() const override { return cores_.threads; }
  [[nodiscard]] int local_rank() const override {
    return seat_.local_rank.value_or(cores_.local_rank);
  }
  void fail(int exit_code, const std::string& text) override { watch_->fail(exit_code, text); }
  void leave() override {
    group_->meet();
    watch_->leave();
    // Nobody closes a connection before all have heard that this is no loss.
    group_->meet();
  }

 private:
  Seat seat_;
  Cores cores_;
  std::unique_ptr<Watch> watch_;
  std::optional<C10dGroup> group_;
};

}  // namespace

std::unique_ptr<Connection> connect(const ConnectConfig& config) {
  if (config.seat.size == 1) return single_process();
  // Its warnings of every try to connect would stand above the one line that says what is wrong.
  FLAGS_caffe2_log_level = std::max(FLAGS_caffe2_log_level, 2);
  return std::make_unique<C10dConnection>(config);
}

std::vector<std::unique_ptr<Group>> groups_of_threads(int size) {
  const StorePointer store = c10::make_intrusive<c10d::HashStore>();
  std::vector<std::unique_ptr<Group>> groups(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      groups[static_cast<std::size_t>(rank)] =
          std::make_unique<C10dGroup>(store, rank, size, "127.0.0.1");
    });
  }
  for (std::thread& thread : threads) thread.join();
  return groups;
}

}  // namespace tinta::dist
