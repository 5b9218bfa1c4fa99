#include <limits>

#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"
#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace {

constexpr const char* kFooter =
    "The picture and the mask have one size, any; both are scaled to the size of the run's "
    "pictures.\n"
    "What the mask leaves black comes back unchanged. repaint walks each stretch of the chain "
    "several\n"
    "times, so that the filling agrees with the rest (Lugmayr et al. 2022); replace walks it "
    "once.\n\n"
    "Examples:\n"
    "  tinta inpaint runs/mnist --image digit.png --mask mask.png -o filled.png\n"
    "  tinta inpaint runs/mnist --image digit.png --mask mask.png --class 7 --method replace";

void declare_model(Flags& flags, config::InpaintOptions& options) {
  flags.heading("How");
  flags.name({"--method", "repaint or replace [repaint]", "NAME"}, options.method,
             config::inpaint_method_names());
  flags.whole({"--resamplings", "repaint: walks of each stretch [10]", "R"}, options.resamplings,
              1);
  flags.whole({"--jump", "repaint: steps of a stretch [a 25th of them]", "J"}, options.jump, 1);
  flags.name({"--sampler", join(config::sampler_names(), " or ") + " [ddpm]", "NAME"},
             options.sampler, config::sampler_names());
  flags.whole({"--steps", "of the chain, each stretch counted once", "N"}, options.steps, 1);
  flags.number({"--guidance", "classifier-free scale; 1: plain", "X"}, options.guidance, 0,
               std::numeric_limits<double>::max());
  flags.number({"--eta", "ddim: 0 deterministic, 1 ancestral", "X"}, options.eta, 0, 1);
  flags.name({"--variance", "ddpm: posterior or beta", "NAME"}, options.variance,
             config::variance_names());
  add_weights(flags, weights_flags(options));
}

void declare(Flags& flags, config::InpaintOptions& options) {
  flags.required({"run", "the run folder", "RUN"}, options.run);
  flags.text({"--image", "the picture: PNG, JPEG or WebP", "FILE"}, options.image);
  flags.text({"--mask", "white where it is to be filled", "FILE"}, options.mask);
  flags.whole({"-n,--count", "fillings [8]", "N"}, options.count, 1);
  flags.whole({"--class", "label to ask for [none]", "K"}, options.label, 0);
  flags.seed({"--seed", "of the noise [0]", "N", "TINTA_SEED"}, options.seed);
  declare_model(flags, options);
  flags.heading("Output");
  flags.text({"-o,--output", "PNG; of several fillings, a grid [in the run's samples/]", "FILE"},
             options.output);
  flags.text({"--npz", "arrays: images, known uint8, fill bool", "FILE"}, options.npz);
  flags.on({"--force", "replace outputs that exist"}, options.force);
  flags.on({"--json", "what was written, as JSON"}, options.json);
  add_machine(flags, options.machine);
  flags.whole({"--batch", "fillings at a time [chosen]", "N"}, options.batch, 1);
}

void require_whole(const config::InpaintOptions& options) {
  if (options.image.empty() || options.mask.empty()) {
    throw ArgumentError(std::string("[inpaint] expected --image FILE and --mask FILE, got ") +
                        (options.image.empty() == options.mask.empty() ? "neither"
                         : options.image.empty()                       ? "no --image"
                                                                       : "no --mask"));
  }
  if (options.method == "replace" && (options.resamplings || options.jump)) {
    throw ArgumentError("[inpaint] expected no --resamplings or --jump with --method replace");
  }
  if (options.guidance && !options.label) {
    throw ArgumentError("[inpaint] expected --class with --guidance, got none");
  }
}

}  // namespace

Command parse_inpaint(const std::vector<std::string>& words, const Environment& environment) {
  config::InpaintOptions options;
  Flags flags("inpaint", "Fills in the part of a picture that a mask marks.", kFooter, environment);
  declare(flags, options);
  if (auto help = flags.parse(words)) return HelpText{*help};
  check_weights("inpaint", weights_flags(options));
  require_whole(options);
  return options;
}

}  // namespace tinta::cli
