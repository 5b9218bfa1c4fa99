#pragma once

#include <cstdint>
#include <optional>

#include "tinta/cli/flags.h"
#include "tinta/config/options.h"

// Flags that several commands share.

namespace tinta::cli {

/// --device, --threads
void add_machine(Flags& flags, config::Machine& machine);

/// --weights, --checkpoint
void add_checkpoint(Flags& flags, config::Weights& weights,
                    std::optional<std::int64_t>& checkpoint);

}  // namespace tinta::cli
