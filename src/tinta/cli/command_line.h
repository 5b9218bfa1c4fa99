#pragma once

#include <string>
#include <variant>
#include <vector>

#include "tinta/cli/environment.h"
#include "tinta/config/options.h"

// What was typed, as values. Free of torch: the front program and the engine read their arguments
// with the same code.

namespace tinta::cli {

/// Text that was asked for and only needs printing.
struct HelpText {
  std::string text;

  friend bool operator==(const HelpText&, const HelpText&) = default;
};

using Command =
    std::variant<HelpText, config::VersionOptions, config::TrainOptions, config::SampleOptions,
                 config::DenoiseOptions, config::InpaintOptions, config::DataListOptions,
                 config::DataInfoOptions, config::DataDoctorOptions, config::DataGetOptions,
                 config::ModelInfoOptions, config::ConfigCheckOptions, config::LabOptions,
                 config::LabListOptions, config::LabReportOptions, config::BenchOptions,
                 config::BenchStepsOptions, config::RunsOptions, config::LogOptions,
                 config::PlotOptions, config::DoctorOptions, config::VerifyResumeOptions,
                 config::EvalOptions, config::ClassifierTrainOptions>;

/// Reads a command line. Precedence: flag, then TINTA_* variable, then (later) the config.
/// @param words what follows the program's name
/// @throws ArgumentError on an unknown command, flag or name (nearest suggested) or a wrong value
Command parse_command_line(const std::vector<std::string>& words, const Environment& environment);

/// What every `tinta` shows for --help.
std::string overview();

/// "train", "data list", ...: every command, in the order of the overview.
std::vector<std::string> command_names();

/// "tinta 0.1.0\n"
std::string version_text();

}  // namespace tinta::cli
