#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/options.h"
#include "tinta/core/sink.h"
#include "tinta/dist/group.h"
#include "tinta/experiment/run.h"

namespace tinta::experiment {

/// What is to be drawn from a run, settled: the options, and the run's config where they are
/// silent.
struct Drawing {
  config::SamplingConfig sampling;
  std::vector<std::int64_t> classes;  ///< to ask for, in turn; empty for an unconditional network
  std::int64_t count = 0;
  at::Tensor labels;  ///< [count] int64; undefined for an unconditional network
};

/// @throws ArgumentError where the run cannot draw that
Drawing drawing_of(const TrainedRun& run, const config::SampleOptions& options);

/// Draws it, each rank a share. @return [count,C,H,W] uint8, on every rank; undefined when `stop`
/// answered true on one
at::Tensor draw(const TrainedRun& run, const Drawing& drawing, const config::SampleOptions& options,
                const Sinks& sinks, const StopRequested& stop, dist::Group& group);

}  // namespace tinta::experiment
