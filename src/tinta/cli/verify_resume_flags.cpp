#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"

namespace tinta::cli {
namespace {

constexpr const char* kSummary =
    "Proves on this machine that a run that is killed ends as one that is not.";

constexpr const char* kFooter =
    "Trains once without a break, and again with kills (SIGKILL) at random instants, half of\n"
    "them aimed at saves, each followed by a resume. Then every file of the last checkpoint, the\n"
    "metrics and the pictures drawn on the way are compared by SHA-256; what the clock says is\n"
    "left out. Every step is logged, and about twenty checkpoints are saved, unless --set says\n"
    "otherwise.\n\n"
    "Examples:\n"
    "  tinta verify-resume glyphs --steps 200 --kills 20\n"
    "  tinta verify-resume mnist --data mnist --steps 1000 --kills 50 --json";

}  // namespace

Command parse_verify_resume(const std::vector<std::string>& words, const Environment& environment) {
  config::VerifyResumeOptions options;
  KeyFlags keys;
  Flags flags("verify-resume", kSummary, kFooter, environment);
  flags.required({"preset", "a preset or a .toml file", "PRESET|FILE"}, options.preset_or_file);
  flags.text({"--data", "folder or file of the pictures", "DIR|FILE"}, options.data);
  flags.whole({"--steps", "of each run [100]", "N"}, options.steps, 2);
  flags.whole({"--kills", "how many [10]", "N"}, options.kills, 1);
  declare_keys(flags, keys);
  flags.text({"-o,--out", "new folder for the runs; without it they go", "DIR"}, options.out);
  flags.on({"--json", "as JSON"}, options.json);
  add_machine(flags, options.machine);
  if (auto help = flags.parse(words)) return HelpText{*help};
  options.overrides = overrides_of(keys, flags);
  options.instants = keys.seed.value_or(0);
  return options;
}

}  // namespace tinta::cli
