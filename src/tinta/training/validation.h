#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"
#include "tinta/dist/group.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"
#include "tinta/training/state.h"

namespace tinta::training {

/// A mean over pictures.
struct MeanLoss {
  double mean = 0;
  double standard_error = 0;  ///< of the mean; 0 where there is one picture
};

/// The loss at neighbouring noise levels.
struct ValidationBin {
  int t_low = 1;  ///< steps t_low .. t_high
  int t_high = 1;
  MeanLoss loss{};
  std::int64_t count = 0;  ///< pictures
};

/// The loss on held-out pictures.
struct Validation {
  std::uint64_t step = 0;  ///< steps of training done
  /// Over t uniform on 1..T, as the loss of training; its error over pictures alone, as the same
  /// picture is asked for in every bin.
  MeanLoss loss{};
  std::vector<ValidationBin> bins{};
};

/// What a validation needs; all kept by reference.
struct ValidationTask {
  process::TrainableDenoiser& network;  ///< its own, of which the weights are replaced
  const process::VpSchedule& schedule;
  const data::Dataset& held_out;
  const config::TrainingConfig& config;
  dist::Group& group = dist::Group::alone();  ///< each rank does some batches; all call validate()
};

/// The simple loss with the averaged weights, without dropout and with every label as it is. Steps
/// 1..T are cut into kValidationBins equal bins (T where T is less); each picture is asked once in
/// each, at a step and with noise that follow from the run's seed and the picture's place, so that
/// one validation differs from another by the weights alone. Pictures are the first
/// config.validation_images of a permutation (0: all).
/// @return the same on every rank; nothing when `stop` answered true on one
std::optional<Validation> validate(const ValidationTask& task, std::uint64_t step,
                                   const NamedTensors& averages, const Sinks& sinks = {},
                                   const StopRequested& stop = {});
inline constexpr int kValidationBins = 10;

}  // namespace tinta::training
