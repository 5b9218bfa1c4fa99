#pragma once

#include <ATen/ATen.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tinta/training/test_support.h"

// For the tests of this folder only.

namespace tinta::training {

constexpr std::array<const char*, 6> kCheckpointFiles = {
    "clock.json",        "ema.safetensors",       "manifest.json",
    "model.safetensors", "optimizer.safetensors", "state.json"};

/// A state of two parameters in which no two numbers are alike, by `salt`.
inline TrainingState varied_state(std::uint64_t step, std::uint64_t salt = 0,
                                  const std::vector<double>& widths = {}) {
  TrainingState state;
  std::uint32_t draws = 0;
  const auto drawn = [&](at::IntArrayRef sizes) {
    return kernels::normal(sizes,
                           {.seed = salt, .stream = Stream::test, .sample = step, .step = draws++});
  };
  for (const auto& [name, sizes] :
       {std::pair<std::string, std::vector<std::int64_t>>{"a.weight", {3, 2, 1, 2}},
        {"b.bias", {5}}}) {
    state.parameters.push_back({.name = name,
                                .master = drawn(sizes),
                                .m = drawn(sizes),
                                .v = drawn(sizes),
                                .ema = drawn(sizes)});
  }
  for (const double width : widths) {
    state.relative_widths.push_back(width);
    for (ParameterState& p : state.parameters) p.tracked.push_back(drawn(p.master.sizes()));
  }
  state.step = step;
  state.images = 4 * step;
  state.loss_sum = 0.1 * static_cast<double>(step + salt) + 0.2;
  state.loss_count = 3;
  for (std::size_t bin = 0; bin < LevelLosses::kBins; ++bin) {
    state.level_losses.sums.at(bin) = 0.1 * static_cast<double>(bin + step + salt);
    state.level_losses.counts.at(bin) = bin;
  }
  state.seconds = 10.5;
  return state;
}

inline CheckpointRef saved(const RunFolder& run, std::uint64_t step) {
  return save_checkpoint(run.path(), varied_state(step), 0);
}

/// Flips one bit of a file, in place; twice restores it.
inline void flip(const std::filesystem::path& path, std::size_t byte, unsigned bit) {
  std::vector<std::byte> bytes = read_bytes(path);
  bytes.at(byte) ^= static_cast<std::byte>(1u << bit);
  write_file_checked(path, bytes);
}

/// What became of a child process that may write no file past a size, as on a full disk.
struct LimitedChild {
  int exit_status = -1;  ///< -1 when it was killed
  int signal = 0;        ///< that killed it
};

enum class PastLimit { error, kill };

/// Runs `body` in a child process where a write past `bytes` fails, or kills the process there.
/// The child has none of its parent's OpenMP threads, so `body` must not wait for them: what it
/// saves is drawn before.
inline LimitedChild with_file_limit(std::uint64_t bytes, PastLimit past,
                                    const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    ::signal(SIGXFSZ, past == PastLimit::kill ? SIG_DFL : SIG_IGN);
    if (::setrlimit(RLIMIT_CORE, &no_core) != 0 || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) {
      ::_exit(98);
    }
    try {
      ::_exit(body());
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) return {.exit_status = WEXITSTATUS(status)};
  return {.signal = WTERMSIG(status)};
}

}  // namespace tinta::training
