#pragma once

#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/data/doctor.h"

// What would spoil a run, and what to do: read off its config and its data, before it begins.

namespace tinta::bench {

enum class Severity {
  error,    ///< the run would fail, or be worth nothing
  warning,  ///< it would run, and cost or give something else than one thinks
};

/// One thing that was found.
struct Advice {
  Severity severity = Severity::warning;
  std::string kind;    ///< "config", "terminal-snr", "wasted-steps", ...
  std::string text;    ///< what is so, with the number
  std::string remedy;  ///< what to do
};

/// Whether none of them is an error.
bool sound(const std::vector<Advice>& advice);

/// Of a config alone. Where it breaks rules of config/config.h these are all that is told; else:
///
/// - terminal-snr: sqrt(alpha_bar_T), the share of the picture that is left in x_T, is above 0.02
///   (warning) or 0.1 (error), though sampling starts from noise alone (Lin et al. 2024,
///   arXiv:2305.08891, table 1: 0.0064 for Ho et al.'s betas, 0.068 for Stable Diffusion's, which
///   they show to be too much);
/// - wasted-steps: less than a hundredth of the picture is left in more than 30% of the steps;
/// - first-step: the noise of x_1 is above 0.1, and the last step of sampling must remove it at
///   once;
/// - padding: sides that the levels of the U-Net do not halve evenly;
/// - deepest-level: less than 2 pixels a side there;
/// - attention: a level that attends to more than 1024 positions;
/// - warm-up, null-class, classes-dropped, no-checkpoints: keys of training that contradict others.
std::vector<Advice> examine_config(const config::RunConfig& config);

/// Of pictures that data::examine() has read.
std::vector<Advice> examine_data(const config::RunConfig& config, const std::string& path,
                                 const data::Examination& examination);

}  // namespace tinta::bench
