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
  int t_low = 1;  ///< training levels t_low .. t_high: steps, where they are the same
  int t_high = 1;
  double sigma_low = 0;  ///< s / a at t_low
  double sigma_high = 0;
  MeanLoss loss{};
  std::int64_t count = 0;  ///< pictures
};

/// The loss on held-out pictures.
struct Validation {
  std::uint64_t step = 0;  ///< steps of training done
  /// Over t uniform on 1..K, as the loss of training; its error over pictures alone, as the same
  /// picture is asked for in every bin.
  MeanLoss loss{};
  std::vector<ValidationBin> bins{};
};

/// What a validation needs; all kept by reference.
struct ValidationTask {
  process::TrainableDenoiser& network;  ///< its own, of which the weights are replaced
  const process::Schedule& schedule;
  const data::Dataset& held_out;
  const config::TrainingConfig& config;
  dist::Group& group = dist::Group::alone();  ///< each rank does some batches; all call validate()
};

/// The simple loss with the averaged weights, without dropout and with every label as it is. Levels
/// 1..K of the schedule (training_levels()) are cut into kValidationBins equal bins (K where K is
/// less); each picture is asked once in each, at a step and with noise that follow from the run's
/// seed and the picture's place, so that one validation differs from another by the weights alone.
/// Pictures are the first config.validation_images of a permutation (0: all).
/// @return the same on every rank; nothing when `stop` answered true on one
std::optional<Validation> validate(const ValidationTask& task, std::uint64_t step,
                                   const NamedTensors& averages, const Sinks& sinks = {},
                                   const StopRequested& stop = {});
inline constexpr int kValidationBins = 10;

}  // namespace tinta::training
