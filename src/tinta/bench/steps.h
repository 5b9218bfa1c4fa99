#pragma once

#include <cstdint>

#include "tinta/bench/process.h"
#include "tinta/bench/timing.h"
#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"
#include "tinta/experiment/machine.h"
#include "tinta/experiment/profile.h"
#include "tinta/experiment/run.h"

namespace tinta::bench {

/// Whole steps to measure.
struct StepTask {
  const config::RunConfig& config;
  experiment::Compute compute;
  std::int64_t batch = 0;   ///< pictures; sampling only: training takes config.training.batch
  std::int64_t steps = 10;  ///< to time, at least 1; some before and after are not timed
  std::int64_t traced = 3;  ///< at most so many after, for a profile; 0: none
  const Sinks& sinks;
  const StopRequested& stop;
};

/// What was measured of them.
struct StepMeasurement {
  experiment::PictureShape shape{};
  std::int64_t parameters = 0;
  std::int64_t batch = 0;
  /// Multiply-adds of one step's convolutions and matrix products, times two: training costs three
  /// forward passes (itself and two gradients), sampling one, or two where it is guided.
  double operations = 0;
  Spread seconds{};  ///< of one step
  double seconds_to_first_step =
      0;  ///< from the process's start to the beginning of the first step
  double seconds_of_first_step = 0;
  double peak_mebibytes = 0;
  PeakSpan peak_span = PeakSpan::steps;
  experiment::Profile
      profile{};  ///< of a few further steps; nothing in it where none was asked for
};

/// Pictures of nothing, as many as the smaller data sets have, in 64 MiB: what a step costs does
/// not depend on what they show.
data::Dataset made_up(const experiment::PictureShape& shape, std::int64_t classes);

/// Steps of `tinta train` (training::TrainingStep) on made-up pictures of the config's kind.
/// @throws ArgumentError on a bad config, Stopped when `stop` answered true
StepMeasurement measure_training(const StepTask& task);

/// Steps of `tinta sample` (experiment::generate()) with a network that has learnt nothing.
/// @throws ArgumentError on a bad config, Stopped when `stop` answered true
StepMeasurement measure_sampling(const StepTask& task);

/// Share of the roof that a step reaches: its arithmetic per second over the peak.
/// @param peak operations per second, above 0
double share_of(double operations, double seconds, double peak);

}  // namespace tinta::bench
