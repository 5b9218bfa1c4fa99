#pragma once

#include "tinta/lab/row.h"

namespace tinta::lab {

/// The row with another factor on the random force's amplitude, 1 being the fluctuation-dissipation
/// relation: what its checks must catch.
Result stochastic_force_by(const Context& context, double noise_factor);

}  // namespace tinta::lab
