#include "tinta/cli/commands.h"
#include "tinta/cli/flags.h"

namespace tinta::cli {

Command parse_runs(const std::vector<std::string>& words, const Environment& environment) {
  config::RunsOptions options;
  Flags flags(
      "runs",
      "Lists the runs of a folder: whether they are running, finished, stopped or damaged,\n"
      "how far they are, their last loss and speed, their size on disk.",
      "Examples:\n  tinta runs\n  tinta runs experiments/ --json", environment);
  flags.text({"folder", "where to look for run folders [runs]", "DIR"}, options.folder);
  flags.on({"--json", "as JSON"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

Command parse_log(const std::vector<std::string>& words, const Environment& environment) {
  config::LogOptions options;
  Flags flags("log", "Shows what a run has logged: its metrics as a table, and what happened when.",
              "Examples:\n  tinta log runs/mnist\n  tinta log runs/mnist --follow\n"
              "  tinta log runs/mnist --json | tail -n 1",
              environment);
  flags.required({"run", "the run folder", "RUN"}, options.run);
  flags.on({"-f,--follow", "go on until the run ends, or Ctrl-C"}, options.follow);
  flags.on({"--json", "the lines as they are written, one JSON object each"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

Command parse_plot(const std::vector<std::string>& words, const Environment& environment) {
  using config::LogAxes;
  config::PlotOptions options;
  Flags flags(
      "plot",
      "Draws the loss of runs over their steps: what was logged, faint, a smoothed line, and\n"
      "losses of held-out pictures with their standard errors where a run has them.",
      "Examples:\n  tinta plot runs/mnist\n"
      "  tinta plot runs/first runs/second --log both -o both.svg",
      environment);
  flags.required({"runs", "run folders", "RUN"}, options.runs);
  flags.number({"--smooth", "share of the curve to average over; 0: not at all [0.05]", "X"},
               options.smooth, 0, 1);
  flags.choice<LogAxes>({"--log", "logarithmic axes: none, loss, step or both", "NAME"},
                        options.log_axes,
                        {{"none", LogAxes::none},
                         {"loss", LogAxes::loss},
                         {"step", LogAxes::step},
                         {"both", LogAxes::both}});
  flags.text({"-o,--output", "the picture: .png, .svg or .pdf [loss.png]", "FILE"}, options.output);
  flags.on({"--force", "replace a picture that exists"}, options.force);
  flags.on({"--json", "what was drawn, as JSON"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

}  // namespace tinta::cli
