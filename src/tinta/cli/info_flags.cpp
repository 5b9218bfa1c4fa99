#include "tinta/cli/commands.h"
#include "tinta/cli/flags.h"

namespace tinta::cli {

Command parse_model_info(const std::vector<std::string>& words, const Environment& environment) {
  config::ModelInfoOptions options;
  Flags flags("model info", "Describes a network: parameters, tensors, work per picture.",
              "Examples:\n  tinta model info cifar10-ddpm\n"
              "  tinta model info mnist --set model.channels=64 --json",
              environment);
  flags.required({"preset", "a preset, a .toml file or a run folder", "PRESET|FILE|RUN"},
                 options.preset_or_file);
  flags.texts({"--set", "change a key of the config; repeatable", "KEY=VALUE"}, options.overrides);
  flags.on({"--json", "as JSON"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

Command parse_config_check(const std::vector<std::string>& words, const Environment& environment) {
  config::ConfigCheckOptions options;
  Flags flags("config check", "Checks a config and lists every mistake at once.",
              "Examples:\n  tinta config check my.toml\n"
              "  tinta config check mnist --set model.channels=48 --print",
              environment);
  flags.required({"file", "a .toml file, a preset or a run folder", "FILE|PRESET|RUN"},
                 options.preset_or_file);
  flags.texts({"--set", "change a key of the config; repeatable", "KEY=VALUE"}, options.overrides);
  flags.on({"--print", "print the complete, resolved config"}, options.print);
  flags.on({"--json", "as JSON"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

}  // namespace tinta::cli
