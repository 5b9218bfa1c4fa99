#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tinta/cli/flags.h"
#include "tinta/config/options.h"

// Flags that several commands share.

namespace tinta::cli {

/// --device, --threads
void add_machine(Flags& flags, config::Machine& machine);

/// --dist-timeout, of commands that may run as several processes
void add_processes(Flags& flags, config::Processes& processes);

/// Where --weights, --ema and --checkpoint of a command go.
struct WeightsFlags {
  config::Weights& weights;
  std::optional<double>& ema;
  std::optional<std::int64_t>& checkpoint;
  bool& best;
};
template <class Options>
WeightsFlags weights_flags(Options& options) {
  return {options.weights, options.ema, options.checkpoint, options.best};
}

/// --weights, --ema, --checkpoint
void add_weights(Flags& flags, const WeightsFlags& into);
/// After Flags::parse(). @throws ArgumentError on an average of raw weights
void check_weights(const std::string& command, const WeightsFlags& given);

/// What to draw from a run and how: --count, --per-class, --class, --sampler and its options,
/// --seed, and the weights.
void add_sampling(Flags& flags, config::SampleOptions& options);
/// After Flags::parse(). @throws ArgumentError where options exclude each other
void check_sampling(const std::string& command, const Flags& flags, config::SampleOptions& options);

/// What --set, --precision and --seed ask of a config.
struct KeyFlags {
  std::optional<std::string> precision;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> sets;
};
void declare_keys(Flags& flags, KeyFlags& keys);

/// "key=value" in the order to apply: variables, --set, flags. After Flags::parse().
std::vector<std::string> overrides_of(const KeyFlags& keys, const Flags& flags);

}  // namespace tinta::cli
