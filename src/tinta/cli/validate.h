#pragma once

#include "tinta/cli/command_line.h"

namespace tinta::cli {

/// Refuses what can be refused without torch, so that a mistake costs no start of the engine:
/// presets, keys and values of configs, run folders that are none, steps and classes beyond the
/// run's, outputs that exist. What needs the data or the weights is left to the engine.
/// @throws ArgumentError, SystemError
void validate(const Command& command);

}  // namespace tinta::cli
