#include "tinta/cli/common_flags.h"

namespace tinta::cli {

void add_machine(Flags& flags, config::Machine& machine) {
  using config::Device;
  flags.heading("Machine");
  flags.choice<Device>({"--device", "auto, cpu or cuda", "NAME", "TINTA_DEVICE"}, machine.device,
                       {{"auto", Device::automatic}, {"cpu", Device::cpu}, {"cuda", Device::cuda}});
  flags.whole({"--threads", "CPU threads; 0: one per core", "N", "TINTA_THREADS"}, machine.threads,
              0);
}

void add_checkpoint(Flags& flags, config::Weights& weights,
                    std::optional<std::int64_t>& checkpoint) {
  using config::Weights;
  flags.choice<Weights>({"--weights", "ema (the moving average) or raw", "NAME"}, weights,
                        {{"ema", Weights::ema}, {"raw", Weights::raw}});
  flags.whole({"--checkpoint", "its step; without it the newest", "STEP"}, checkpoint, 0);
}

}  // namespace tinta::cli
