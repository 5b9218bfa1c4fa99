#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/generate.h"
#include "tinta/experiment/outputs.h"
#include "tinta/experiment/run.h"
#include "tinta/io/image.h"
#include "tinta/io/npz.h"
#include "tinta/io/png.h"
#include "tinta/kernels/constant_weights.h"
#include "tinta/kernels/random.h"
#include "tinta/sampling/guidance.h"
#include "tinta/sampling/inpaint.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kResamplings = 10;  // Lugmayr et al. 2022, as is the jump's share below
constexpr std::int64_t kJumpShare = 25;
constexpr std::int64_t kMostFillings = 1'000'000;

// What was asked, with the run's answers to what was not.
struct Settings {
  config::SamplingConfig sampling;
  std::int64_t resamplings = 1;
  std::int64_t jump = 1;
};

Settings settings_of(const TrainedRun& run, const config::InpaintOptions& options) {
  config::RunConfig config = run.config;
  config::SamplingConfig& sampling = config.sampling;
  sampling.sampler = options.sampler;
  if (options.steps) sampling.steps = *options.steps;
  if (options.guidance) sampling.guidance = *options.guidance;
  if (options.eta) sampling.eta = *options.eta;
  if (options.variance) sampling.variance = *options.variance;
  config::require_valid(config, "inpaint");
  if (!options.label) sampling.guidance = 1;
  Settings settings{.sampling = sampling};
  if (options.method == "repaint") {
    settings.resamplings = options.resamplings.value_or(kResamplings);
    settings.jump = options.jump.value_or(std::max<std::int64_t>(1, sampling.steps / kJumpShare));
  }
  const std::int64_t most = sampling.steps;
  if (settings.jump > most || settings.resamplings > kMostFillings) {
    throw ArgumentError("[inpaint] expected a --jump of at most the " + std::to_string(most) +
                        " steps and at most " + std::to_string(kMostFillings) +
                        " --resamplings, got " + std::to_string(settings.jump) + " and " +
                        std::to_string(settings.resamplings));
  }
  return settings;
}

// Luminance of ITU-R BT.601, as picture formats mean it.
at::Tensor grey(const at::Tensor& image) {
  if (image.size(0) == 1) return image;
  const at::Tensor weights = at::tensor({0.299F, 0.587F, 0.114F}).view({3, 1, 1});
  return (image.to(at::kFloat) * weights).sum(0, true).round().clamp(0, 255).to(at::kByte);
}

// The picture and what of it is to be filled, in the shape of the run's pictures.
struct Subject {
  at::Tensor known;  // [C,H,W] uint8
  at::Tensor fill;   // [H,W] bool
};

std::string sides(const at::Tensor& image) {
  return std::to_string(image.size(2)) + " x " + std::to_string(image.size(1));
}

Subject read_subject(const config::InpaintOptions& options, const PictureShape& shape,
                     const Sinks& sinks) {
  at::Tensor image = io::decode_image(read_bytes(options.image), options.image);
  const at::Tensor mask = grey(io::decode_image(read_bytes(options.mask), options.mask));
  if (mask.sizes().slice(1) != image.sizes().slice(1)) {
    throw ArgumentError("[inpaint] --mask: expected " + sides(image) + " pixels, as " +
                        options.image + " has, got " + sides(mask));
  }
  at::Tensor fill = mask[0] >= 128;
  if (image.size(1) != shape.height || image.size(2) != shape.width) {
    sinks.info("the picture is scaled from " + sides(image) + " to the run's " +
               std::to_string(shape.width) + " x " + std::to_string(shape.height) + " pixels");
    image = io::resize(image, shape.height, shape.width);
    // A pixel of which any part is to be filled knows nothing for certain.
    const at::Tensor covered = fill.to(at::kFloat).unsqueeze(0);
    fill = std::get<0>(at::adaptive_max_pool2d(covered, {shape.height, shape.width}))[0] > 0;
  }
  if (!fill.any().item<bool>()) {
    throw ArgumentError("[inpaint] --mask: expected white where the picture is to be filled, got " +
                        options.mask + " without any");
  }
  if (shape.channels == 1) image = grey(image);
  return {image.expand({shape.channels, shape.height, shape.width}).contiguous(), fill};
}

