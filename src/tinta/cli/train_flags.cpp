#include <limits>

#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"

namespace tinta::cli {
namespace {

constexpr const char* kFooter =
    "Without a preset the data decide, or, with --resume, the run itself. Ctrl-C finishes the "
    "step,\n"
    "saves, and says how to go on.\n\n"
    "Examples:\n"
    "  tinta train glyphs --minutes 3\n"
    "  tinta train mnist --data mnist --out runs/mnist --set training.batch=64\n"
    "  tinta train --data my_photos/ --image-size 64\n"
    "  tinta train --out runs/mnist --resume";

void declare(Flags& flags, config::TrainOptions& options, KeyFlags& keys) {
  flags.text({"preset", "a preset, a .toml file or a run folder's config", "PRESET|FILE"},
             options.preset_or_file);
  flags.text({"--data", "folder or file of the pictures", "DIR|FILE"}, options.data);
  flags.whole({"--image-size", "side that pictures of a folder are brought to", "N"},
              options.image_size, 8);
  flags.text({"-o,--out", "run folder [runs/<preset>]", "DIR"}, options.out);
  declare_keys(flags, keys);
  flags.on({"--resume", "go on with the run in --out"}, options.resume);
  flags.text({"--init-from", "start from the weights of another run", "RUN"}, options.init_from);
  flags.on({"--force", "start over where --out holds a run"}, options.force);
  flags.on({"--json", "the summary at the end as JSON"}, options.json);
  flags.whole(
      {"--profile", "trace N steps after the first 3: a table, and trace.json in the run", "N"},
      options.profile, 1);
  flags.heading("Budget (the first one reached ends the run)");
  flags.whole({"--steps", "optimiser steps", "N"}, options.steps, 1);
  flags.whole({"--images", "pictures seen", "N"}, options.images, 1);
  flags.number({"--minutes", "wall time", "X"}, options.minutes, 0,
               std::numeric_limits<double>::max());
  add_machine(flags, options.machine);
  add_processes(flags, options.processes);
}

void check(const config::TrainOptions& options) {
  if (options.preset_or_file.empty() && options.data.empty() && !options.resume) {
    throw ArgumentError("[train] expected a preset, a .toml file or --data DIR, got none of them");
  }
  if (options.resume && options.out.empty() && options.preset_or_file.empty()) {
    throw ArgumentError("[train] expected --out RUN with --resume, got none");
  }
  if (options.resume && options.force) {
    throw ArgumentError("[train] expected --resume or --force, got both");
  }
  if (options.resume && !options.init_from.empty()) {
    throw ArgumentError("[train] expected --resume or --init-from, got both");
  }
  if (options.minutes && *options.minutes <= 0) {
    throw ArgumentError("[train] --minutes: expected a number above 0, got " +
                        config::to_text(*options.minutes));
  }
}

}  // namespace

Command parse_train(const std::vector<std::string>& words, const Environment& environment) {
  config::TrainOptions options;
  KeyFlags keys;
  Flags flags("train", "Trains a diffusion model and keeps all of it in a run folder.", kFooter,
              environment);
  declare(flags, options, keys);
  if (auto help = flags.parse(words)) return HelpText{*help};
  options.overrides = overrides_of(keys, flags);
  check(options);
  return options;
}

}  // namespace tinta::cli
