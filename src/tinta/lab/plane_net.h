#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "tinta/lab/densities.h"
#include "tinta/lab/row.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"

// Training on densities in the plane, as several rows do it.

namespace tinta::lab {

/// The process that rows in the plane learn by: T = 100 and alpha_bar_T = 0.005, so that a short
/// training sees each level often.
process::VpSchedule plane_schedule();

struct PlaneTraining {
  std::int64_t steps = 2000;
  std::int64_t batch = 512;
  double learning_rate = 3e-3;  ///< falls to zero along half a cosine
  std::uint64_t seed = 0;       ///< of data, times and noise
  at::Tensor data{};            ///< [N,2] float32: draws from these; undefined: new samples always
  std::function<void(std::int64_t step, double loss)> after_step{};
};

/// Algorithm 2.2.1 of the thesis on samples of a density; leaves the averaged weights in the
/// network. Without `data` each step sees new samples: what a net gets wrong then is not for want
/// of them.
void train_on(const PlaneDensity& density, process::TrainableDenoiser& network,
              const process::VpSchedule& schedule, const PlaneTraining& training,
              const Context& context);

}  // namespace tinta::lab
