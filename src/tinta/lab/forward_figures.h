#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "tinta/figures/figure.h"
#include "tinta/process/schedule.h"

// What the figures of the forward process have in common.

namespace tinta::lab {

/// A panel from its parts.
figures::Panel panel_of(std::string title, figures::Axis x, figures::Axis y,
                        std::vector<figures::Layer> layers,
                        figures::Legend legend = figures::Legend::upper_right);

/// "t = 30, sqrt(alpha_bar) = 0.977", in markup.
std::string panel_title(const process::VpSchedule& schedule, int t);

/// @param x [C,H,W] floating in [-1, 1]; what lies outside is clamped
figures::Picture picture_of(const at::Tensor& x);

/// A histogram of a tensor's numbers beside N(0, 1), from -4 to 4.
/// @param label of the x axis
/// @param what  the bars' name in the legend
figures::Panel histogram_panel(const at::Tensor& values, const std::string& title,
                               const std::string& label, const std::string& what);

/// values[t] over t = 1..T; [0] is unused.
figures::Line line_over_steps(const std::vector<double>& values, const std::string& label,
                              const figures::Style& style);

/// The greatest |y| up to each x, for errors that jump about on a logarithmic axis; what is below
/// 1e-17 is drawn there.
figures::Line greatest_so_far(figures::Line line);

}  // namespace tinta::lab
