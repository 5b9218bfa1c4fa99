#pragma once

#include <string>
#include <vector>

#include "tinta/cli/command_line.h"
#include "tinta/cli/environment.h"

namespace tinta::cli {

/// The words after a command's name -> its options, or its help.
/// @throws ArgumentError
Command parse_train(const std::vector<std::string>& words, const Environment& environment);
Command parse_sample(const std::vector<std::string>& words, const Environment& environment);
Command parse_denoise(const std::vector<std::string>& words, const Environment& environment);
Command parse_inpaint(const std::vector<std::string>& words, const Environment& environment);
Command parse_eval(const std::vector<std::string>& words, const Environment& environment);
Command parse_classifier_train(const std::vector<std::string>& words,
                               const Environment& environment);
Command parse_data_list(const std::vector<std::string>& words, const Environment& environment);
Command parse_data_info(const std::vector<std::string>& words, const Environment& environment);
Command parse_data_doctor(const std::vector<std::string>& words, const Environment& environment);
Command parse_data_get(const std::vector<std::string>& words, const Environment& environment);
Command parse_model_info(const std::vector<std::string>& words, const Environment& environment);
Command parse_lab(const std::vector<std::string>& words, const Environment& environment);
Command parse_lab_list(const std::vector<std::string>& words, const Environment& environment);
Command parse_lab_report(const std::vector<std::string>& words, const Environment& environment);
Command parse_bench(const std::vector<std::string>& words, const Environment& environment);
Command parse_bench_train(const std::vector<std::string>& words, const Environment& environment);
Command parse_bench_sample(const std::vector<std::string>& words, const Environment& environment);
Command parse_runs(const std::vector<std::string>& words, const Environment& environment);
Command parse_log(const std::vector<std::string>& words, const Environment& environment);
Command parse_plot(const std::vector<std::string>& words, const Environment& environment);
Command parse_doctor(const std::vector<std::string>& words, const Environment& environment);
Command parse_verify_resume(const std::vector<std::string>& words, const Environment& environment);
Command parse_config_check(const std::vector<std::string>& words, const Environment& environment);

}  // namespace tinta::cli
