#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/data/dataset.h"
#include "tinta/lab/row.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"

namespace tinta::lab {

/// One trained model and its pictures, for the rows that measure what such a model can do.
struct DigitsModel {
  std::shared_ptr<process::TrainableDenoiser> network;  ///< float32, on the CPU
  config::RunConfig config;                             ///< as it was trained
  data::Dataset train;
  data::Dataset test;            ///< pictures that it has not seen
  std::string origin;            ///< words for a reading: what was trained, where, for how long
  std::vector<double> losses{};  ///< of each step; empty where a run was given

  [[nodiscard]] std::int64_t classes() const { return config.model.classes; }
  /// @throws ArgumentError for a run of another process than the thesis's
  [[nodiscard]] process::VpSchedule schedule() const { return process::VpSchedule(config.process); }
};

/// The config of the small model that the rows train for themselves: the preset `glyphs`, with a
/// narrower net in a quick laboratory, on the pictures of context.data, or on built-in digits.
config::RunConfig digits_config(const Context& context);

/// The run that the context names, or a small class-conditional model trained here and now
/// (algorithm 2.2.1 of the thesis, lab eq. 8, by training::fit()). Training is a function of the
/// context; its last result is kept, as two rows ask for the same model.
/// @return null when asked to stop
/// @throws ArgumentError, DataError, SystemError as load_run() and data::open() do
std::shared_ptr<const DigitsModel> digits_model(const Context& context);

/// The first `count` pictures of a set, [count,C,H,W] float32 in [-1, 1]; all where there are
/// fewer.
at::Tensor first_pictures(const data::Dataset& dataset, std::int64_t count);

}  // namespace tinta::lab
