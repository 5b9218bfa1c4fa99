#include <limits>

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
    "Run nothing beside it. What the numbers mean: docs/performance.md\n\n"
    "Examples:\n"
    "  tinta bench --threads 2\n"
    "  tinta bench train --preset mnist-bench --batch 128";
constexpr const char* kStepsFooter =
    "The steps are those of tinta train and tinta sample, on made-up pictures and with a network "
    "that\n"
    "has learnt nothing. Share of the roof: the step's arithmetic per second over the fastest\n"
    "convolution that was seen in the same process. What the numbers mean: docs/performance.md\n\n"
    "Examples:\n"
    "  tinta bench train --preset cifar10-ddpm --batch 32 --precision bf16\n"
    "  tinta bench sample --preset mnist-bench --batch 64 --steps 20 --json";

void declare(Flags& flags, config::BenchStepsOptions& options, KeyFlags& keys) {
  flags.required({"--preset", "a preset, a .toml file or a run folder", "PRESET|FILE|RUN"},
                 options.preset_or_file);
  flags.whole({"--batch", "pictures at a time", "N"}, options.batch, 1);
  flags.whole({"--steps", "how many to time [10]", "N"}, options.steps, 1);
  declare_keys(flags, keys);
  flags.on({"--json", "as JSON"}, options.json);
  add_machine(flags, options.machine);
}

Command parse_steps(const std::string& name, config::BenchedStep what,
                    const std::vector<std::string>& words, const Environment& environment) {
  config::BenchStepsOptions options{.what = what};
  KeyFlags keys;
  const bool training = what == config::BenchedStep::training;
  Flags flags(
      name, training ? "Times training steps of a network." : "Times sampling steps of a network.",
      kStepsFooter, environment);
  declare(flags, options, keys);
  if (auto help = flags.parse(words)) return HelpText{*help};
  options.overrides = overrides_of(keys, flags);
  return options;
}

}  // namespace

Command parse_bench(const std::vector<std::string>& words, const Environment& environment) {
  if (!words.empty() && !words.front().starts_with("-")) {
    const std::vector<std::string> known = {"train", "sample"};
    throw ArgumentError("[bench] expected train, sample or options, got " +
                        config::to_text(words.front()) + suggestion(words.front(), known));
  }
  config::BenchOptions options;
  Flags flags("bench", "Measures what this machine can do, and our kernels beside it.", kFooter,
              environment);
  flags.name({"--precision",
              "auto (fp32, and bf16 where it is fast), bf16, fp16 (on a GPU) or fp32", "NAME"},
             options.precision, config::precision_names());
  flags.number({"--seconds", "how long to repeat each measurement [1]", "X"}, options.seconds, 0,
               std::numeric_limits<double>::max());
  flags.on({"--json", "as JSON"}, options.json);
  add_machine(flags, options.machine);
  if (auto help = flags.parse(words)) return HelpText{*help};
  if (options.seconds && *options.seconds <= 0) {
    throw ArgumentError("[bench] --seconds: expected a number above 0, got " +
                        config::to_text(*options.seconds));
  }
  return options;
}

Command parse_bench_train(const std::vector<std::string>& words, const Environment& environment) {
  return parse_steps("bench train", config::BenchedStep::training, words, environment);
}

Command parse_bench_sample(const std::vector<std::string>& words, const Environment& environment) {
  return parse_steps("bench sample", config::BenchedStep::sampling, words, environment);
}

}  // namespace tinta::cli
