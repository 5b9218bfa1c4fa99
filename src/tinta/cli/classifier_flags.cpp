#include <limits>

#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"
#include "tinta/config/names.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"

namespace tinta::cli {
namespace {

constexpr const char* kFooter =
    "A small residual network, trained by cross entropy on pictures that are moved, and mirrored\n"
    "where the preset of the data mirrors them. Its accuracy is measured on the test split, which\n"
    "training does not see. An interrupted training writes nothing.\n\n"
    "Examples:\n"
    "  tinta classifier train --data mnist --epochs 2 --out judge.safetensors\n"
    "  tinta classifier train --data cifar10 --minutes 20";

void declare(Flags& flags, config::ClassifierTrainOptions& options) {
  flags.text({"--data", "a folder or file of pictures with classes, or glyphs", "PATH|NAME"},
             options.data);
  flags.whole({"--image-size", "side that pictures of a folder are brought to", "N"},
              options.image_size, 8);
  flags.heading("Training");
  flags.whole({"--epochs", "over the training pictures [10]", "N"}, options.epochs, 1);
  flags.number({"--minutes", "wall time, where that ends it sooner", "X"}, options.minutes, 0,
               std::numeric_limits<double>::max());
  flags.whole({"--features", "of the first layer, a multiple of 8 [32]", "N"}, options.features, 8);
  flags.seed({"--seed", "of weights, order, moves [0]", "N", "TINTA_SEED"}, options.seed);
  flags.name({"--precision", "auto, bf16 or fp32", "NAME", "TINTA_PRECISION"}, options.precision,
             config::precision_names());
  flags.heading("Output");
  flags.text({"-o,--out", "the file [classifier-<source>.safetensors]", "FILE"}, options.out);
  flags.on({"--force", "replace an output that exists"}, options.force);
  flags.on({"--json", "accuracy, size and time as JSON"}, options.json);
  add_machine(flags, options.machine);
}

}  // namespace

Command parse_classifier_train(const std::vector<std::string>& words,
                               const Environment& environment) {
  config::ClassifierTrainOptions options;
  Flags flags("classifier train", "Trains a classifier of pictures, to judge a run's by.", kFooter,
              environment);
  declare(flags, options);
  if (auto help = flags.parse(words)) return HelpText{*help};
  if (options.data.empty()) {
    throw ArgumentError("[classifier train] expected --data PATH, got none");
  }
  if (options.minutes && *options.minutes <= 0) {
    throw ArgumentError("[classifier train] --minutes: expected a number above 0, got " +
                        config::to_text(*options.minutes));
  }
  return options;
}

}  // namespace tinta::cli
