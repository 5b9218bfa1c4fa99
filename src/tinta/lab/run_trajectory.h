#pragma once

#include "tinta/lab/row.h"

namespace tinta::lab {

/// Adds to a result the pictures of context.run's network on their way from x_T to x_0 (thesis
/// fig. 2.7): figure "pictures", array "pictures", a sentence of the reading and a check that the
/// last ones hold less noise than the first. Does nothing more once a stop is asked for.
/// @throws as experiment::load_run() does
void add_run_trajectory(const Context& context, Result& result);

}  // namespace tinta::lab
