#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"
#include "tinta/config/lab_rows.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

constexpr const char* kFooter =
    "Each row writes NAME.png and NAME.svg, an animation NAME.webp where time is the point, the\n"
    "numbers and verdicts NAME.json, and the arrays behind them NAME.npz. Exit code 1 when a check "
    "fails.\n\n"
    "Examples:\n"
    "  tinta lab list\n"
    "  tinta lab forward-condor --image photo.jpg\n"
    "  tinta lab all --out figures --quick";

void declare(Flags& flags, config::LabOptions& options) {
  flags.required({"row", "a row of tinta lab list, or all", "NAME"}, options.row);
  flags.on({"--quick", "smaller samples and nets, all of it in minutes"}, options.quick);
  flags.seed({"--seed", "of everything random [0]", "N", "TINTA_SEED"}, options.seed);
  flags.heading("Of some rows (tinta lab list says which)");
  flags.text({"--image", "a picture instead of the built-in one", "FILE"}, options.image);
  flags.whole({"--steps", "what the row counts", "N"}, options.steps, 1);
  flags.whole({"--repeats", "how often a row that trains does so", "N"}, options.repeats, 1);
  flags.name({"--density", "of the plane", "NAME"}, options.density, config::lab_density_names());
  flags.texts({"--set", "process.KEY=VALUE, the noise schedule; repeatable", "KEY=VALUE"},
              options.overrides);
  flags.text({"--run", "a trained run, for rows that read one", "RUN"}, options.run);
  flags.text({"--data", "folder of that run's pictures [its own]", "DIR"}, options.data);
  flags.text(
      {"--classifier", "a file of tinta classifier train, for rows that judge by one", "FILE"},
      options.classifier);
  flags.heading("Output");
  flags.text({"--out", "folder for all outputs [figures]", "DIR"}, options.out);
  flags.on({"--force", "replace outputs that exist"}, options.force);
  flags.on({"--json", "checks and verdicts, as JSON"}, options.json);
  add_machine(flags, options.machine);
}

void require_row(const std::string& row) {
  if (row == "all" || config::find_lab_row(row) != nullptr) return;
  std::vector<std::string> names = config::lab_row_names();
  names.emplace_back("all");
  throw ArgumentError("[lab] expected a row of tinta lab list, or all, got " +
                      config::to_text(row) + suggestion(row, names));
}

}  // namespace

Command parse_lab(const std::vector<std::string>& words, const Environment& environment) {
  config::LabOptions options;
  Flags flags("lab", "Runs a row of the laboratory, or all of them.", kFooter, environment);
  declare(flags, options);
  if (auto help = flags.parse(words)) return HelpText{*help};
  require_row(options.row);
  return options;
}

Command parse_lab_list(const std::vector<std::string>& words, const Environment& environment) {
  config::LabListOptions options;
  Flags flags("lab list", "Lists the rows of the laboratory.", "Example:\n  tinta lab list --json",
              environment);
  flags.on({"--json", "as JSON"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

Command parse_lab_report(const std::vector<std::string>& words, const Environment& environment) {
  config::LabReportOptions options;
  Flags flags("lab report", "Prints what tinta lab wrote as one document.",
              "Example:\n  tinta lab all --out figures\n"
              "  tinta lab report --from figures --out report.pdf",
              environment);
  flags.text({"--from", "folder that tinta lab wrote [figures]", "DIR"}, options.from);
  flags.text({"-o,--out", "a .pdf or .html [report.pdf in that folder]", "FILE"}, options.out);
  flags.on({"--force", "replace an output that exists"}, options.force);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

}  // namespace tinta::cli
