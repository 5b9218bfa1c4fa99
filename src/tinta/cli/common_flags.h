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

/// --weights, --checkpoint
void add_checkpoint(Flags& flags, config::Weights& weights,
                    std::optional<std::int64_t>& checkpoint);

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
