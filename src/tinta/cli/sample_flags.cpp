#include <limits>

#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"
#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

constexpr const char* kFooter =
    "What is not given is as the run's config says.\n\n"
    "Examples:\n"
    "  tinta sample runs/mnist -n 64 --class 7 --seed 1 -o sevens.png\n"
    "  tinta sample runs/mnist --per-class 50 --sampler ddim --steps 50 --npz out.npz";

void declare(Flags& flags, config::SampleOptions& options) {
  flags.required({"run", "the run folder", "RUN"}, options.run);
  add_sampling(flags, options);
  flags.heading("Output");
  flags.text({"-o,--output", "the grid, PNG [in the run's samples/]", "FILE"}, options.output);
  flags.text({"--npz", "arrays: images uint8, labels int64", "FILE"}, options.npz);
  flags.on({"--force", "replace outputs that exist"}, options.force);
  flags.on({"--json", "what was written, as JSON"}, options.json);
  add_machine(flags, options.machine);
  add_processes(flags, options.processes);
  flags.whole({"--batch", "pictures at a time [chosen]", "N"}, options.batch, 1);
}

}  // namespace

void add_sampling(Flags& flags, config::SampleOptions& options) {
  flags.whole({"-n,--count", "pictures [64]", "N"}, options.count, 1);
  flags.whole({"--per-class", "pictures of each class, instead of --count", "N"}, options.per_class,
              1);
  flags.wholes({"--class", "labels to ask for, 7 or 1,2,3 [all, in turn]", "LIST"}, options.classes,
               0);
  flags.name({"--sampler", join(config::sampler_names(), " or "), "NAME"}, options.sampler,
             config::sampler_names());
  flags.whole({"--steps", "steps of the sampler for each picture", "N"}, options.steps, 1);
  flags.number({"--guidance", "classifier-free scale; 1: plain", "X"}, options.guidance, 0,
               std::numeric_limits<double>::max());
  flags.number({"--eta", "ddim: 0 deterministic, 1 ancestral", "X"}, options.eta, 0, 1);
  flags.name({"--variance", "ddpm: posterior or beta", "NAME"}, options.variance,
             config::variance_names());
  flags.seed({"--seed", "of the noise and the labels [0]", "N", "TINTA_SEED"}, options.seed);
  add_weights(flags, weights_flags(options));
}

void check_sampling(const std::string& command, const Flags& flags,
                    config::SampleOptions& options) {
  check_weights(command, weights_flags(options));
  if (flags.given("--count") && options.per_class > 0) {
    throw ArgumentError("[" + command + "] expected --count or --per-class, got both");
  }
}

Command parse_sample(const std::vector<std::string>& words, const Environment& environment) {
  config::SampleOptions options;
  Flags flags("sample", "Draws new pictures from a trained model.", kFooter, environment);
  declare(flags, options);
  if (auto help = flags.parse(words)) return HelpText{*help};
  check_sampling("sample", flags, options);
  return options;
}

}  // namespace tinta::cli
