#pragma once

#include <cstdint>
#include <string>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/experiment/machine.h"

namespace tinta::bench {

/// What a run will take, by a few timed steps.
struct Estimate {
  std::int64_t parameters = 0;
  double gflop_per_image = 0;  ///< of a training step
  std::int64_t batch = 0;      ///< the run's
  /// Pictures of the batches that were timed, the larger first; the smaller is 0 where the larger
  /// is the run's own, so that nothing was extended.
  std::int64_t timed_batch = 0, timed_smaller_batch = 0;
  double seconds_per_step = 0;
  bool by_roof = false;        ///< the timed steps, extended, would be faster than the roof
  double seconds = 0;          ///< of all steps, previews included
  double preview_seconds = 0;  ///< of these
  double mebibytes = 0;        ///< the most at once: of the process, or on a GPU of its allocator
  double checkpoint_mebibytes = 0;  ///< one checkpoint on disk
  double disk_mebibytes = 0;        ///< all that are kept at the end, and one in the writing
};

/// How the numbers were come by: "timed at the run's own batch of 32".
std::string basis(const Estimate& estimate);

/// What a straight line through two measurements says at `batch`; through one and the origin where
/// there is no second.
struct TimedBatch {
  std::int64_t batch = 0;
  double value = 0;
};
double extended(const TimedBatch& larger, const TimedBatch& smaller, std::int64_t batch);

/// Times training steps: of the run's own batch where the roof lets a step be expected within a
/// second, else of two smaller batches (the larger one of four pictures at least), through which a
/// line is laid. No step is told to be faster than the roof.
/// @param config a valid one
/// @param peak   operations per second, as convolution_peak() says; above 0
/// @throws Stopped
Estimate estimate_run(const config::RunConfig& config, const experiment::Compute& compute,
                      double peak, const Sinks& sinks, const StopRequested& stop);

}  // namespace tinta::bench