// Draws the fillings, batch by batch.
class Filler {
 public:
  Filler(const TrainedRun& run, const config::InpaintOptions& options, const Settings& settings,
         const Subject& subject)
      : run_(run),
        options_(options),
        sampling_(settings.sampling),
        schedule_(process::make_sampling_schedule(run.config.process, settings.sampling.steps)),
        inpainting_{.known = io::from_bytes(subject.known).to(run.compute.device),
                    .fill = subject.fill.to(run.compute.device),
                    .resamplings = static_cast<int>(settings.resamplings),
                    .jump = static_cast<int>(settings.jump)} {}

  // [N,C,H,W] uint8; undefined when stopped
  at::Tensor fill(const Sinks& sinks, const StopRequested& stop) const {
    const std::int64_t batch = options_.batch > 0 ? options_.batch : fitting_batch(run_.shape);
    bool stopped = false;
    std::vector<at::Tensor> parts;
    for (std::int64_t first = 0; first < options_.count; first += batch) {
      const std::int64_t count = std::min(batch, options_.count - first);
      const auto progress = [&](int done, int total) {
        sinks.report({.what = "inpainting",
                      .done = first * total + count * done,
                      .total = options_.count * total,
                      .detail = std::to_string(options_.count) + " fillings"});
      };
      const StopRequested asked = [&] { return stopped = stopped || (stop && stop()); };
      parts.push_back(io::to_bytes(fill_batch(first, count, progress, asked)));
      if (stopped) return {};
    }
    return at::cat(parts);
  }

 private:
  [[nodiscard]] at::Tensor labels(std::int64_t count) const {
    const std::int64_t classes = run_.config.model.classes;
    if (classes == 0) return {};
    return at::full({count}, options_.label.value_or(classes), at::kLong).to(run_.compute.device);
  }

  [[nodiscard]] at::Tensor fill_batch(std::int64_t first, std::int64_t count,
                                      const std::function<void(int, int)>& progress,
                                      const StopRequested& stop) const {
    const auto sample = static_cast<std::uint64_t>(first);
    const std::vector<std::int64_t> sizes{count, run_.shape.channels, run_.shape.height,
                                          run_.shape.width};
    const sampling::GuidedDenoiser denoiser(*run_.network, labels(count), sampling_.guidance);
    const sampling::Chain chain{
        .schedule = *schedule_,
        .denoiser = denoiser,
        .noise = sampling::philox_noise(sizes, options_.seed, sample, Stream::inpaint,
                                        run_.compute.device),
        .progress = progress,
        .stop = stop};
    const at::Tensor noise = kernels::normal(
        sizes, {.seed = options_.seed, .stream = Stream::sample_start, .sample = sample},
        run_.compute.device);
    const double deviation = schedule_->prior_deviation();
    const at::Tensor start = deviation == 1 ? noise : noise * deviation;
    const auto steps = sampling::time_steps(schedule_->steps(), static_cast<int>(sampling_.steps));
    return sampling::inpaint(chain, sampling_, inpainting_, steps, start).cpu();
  }

  const TrainedRun& run_;
  const config::InpaintOptions& options_;
  config::SamplingConfig sampling_;
  std::unique_ptr<process::Schedule> schedule_;
  sampling::Inpainting inpainting_;
};

// "samples/step-00010000-repaint10x2-ddpm50-digit-n8-seed0.png"
fs::path default_output(const config::InpaintOptions& options, const TrainedRun& run,
                        const Settings& settings) {
  std::vector<std::string> parts{run.checkpoint.folder.filename().string(), options.method};
  if (options.method == "repaint") {
    parts.back() += std::to_string(settings.resamplings) + "x" + std::to_string(settings.jump);
  }
  parts.push_back(settings.sampling.sampler + std::to_string(settings.sampling.steps));
  parts.push_back(fs::path(options.image).stem().string());
  if (options.label) {
    parts.push_back("class" + std::to_string(*options.label));
    parts.push_back("guidance" + shortest(settings.sampling.guidance));
  }
  if (const std::string weights = weights_name(options); weights != "ema") parts.push_back(weights);
  parts.push_back("n" + std::to_string(options.count));
  parts.push_back("seed" + std::to_string(options.seed));
  return fs::path(options.run) / "samples" / (join(parts, "-") + ".png");
}

