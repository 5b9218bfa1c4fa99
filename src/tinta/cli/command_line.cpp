#include "tinta/cli/command_line.h"

#include <algorithm>
#include <array>
#include <optional>

#include "tinta/cli/commands.h"
#include "tinta/config/config.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

using Words = std::vector<std::string>;

struct Entry {
  const char* name;
  const char* summary;
  Command (*parse)(const Words&, const Environment&);
};

constexpr std::array<Entry, 23> kCommands = {{
    {"train", "train a model from a preset, a file or a folder of pictures", parse_train},
    {"sample", "draw new pictures from a run", parse_sample},
    {"denoise", "remove noise from held-out pictures and measure how well", parse_denoise},
    {"inpaint", "fill in the part of a picture that a mask marks", parse_inpaint},
    {"eval", "measure what a run draws: share recognised by a classifier", parse_eval},
    {"classifier train", "train a classifier of pictures, to judge a run's by",
     parse_classifier_train},
    {"runs", "list the runs of a folder: state, step, loss, size", parse_runs},
    {"log", "show a run's metrics and log lines, also as they come", parse_log},
    {"plot", "draw the loss curves of runs", parse_plot},
    {"lab list", "list the laboratory's rows: figures and exercises of the sources",
     parse_lab_list},
    {"lab report", "print a run of the laboratory as one document", parse_lab_report},
    {"lab", "run a row of the laboratory, or all of them", parse_lab},
    {"bench train", "time training steps: pictures a second, share of the roof, parts",
     parse_bench_train},
    {"bench sample", "time sampling steps likewise", parse_bench_sample},
    {"bench", "measure what this machine can do, and our kernels beside it", parse_bench},
    {"data list", "list the data that tinta can draw or read", parse_data_list},
    {"data info", "describe pictures of yours, or built-in data", parse_data_info},
    {"data doctor", "find what would spoil a run in pictures of yours", parse_data_doctor},
    {"data get", "fetch a public data set", parse_data_get},
    {"doctor", "examine this machine, and a run before it begins", parse_doctor},
    {"model info", "describe a network: parameters, tensors, work per picture", parse_model_info},
    {"verify-resume", "prove that a run that is killed ends as one that is not",
     parse_verify_resume},
    {"config check", "check a config and list every mistake at once", parse_config_check},
}};

bool asks_for_help(const std::string& word) { return word == "-h" || word == "--help"; }

/// A row of the overview: name and summary in columns.
std::string row(const std::string& name, const std::string& summary) {
  constexpr std::size_t kColumn = 18;
  return "  " + name + std::string(kColumn - std::min(kColumn - 1, name.size()), ' ') + summary +
         "\n";
}

[[noreturn]] void refuse_command(const std::string& got) {
  throw ArgumentError("[tinta] expected a command, got " + config::to_text(got) +
                      suggestion(got, command_names()));
}

/// The commands that begin with this word: "data" -> data list, data info.
Words beginning_with(const std::string& word) {
  Words names;
  for (const std::string& name : command_names()) {
    if (name.starts_with(word + " ")) names.push_back(name);
  }
  return names;
}

Command run_entry(const Words& words, const Environment& environment) {
  for (const Entry& entry : kCommands) {
    const Words name = split(entry.name, ' ');
    if (words.size() < name.size() || !std::equal(name.begin(), name.end(), words.begin()))
      continue;
    return entry.parse(Words(words.begin() + static_cast<std::ptrdiff_t>(name.size()), words.end()),
                       environment);
  }
  const Words family = beginning_with(words.front());
  if (family.empty()) refuse_command(words.front());
  if (words.size() > 1 && asks_for_help(words[1])) return HelpText{overview()};
  if (words.size() > 1 && !words[1].starts_with("-")) refuse_command(words[0] + " " + words[1]);
  throw ArgumentError("[tinta] expected " + join(family, " or ") + ", got " +
                      config::to_text(words.front()) + " alone");
}

/// `tinta --version [--verbose]`, in any order.
std::optional<config::VersionOptions> as_version(const Words& words) {
  config::VersionOptions options;
  bool asked = false;
  for (const std::string& word : words) {
    if (word == "--version" || word == "-V") {
      asked = true;
    } else if (word == "--verbose" || word == "-v") {
      options.verbose = true;
    } else {
      return std::nullopt;
    }
  }
  return asked ? std::optional(options) : std::nullopt;
}

}  // namespace

std::vector<std::string> command_names() {
  Words names;
  for (const Entry& entry : kCommands) names.emplace_back(entry.name);
  return names;
}

std::string version_text() { return "tinta " TINTA_VERSION "\n"; }

std::string overview() {
  std::string text =
      "tinta: diffusion models, from a drop of ink to pictures\n\n"
      "Usage: tinta COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Entry& entry : kCommands) text += row(entry.name, entry.summary);
  text += "\nOptions:\n";
  text += row("-h, --help", "show this, or a command's help: tinta train --help");
  text += row("-V, --version", "show the version; with --verbose, what the engine stands on");
  text += "\nPresets:\n";
  for (const std::string& name : config::preset_names()) {
    text += row(name, config::preset_summary(name));
  }
  text +=
      "\nVariables that stand in for flags: TINTA_DEVICE, TINTA_THREADS, TINTA_PRECISION, "
      "TINTA_SEED.\n"
      "NO_COLOR is honoured.\n\n"
      "Examples:\n"
      "  tinta train glyphs --minutes 3\n"
      "  tinta sample runs/glyphs -n 64 -o digits.png\n";
  return text;
}

Command parse_command_line(const Words& words, const Environment& environment) {
  if (words.empty()) {
    throw ArgumentError("[tinta] expected a command, got none; see tinta --help");
  }
  if (asks_for_help(words.front())) return HelpText{overview()};
  if (words.front() == "help") {
    if (words.size() == 1) return HelpText{overview()};
    Words rest(words.begin() + 1, words.end());
    rest.emplace_back("--help");
    return run_entry(rest, environment);
  }
  if (const auto version = as_version(words)) return *version;
  if (words.front().starts_with("-")) {
    throw ArgumentError("[tinta] expected a known option, got " + config::to_text(words.front()) +
                        suggestion(words.front(), Words{"--help", "--version"}));
  }
  return run_entry(words, environment);
}

}  // namespace tinta::cli
