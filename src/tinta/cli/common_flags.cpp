#include "tinta/cli/common_flags.h"

#include <utility>

#include "tinta/config/config.h"
#include "tinta/config/names.h"
#include "tinta/core/error.h"

namespace tinta::cli {

void add_machine(Flags& flags, config::Machine& machine) {
  flags.heading("Machine");
  flags.device({"--device", "auto, cpu, cuda, or cuda:N", "NAME", "TINTA_DEVICE"}, machine);
  flags.whole({"--threads", "CPU threads; 0: one per core", "N", "TINTA_THREADS"}, machine.threads,
              0);
}

void add_processes(Flags& flags, config::Processes& processes) {
  flags.whole({"--dist-timeout", "of several processes: seconds of silence until one is given up",
               "N", "TINTA_DIST_TIMEOUT"},
              processes.timeout, 1);
}

void add_weights(Flags& flags, const WeightsFlags& into) {
  using config::Weights;
  flags.choice<Weights>({"--weights", "ema (the moving average) or raw", "NAME"}, into.weights,
                        {{"ema", Weights::ema}, {"raw", Weights::raw}});
  flags.number({"--ema", "rebuild the average of that relative width, 0.075", "WIDTH"}, into.ema,
               config::kNarrowestAverage, config::kWidestAverage);
  flags.whole_or({"--checkpoint", "its step, or best; without it the newest", "STEP"},
                 into.checkpoint, 0, "best", into.best);
}

void check_weights(const std::string& command, const WeightsFlags& given) {
  if (given.ema && given.weights == config::Weights::raw) {
    throw ArgumentError("[" + command + "] expected --ema or --weights raw, got both");
  }
}

void declare_keys(Flags& flags, KeyFlags& keys) {
  flags.texts({"--set", "change a key of the config, training.batch=64; repeatable", "KEY=VALUE"},
              keys.sets);
  flags.name({"--precision", "auto, bf16, fp16 (on a GPU) or fp32", "NAME", "TINTA_PRECISION"},
             keys.precision, config::precision_names());
  flags.seed({"--seed", "of weights, order, noise", "N", "TINTA_SEED"}, keys.seed);
}

std::vector<std::string> overrides_of(const KeyFlags& keys, const Flags& flags) {
  std::vector<std::string> variables, words;
  if (keys.precision) {
    (flags.given("--precision") ? words : variables)
        .push_back("training.precision=" + *keys.precision);
  }
  if (keys.seed) {
    (flags.given("--seed") ? words : variables)
        .push_back("training.seed=" + std::to_string(*keys.seed));
  }
  std::vector<std::string> all = std::move(variables);
  all.insert(all.end(), keys.sets.begin(), keys.sets.end());
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

}  // namespace tinta::cli