// One filling as it is; several as a grid that begins with what was known.
at::Tensor picture_of(const at::Tensor& fillings, const Subject& subject) {
  if (fillings.size(0) == 1) return fillings[0];
  const at::Tensor given = subject.known.masked_fill(subject.fill, 128).unsqueeze(0);
  const at::Tensor all = at::cat({given, fillings});
  return io::grid(all, io::square_columns(all.size(0), all.size(2), all.size(3)));
}

std::map<std::string, std::string> provenance(const config::InpaintOptions& options,
                                              const TrainedRun& run, const Settings& settings) {
  return {{"Software", "tinta"},
          {"seed", std::to_string(options.seed)},
          {"method", options.method},
          {"resamplings", std::to_string(settings.resamplings)},
          {"jump", std::to_string(settings.jump)},
          {"sampler", settings.sampling.sampler},
          {"steps", std::to_string(settings.sampling.steps)},
          {"class", options.label ? std::to_string(*options.label) : "none"},
          {"guidance", shortest(settings.sampling.guidance)},
          {"checkpoint", run.checkpoint.folder.filename().string()},
          {"weights", weights_name(options)},
          {"weights-sha256", run.weights_hash}};
}

std::string summary(const config::InpaintOptions& options, const fs::path& output,
                    const Subject& subject, double seconds) {
  const auto filled = subject.fill.sum().item<std::int64_t>();
  if (options.json) {
    nlohmann::ordered_json json = {
        {"count", options.count},  {"output", output.string()},      {"npz", nullptr},
        {"pixels_filled", filled}, {"pixels", subject.fill.numel()}, {"seconds", seconds}};
    if (!options.npz.empty()) json["npz"] = options.npz;
    return json.dump(2) + "\n";
  }
  std::string text = std::to_string(options.count) +
                     (options.count == 1 ? " filling of " : " fillings of ") +
                     std::to_string(filled) + " out of " + std::to_string(subject.fill.numel()) +
                     " pixels in " + duration(seconds) + "\n" + output.string() + "\n";
  if (!options.npz.empty()) text += options.npz + "\n";
  return text;
}

void require_sensible(const config::InpaintOptions& options, const TrainedRun& run) {
  const std::int64_t classes = run.config.model.classes;
  if (options.label && (*options.label < 0 || *options.label >= classes)) {
    throw ArgumentError("[--class] expected " +
                        (classes == 0 ? std::string("none: the network is unconditional")
                                      : "0 to " + std::to_string(classes - 1)) +
                        ", got " + std::to_string(*options.label));
  }
  if (options.count > kMostFillings) {
    throw ArgumentError("[inpaint] expected at most " + std::to_string(kMostFillings) +
                        " fillings, got " + std::to_string(options.count));
  }
}

}  // namespace

std::string run_inpaint(const config::InpaintOptions& options, const Sinks& sinks,
                        const StopRequested& stop) {
  const TrainedRun run = load_run(options.run, selection_of(options), options.machine, sinks);
  require_sensible(options, run);
  const Settings settings = settings_of(run, options);
  const fs::path output =
      options.output.empty() ? default_output(options, run, settings) : fs::path(options.output);
  refuse_existing(output, options.force);
  refuse_existing(options.npz, options.force);

  const Subject subject = read_subject(options, run.shape, sinks);
  const auto start = std::chrono::steady_clock::now();
  const kernels::ConstantWeights constant;
  const at::Tensor fillings = Filler(run, options, settings, subject).fill(sinks, stop);
  if (!fillings.defined()) return "";
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Existing existing = options.force ? Existing::replace : Existing::refuse;
  write_file(output,
             io::encode_png(picture_of(fillings, subject), provenance(options, run, settings)),
             existing);
  if (!options.npz.empty()) {
    write_file(options.npz,
               io::encode_npz({{"images", channels_last_array(fillings)},
                               {"known", channels_last_array(subject.known.unsqueeze(0))[0]},
                               {"fill", subject.fill}}),
               existing);
  }
  return summary(options, output, subject, seconds);
}

}  // namespace tinta::experiment
