#include "tinta/cli/commands.h"
#include "tinta/cli/common_flags.h"
#include "tinta/cli/flags.h"

namespace tinta::cli {
namespace {

constexpr const char* kFooter =
    "Takes pictures that the model has not seen to noise level t and back: at once (the x0 "
    "estimate)\n"
    "and along the reverse chain. PSNR in dB (peak 2) and SSIM are means over pictures.\n\n"
    "Example:\n"
    "  tinta denoise runs/mnist --t 50,100,200,400 --json";

void declare(Flags& flags, config::DenoiseOptions& options) {
  flags.required({"run", "the run folder", "RUN"}, options.run);
  flags.text({"--data", "folder of the pictures [the run's own]", "DIR"}, options.data);
  flags.name({"--split", "test, validation or train [test]", "NAME"}, options.split,
             {"test", "validation", "train"});
  flags.wholes({"-t,--t", "noise levels, steps of the process [50,100,200,400]", "LIST"}, options.t,
               1);
  flags.whole({"--limit", "pictures of the split [all]", "N"}, options.limit, 1);
  flags.whole({"--chain-images", "pictures for the reverse chain; 0: none [256]", "N"},
              options.chain_images, 0);
  flags.seed({"--seed", "of the noise [0]", "N", "TINTA_SEED"}, options.seed);
  add_weights(flags, weights_flags(options));
  flags.heading("Output");
  flags.text({"-o,--output", "the picture, PNG [in the run folder]", "FILE"}, options.output);
  flags.text({"--npz", "arrays, to compute everything again", "FILE"}, options.npz);
  flags.on({"--force", "replace outputs that exist"}, options.force);
  flags.on({"--json", "the table as JSON"}, options.json);
  add_machine(flags, options.machine);
  add_processes(flags, options.processes);
  flags.whole({"--batch", "pictures at a time [chosen]", "N"}, options.batch, 1);
}

}  // namespace

Command parse_denoise(const std::vector<std::string>& words, const Environment& environment) {
  config::DenoiseOptions options;
  Flags flags("denoise", "Removes noise from held-out pictures and measures how well.", kFooter,
              environment);
  declare(flags, options);
  if (auto help = flags.parse(words)) return HelpText{*help};
  check_weights("denoise", weights_flags(options));
  return options;
}

}  // namespace tinta::cli
