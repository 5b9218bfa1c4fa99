#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tinta/config/run_folder.h"
#include "tinta/training/metrics.h"
#include "tinta/training/test_support.h"

// For the tests of this folder only.

namespace tinta::training {

/// A run whose network answers with a NaN for some samples. Batches of 4: step n has the samples
/// 4 (n - 1) to 4 n - 1. Lines at 1, 4, 8...; checkpoints at 5, 10...
struct BadRun : TinyRun {
  using IsBad = std::function<bool(std::uint64_t sample)>;

  explicit BadRun(IsBad is_bad) {
    config.log_every = 4;
    config.checkpoint_every = 5;
    config.max_skipped = 2;
    config.max_rollbacks = 2;
    config.learning_rate = 0.05;
    hooks.sinks.log = [this](LogLevel level, const std::string& text) {
      if (level == LogLevel::warning) warnings.push_back(text);
    };
    spoil_with(std::move(is_bad));
  }

  void spoil_with(IsBad is_bad) {
    network.spoil = [is_bad = std::move(is_bad)](const at::Tensor& out, const Line& line) {
      at::Tensor spoilt = out.clone();
      const std::uint64_t first = line.last.training->first_sample;
      for (std::int64_t i = 0; i < out.size(0); ++i) {
        if (is_bad(first + static_cast<std::uint64_t>(i))) {
          spoilt.select(0, i).fill_(std::numeric_limits<float>::quiet_NaN());
        }
      }
      return spoilt;
    };
  }

  /// As a new process does in the run's folder.
  void begin_anew() {
    const auto spoil = network.spoil;
    network = Line();
    network.spoil = spoil;
    const RunStart start = [] { return TrainingState::fresh(Line().named_parameters()); };
    finish_rollback(folder.path(), start, nullptr);
    const auto newest = newest_valid(folder.path(), nullptr);
    state = newest ? load_checkpoint(*newest) : start();
    cut_metrics(folder.path(), state.step);
    hooks.start = start;
  }

  std::vector<std::string> warnings;
};

/// The samples of steps first to last.
inline BadRun::IsBad samples_of_steps(std::uint64_t first, std::uint64_t last) {
  return [=](std::uint64_t sample) { return 4 * (first - 1) <= sample && sample < 4 * last; };
}

/// Lines of metrics.jsonl without what the wall clock says.
inline std::vector<std::string> timeless_metrics(const std::filesystem::path& run) {
  std::vector<std::string> lines;
  for (auto line : metrics_of(run)) {
    for (const std::string& key : config::clock_metrics()) line.erase(key);
    lines.push_back(line.dump());
  }
  return lines;
}

}  // namespace tinta::training
