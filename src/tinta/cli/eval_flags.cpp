#include <algorithm>

#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"
#include "tinta/config/names.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

constexpr const char* kFooter =
    "Draws pictures as tinta sample does and measures them. Metrics:\n"
    "  recognised  share that a classifier tells to be of the class asked for, with its 95%\n"
    "              interval (Wilson), by class, and what it took the others for\n\n"
    "Examples:\n"
    "  tinta classifier train --data mnist --out judge.safetensors\n"
    "  tinta eval runs/mnist --metrics recognised --classifier judge.safetensors --per-class 50\n"
    "  tinta eval --from out.npz --metrics recognised --classifier judge.safetensors";

void declare(Flags& flags, config::EvalOptions& options, std::vector<std::string>& metrics) {
  flags.text({"run", "the run folder", "RUN"}, options.sample.run);
  flags.text({"--from", "measure pictures of tinta sample --npz instead of a run's", "FILE"},
             options.from);
  flags.texts({"--metrics", join(config::metric_names(), ", "), "LIST"}, metrics);
  flags.text({"--classifier", "recognised: a file of tinta classifier train", "FILE"},
             options.classifier);
  flags.heading("What is drawn");
  add_sampling(flags, options.sample);
  flags.heading("Output");
  flags.on({"--json", "the numbers as JSON"}, options.sample.json);
  add_machine(flags, options.sample.machine);
  add_processes(flags, options.sample.processes);
  flags.whole({"--batch", "pictures at a time [chosen]", "N"}, options.sample.batch, 1);
}

// Each metric once, in the order given.
std::vector<std::string> chosen(const std::vector<std::string>& lists) {
  const std::vector<std::string>& known = config::metric_names();
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    for (const std::string& name : split(list, ',')) {
      if (std::ranges::count(known, name) == 0) {
        throw ArgumentError("[eval] --metrics: expected " + join(known, " or ") + ", got " +
                            config::to_text(name) + suggestion(name, known));
      }
      if (std::ranges::count(names, name) == 0) names.push_back(name);
    }
  }
  if (names.empty()) {
    throw ArgumentError("[eval] expected --metrics LIST (known: " + join(known, ", ") +
                        "), got none");
  }
  return names;
}

void check(const Flags& flags, config::EvalOptions& options) {
  check_sampling("eval", flags, options.sample);
  if (options.sample.run.empty() == options.from.empty()) {
    throw ArgumentError(std::string("[eval] expected a run folder or --from FILE, got ") +
                        (options.from.empty() ? "none" : "both"));
  }
  if (options.from.empty()) return;
  for (const char* flag :
       {"--count", "--per-class", "--class", "--sampler", "--steps", "--guidance", "--eta",
        "--variance", "--weights", "--ema", "--checkpoint"}) {
    if (flags.given(flag)) {
      throw ArgumentError(std::string("[eval] ") + flag +
                          ": expected nothing, as the pictures of --from are drawn already, got a "
                          "value");
    }
  }
}

}  // namespace

Command parse_eval(const std::vector<std::string>& words, const Environment& environment) {
  config::EvalOptions options;
  std::vector<std::string> metrics;
  Flags flags("eval", "Measures what a run draws.", kFooter, environment);
  declare(flags, options, metrics);
  if (auto help = flags.parse(words)) return HelpText{*help};
  options.metrics = chosen(metrics);
  check(flags, options);
  return options;
}

}  // namespace tinta::cli
