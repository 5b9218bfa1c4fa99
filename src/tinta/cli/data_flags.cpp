#include "tinta/cli/commands.h"
#include "tinta/cli/flags.h"
#include "tinta/config/names.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"

namespace tinta::cli {

Command parse_data_list(const std::vector<std::string>& words, const Environment& environment) {
  config::DataListOptions options;
  Flags flags("data list", "Lists the data that tinta can draw or read.",
              "Example:\n  tinta data list --json", environment);
  flags.on({"--json", "as JSON"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

Command parse_data_info(const std::vector<std::string>& words, const Environment& environment) {
  config::DataInfoOptions options;
  Flags flags("data info", "Describes pictures of yours, as training sees them, or built-in data.",
              "Examples:\n  tinta data info mnist/\n  tinta data info photos/\n"
              "  tinta data info glyphs",
              environment);
  flags.required({"data", "a folder or file, or a name of tinta data list", "PATH|NAME"},
                 options.path_or_name);
  flags.on({"--json", "as JSON"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

Command parse_data_doctor(const std::vector<std::string>& words, const Environment& environment) {
  config::DataDoctorOptions options;
  Flags flags("data doctor",
              "Reads every picture and finds what would spoil a run: files that cannot be read,\n"
              "copies, sides, flat pictures, tiny classes.",
              "The exit code is 1 where training would fail.\n\n"
              "Examples:\n  tinta data doctor photos/\n  tinta data doctor photos/ --json",
              environment);
  flags.required({"data", "a folder or file of pictures", "PATH"}, options.path);
  flags.on({"--json", "as JSON, with every picture named"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  return options;
}

Command parse_data_get(const std::vector<std::string>& words, const Environment& environment) {
  config::DataGetOptions options;
  Flags flags(
      "data get",
      "Fetches a public data set and compares it with its checksums. What was cut short is\n"
      "taken up again.",
      "Examples:\n  tinta data get mnist\n"
      "  tinta data get cifar10 --out data --mirror http://mirror.example/cifar/",
      environment);
  std::string name;
  flags.required({"name", "mnist, fashion-mnist, kmnist, cifar10 or cifar100", "NAME"}, name);
  flags.text({"-o,--out", "folder for the files [the name]", "DIR"}, options.out);
  flags.texts({"--mirror",
               "where the files lie, instead of the known places; repeatable: the next\n"
               "is asked where one fails",
               "URL"},
              options.mirrors);
  flags.on({"--json", "as JSON"}, options.json);
  if (auto help = flags.parse(words)) return HelpText{*help};
  options.name = name;
  return options;
}

}  // namespace tinta::cli
