#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"
#include "tinta/dist/group.h"
#include "tinta/experiment/machine.h"
#include "tinta/model/unet.h"
#include "tinta/process/schedule.h"
#include "tinta/training/state.h"
#include "tinta/training/validation.h"

namespace tinta::experiment {

/// A run's validations: the held-out pictures and a network of their own, to which the averaged
/// weights go.
class HeldOut {
 public:
  /// @param stop asked while pictures are read
  /// @throws as data::open() does, ArgumentError where no picture would be held out
  /// @param group kept by reference
  HeldOut(const config::RunConfig& config, const Compute& compute, const Sinks& sinks,
          const StopRequested& stop, dist::Group& group = dist::Group::alone());

  /// See training::validate().
  [[nodiscard]] std::optional<training::Validation> validate(std::uint64_t step,
                                                             const training::NamedTensors& averages,
                                                             const Sinks& sinks,
                                                             const StopRequested& stop) const;

 private:
  config::TrainingConfig config_;
  std::unique_ptr<process::Schedule> schedule_;
  data::Dataset pictures_;
  dist::Group& group_;
  std::shared_ptr<model::UNet> network_;
};

/// Null where a config asks for no validation.
std::unique_ptr<HeldOut> make_held_out(const config::RunConfig& config, const Compute& compute,
                                       const Sinks& sinks, const StopRequested& stop,
                                       dist::Group& group = dist::Group::alone());

}  // namespace tinta::experiment
