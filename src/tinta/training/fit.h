#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"
#include "tinta/training/state.h"

namespace tinta::training {

/// The pictures of samples first .. first + count - 1 of a run: [count,C,H,W] float32. A pure
/// function, as data::Loader is.
using SampleSource = std::function<at::Tensor(std::uint64_t first, std::int64_t count)>;

/// A short training in memory, without a run folder: algorithm 2.2.1 of the thesis as train() does
/// it (the simple loss, AdamW, a moving average), for laboratories and tests.
struct FitTask {
  process::TrainableDenoiser& network;  ///< on the CPU
  const process::Schedule& schedule;
  const config::TrainingConfig& config;  ///< steps, batch, rates, seed; nothing is logged or saved
  SampleSource samples;
  /// Labels of the same samples, [count] int64; absent: all are of the null class.
  SampleSource labels{};
  /// Called after each step (counted from 1) with its loss.
  std::function<void(std::int64_t step, double loss)> after_step{};
  StopRequested stop{};  ///< asked before each step
};

/// Trains and leaves the averaged weights in the network (`config.ema_decay` 0: the last ones).
/// @return the state: masters, averages, step
/// @throws NonFiniteError naming the step
TrainingState fit(const FitTask& task);

}  // namespace tinta::training
