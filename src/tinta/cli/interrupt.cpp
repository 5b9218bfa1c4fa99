#include "tinta/cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

#include "tinta/cli/report.h"

namespace tinta::cli {
namespace {

// What a signal handler and the program share.
std::atomic<int> caught_signal{0};
std::atomic<const char*> said{kStoppingNote};
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<const char*>::is_always_lock_free);

void on_signal(int signal) {
  int none = 0;
  if (!caught_signal.compare_exchange_strong(none, signal)) {
    // A terminal that closes may say so twice, once by the shell: nobody asks for haste by that.
    if (signal == SIGHUP) return;
    _exit(kSignalBase + signal);
  }
  const std::string_view note = said.load();
  [[maybe_unused]] const auto written = write(STDERR_FILENO, note.data(), note.size());
}

}  // namespace

void catch_interrupts(const char* note) {
  said = note;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // The terminal was closed; where nohup had this ignored, the work is meant to go on.
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
    sigaction(SIGHUP, &action, nullptr);
  }
}

int interrupted_by() noexcept { return caught_signal.load(); }

}  // namespace tinta::cli
