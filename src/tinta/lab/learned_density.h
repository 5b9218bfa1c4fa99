#pragma once

#include "tinta/lab/learned_energy.h"
#include "tinta/lab/row.h"

namespace tinta::lab {

/// The noise level at which rows learned-density and stochastic-force learn: a process of one step.
process::VpSchedule one_low_noise();

/// How deep and where: the numbers of a landscape's minima. @return [minima,4] double: x, y,
/// energy, depth
at::Tensor table_of(const physics::Landscape& wells);

/// The row with another way of finding minima: what its checks must catch.
using LandscapeOf = PlaneLandscape (*)(const at::Tensor& log_density,
                                       const physics::PlaneGrid& grid);
Result learned_density_by(const Context& context, LandscapeOf landscape);

}  // namespace tinta::lab
