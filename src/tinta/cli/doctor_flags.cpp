#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"
#include "tinta/core/error.h"

namespace tinta::cli {
namespace {

constexpr const char* kFooter =
    "Each finding is one line that says what to do. The exit code is 1 where something would "
    "spoil\n"
    "the run.\n\n"
    "Examples:\n"
    "  tinta doctor\n"
    "  tinta doctor mnist --data mnist/\n"
    "  tinta doctor my.toml --set training.batch=64 --overfit 200";

}  // namespace

Command parse_doctor(const std::vector<std::string>& words, const Environment& environment) {
  config::DoctorOptions options;
  KeyFlags keys;
  Flags flags(
      "doctor",
      "Examines this machine and, where one is named, a run before it begins: its memory and\n"
      "time, its noise schedule, its sizes, its data.",
      kFooter, environment);
  flags.text({"preset", "a preset, a .toml file or a run folder", "PRESET|FILE|RUN"},
             options.preset_or_file);
  flags.text({"--data", "folder or file of the pictures", "DIR|FILE"}, options.data);
  declare_keys(flags, keys);
  flags.whole({"--overfit", "train N steps on one batch: its loss must fall", "N"}, options.overfit,
              1);
  flags.on({"--json", "as JSON"}, options.json);
  add_machine(flags, options.machine);
  if (auto help = flags.parse(words)) return HelpText{*help};
  const std::vector<std::string> overrides = overrides_of(keys, flags);
  if (!options.preset_or_file.empty()) {
    options.overrides = overrides;
  } else if (!options.data.empty() || options.overfit || !keys.sets.empty() ||
             flags.given("--precision") || flags.given("--seed")) {
    throw ArgumentError(
        "[doctor] expected a preset, a .toml file or a run folder with --data, "
        "--set, --precision, --seed and --overfit, got none");
  }
  return options;
}

}  // namespace tinta::cli
