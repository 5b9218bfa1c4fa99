#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tinta/config/options.h"
#include "tinta/config/run_log.h"
#include "tinta/figures/figure.h"

namespace tinta::experiment {

/// What is drawn of one run.
struct LossCurve {
  std::string name;  ///< in the legend, plain text
  std::vector<config::MetricsPoint> points{};
  std::vector<config::ValidationPoint> validation{};
};

/// Means over neighbours, `share` of the values in all, as many on either side of each: a straight
/// line stays as it is, and nothing is shifted. Near the ends fewer are taken.
/// @param share 0 to 1; 0 leaves the values alone
std::vector<double> smoothed(std::span<const double> values, double share);

/// Loss over steps: for each run what was logged, faint, the smoothed line, and losses of held-out
/// pictures with an error bar of one standard error. Values that an axis cannot show are left out.
/// @throws ArgumentError when nothing is left to draw
figures::Figure loss_figure(std::span<const LossCurve> curves, double share,
                            config::LogAxes log_axes);

}  // namespace tinta::experiment
