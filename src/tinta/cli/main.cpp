// The front program: reads what was typed, answers what needs no engine, and replaces itself with
// tinta-core for the rest. It links no torch, so that a mistake or --help costs milliseconds.

#include <string>
#include <vector>

#include "tinta/cli/command_line.h"
#include "tinta/cli/engine.h"
#include "tinta/cli/local_commands.h"
#include "tinta/cli/report.h"
#include "tinta/cli/validate.h"

namespace tinta::cli {
namespace {

struct Front {
  char** argv;

  Outcome operator()(const HelpText& help) const { return {help.text}; }
  Outcome operator()(const config::DataListOptions& options) const { return data_list(options); }
  Outcome operator()(const config::ConfigCheckOptions& options) const {
    return config_check(options);
  }
  Outcome operator()(const config::LabListOptions& options) const { return lab_list(options); }
  Outcome operator()(const config::VersionOptions& options) const {
    if (options.verbose) become_engine(argv);
    return {version_text()};
  }
  template <class Options>
  Outcome operator()(const Options& options) const {
    validate(options);
    become_engine(argv);
  }
};

int run(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const Command command = parse_command_line(words, process_environment());
  const Outcome outcome = std::visit(Front{argv}, command);
  print(outcome.text);
  return outcome.exit_code;
}

}  // namespace
}  // namespace tinta::cli

int main(int argc, char** argv) {
  return tinta::cli::report_errors([&] { return tinta::cli::run(argc, argv); });
}
