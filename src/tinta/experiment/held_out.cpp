#include "tinta/experiment/held_out.h"

namespace tinta::experiment {

HeldOut::HeldOut(const config::RunConfig& config, const Compute& compute, const Sinks& sinks,
                 const StopRequested& stop, dist::Group& group)
    : config_(config.training),
      schedule_(process::make_schedule(config.process)),
      pictures_(data::open(config.data, data::Split::validation, sinks, stop)),
      group_(group),
      network_(std::make_shared<model::UNet>(config.model)) {
  place(*network_, compute);
}

std::optional<training::Validation> HeldOut::validate(std::uint64_t step,
                                                      const training::NamedTensors& averages,
                                                      const Sinks& sinks,
                                                      const StopRequested& stop) const {
  return training::validate({.network = *network_,
                             .schedule = *schedule_,
                             .held_out = pictures_,
                             .config = config_,
                             .group = group_},
                            step, averages, sinks, stop);
}

std::unique_ptr<HeldOut> make_held_out(const config::RunConfig& config, const Compute& compute,
                                       const Sinks& sinks, const StopRequested& stop,
                                       dist::Group& group) {
  if (config.training.validate_every <= 0) return nullptr;
  return std::make_unique<HeldOut>(config, compute, sinks, stop, group);
}

}  // namespace tinta::experiment
