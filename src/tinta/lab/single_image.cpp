#include "tinta/lab/single_image.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "tinta/core/text.h"
#include "tinta/data/condor.h"
#include "tinta/evaluation/quality.h"
#include "tinta/io/image.h"
#include "tinta/io/pixels.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/rows.h"
#include "tinta/model/init.h"
#include "tinta/model/unet.h"
#include "tinta/process/forward.h"
#include "tinta/training/fit.h"

namespace tinta::lab {
namespace {

using process::Prediction;

constexpr std::uint32_t kProbe = 0;  // steps of this row's own draws
constexpr std::uint32_t kFirstLevel = 1;

at::Tensor drawn(const at::Tensor& x0, std::int64_t count, std::uint64_t seed, std::uint32_t step) {
  return kernels::normal({count, x0.size(0), x0.size(1), x0.size(2)},
                         {.seed = seed, .stream = Stream::lab, .step = step});
}

double noise_mse(const process::Denoiser& denoiser, const process::VpSchedule& schedule,
                 const at::Tensor& x0, std::uint64_t seed) {
  constexpr int kLevels = 32;
  constexpr std::int64_t kDraws = 4;
  double sum = 0;
  for (int k = 0; k < kLevels; ++k) {
    const process::NoiseLevel level =
        schedule.level(1 + (2 * k + 1) * (schedule.steps() - 1) / (2 * kLevels));
    const at::Tensor eps = drawn(x0, kDraws, seed, kFirstLevel + static_cast<std::uint32_t>(k));
    const at::Tensor x_t = process::add_noise(level, x0.expand_as(eps).contiguous(), eps);
    sum += (denoiser.eps(x_t, level) - eps).square().mean().item<double>() / kLevels;
  }
  return sum;
}

at::Tensor drawn_portrait(const PortraitConfig& config, const process::Denoiser& denoiser,
                          const process::VpSchedule& schedule, const at::Tensor& x0,
                          std::uint64_t seed) {
  const std::vector<std::int64_t> sizes{1, x0.size(0), x0.size(1), x0.size(2)};
  const sampling::Chain chain{
      .schedule = schedule, .denoiser = denoiser, .noise = sampling::philox_noise(sizes, seed, 0)};
  const at::Tensor start = kernels::normal(sizes, {.seed = seed, .stream = Stream::sample_start});
  return config
      .sampler(chain, {}, sampling::time_steps(schedule.steps(), config.chain_steps), start)[0]
      .clamp(-1, 1);
}

}  // namespace

int probe_level(int steps) { return std::max(1, 3 * steps / 10); }

at::Tensor probe_noise(const at::Tensor& x0, std::uint64_t seed) {
  return drawn(x0, 1, seed, kProbe)[0];
}

Portrait learn_portrait(const PortraitConfig& config, const at::Tensor& x0, Prediction prediction,
                        std::uint64_t seed, const Context& context) {
  config::ModelConfig model = config.model;
  model.prediction = to_string(prediction);
  config::TrainingConfig training = config.training;
  training.seed = seed;
  model::UNet network(model);
  model::initialise(network, seed);
  const process::VpSchedule schedule(config.process);
  const process::NetworkDenoiser denoiser(network, {});
  const process::NoiseLevel level = schedule.level(probe_level(schedule.steps()));
  const at::Tensor probe = process::add_noise(level, x0, probe_noise(x0, seed)).unsqueeze(0);

  Portrait portrait{.predicted_before = denoiser.eps(probe, level)[0],
                    .mse_before = noise_mse(denoiser, schedule, x0, seed)};
  training::fit({.network = network,
                 .schedule = schedule,
                 .config = training,
                 .samples =
                     [&](std::uint64_t, std::int64_t count) {
                       return x0.expand({count, -1, -1, -1}).contiguous();
                     },
                 .after_step =
                     [&](std::int64_t step, double loss) {
                       portrait.losses.push_back(loss);
                       context.sinks.report(
                           {.what = "single-image",
                            .done = step,
                            .total = training.steps,
                            .detail = model.prediction + ", seed " + std::to_string(seed)});
                     },
                 .stop = context.stop});
  if (context.stopped()) return portrait;
  portrait.predicted_after = denoiser.eps(probe, level)[0];
  portrait.mse_after = noise_mse(denoiser, schedule, x0, seed);
  portrait.generated = drawn_portrait(config, denoiser, schedule, x0, seed);
  portrait.psnr = evaluation::psnr(portrait.generated.unsqueeze(0), x0.unsqueeze(0)).item<double>();
  return portrait;
}

PortraitConfig portrait_config(const Context& context, std::int64_t channels) {
  PortraitConfig config{.chain_steps = context.pick(1000, 100)};
  config.model = {.image_channels = channels,
                  .channels = context.pick<std::int64_t>(16, 8),
                  .multipliers = {1, 2, 2},
                  .blocks = 1,
                  .attention_levels = {},
                  .mid_attention = false,
                  .groups = 4};
  config.training = {.steps = context.steps.value_or(context.pick<std::int64_t>(1600, 400)),
                     .batch = context.pick<std::int64_t>(8, 16),
                     .learning_rate = context.pick(1e-2, 2e-2),
                     .warmup_steps = 50,
                     .decay = "cosine",
                     .ema_decay = context.pick(0.99, 0.98)};
  return config;
}

namespace {

at::Tensor scaled(const at::Tensor& image, std::int64_t side) {
  const std::int64_t longest = std::max(image.size(1), image.size(2));
  const auto of = [&](std::int64_t length) {
    return std::max<std::int64_t>(8, (length * side + longest / 2) / longest);
  };
  return io::resize(image, of(image.size(1)), of(image.size(2)));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

at::Tensor picture_of_noise(const at::Tensor& eps) { return io::to_bytes(eps / 3); }

figures::Panel picture_panel(const std::string& title, const at::Tensor& bytes) {
  return {.title = title, .layers = {figures::Picture{bytes}}};
}

// The first numbers of the flattened noise, true and, where given, predicted.
figures::Panel flattened_panel(const std::string& title, const at::Tensor& eps,
                               const at::Tensor& predicted) {
  const std::int64_t shown = std::min<std::int64_t>(96, eps.numel());
  const auto line = [&](const at::Tensor& values, const char* label, figures::Style style) {
    figures::Line out{.x = {}, .y = {}, .label = label, .style = style};
    const at::Tensor flat = values.flatten().to(at::kDouble);
    for (std::int64_t i = 0; i < shown; ++i) {
      out.x.push_back(static_cast<double>(i));
      out.y.push_back(flat[i].item<double>());
    }
    return out;
  };
  figures::Panel panel{.title = title,
                       .x = {.label = "place in the flattened noise"},
                       .y = {.label = "value", .low = -4, .high = 6},  // room for the legend
                       .layers = {line(eps, "ε", {.color = -2, .width = 2.4})},
                       .legend = figures::Legend::upper_right};
  if (predicted.defined()) {
    panel.layers.emplace_back(line(predicted, "ε<sub>θ</sub>", {.color = 0, .width = 0.9}));
  }
  return panel;
}

// Thesis figs. 3.1 and 3.2: pictures above, curves below, of both kinds of network.
figures::Figure noise_figure(const std::string& title, const at::Tensor& eps,
                             const at::Tensor& by_eps, const at::Tensor& by_v) {
  return {.title = title,
          .panels = {picture_panel("true noise ε", picture_of_noise(eps)),
                     picture_panel("predicted, trained on ε", picture_of_noise(by_eps)),
                     picture_panel("converted from <i>v</i>", picture_of_noise(by_v)),
                     flattened_panel("true noise", eps, {}),
                     flattened_panel("trained on ε", eps, by_eps),
                     flattened_panel("converted from <i>v</i>", eps, by_v)},
          .columns = 3};
}

figures::Line loss_line(const std::vector<double>& losses, const char* label, int color) {
  constexpr std::size_t kBlock = 20;
  figures::Line line{.x = {}, .y = {}, .label = label, .style = {.color = color}};
  for (std::size_t i = 0; i + kBlock <= losses.size(); i += kBlock) {
    double sum = 0;
    for (std::size_t j = i; j < i + kBlock; ++j) sum += losses[j];
    line.x.push_back(static_cast<double>(i + kBlock / 2));
    line.y.push_back(sum / kBlock);
  }
  return line;
}

// Thesis fig. 3.3: the picture, and what the networks draw.
figures::Figure drawn_figure(const at::Tensor& x0, const Portrait& by_eps, const Portrait& by_v) {
  const auto label = [](const char* what, double psnr) {
    return std::string(what) + ", " + fixed(psnr, 1) + " dB";
  };
  figures::Figure figure{.title = "One picture learned and drawn again",
                         .panels = {picture_panel("the picture", io::to_bytes(x0)),
                                    picture_panel(label("drawn, trained on <i>v</i>", by_v.psnr),
                                                  io::to_bytes(by_v.generated)),
                                    picture_panel(label("drawn, trained on ε", by_eps.psnr),
                                                  io::to_bytes(by_eps.generated))},
                         .columns = 2};
  if (by_v.losses.size() >= 20) {
    figure.panels.push_back({.title = "loss, means of 20 iterations",
                             .x = {.label = "iteration"},
                             .y = {.label = "loss", .scale = figures::Scale::log},
                             .layers = {loss_line(by_eps.losses, "trained on ε", 1),
                                        loss_line(by_v.losses, "trained on <i>v</i>", 0)}});
  }
  return figure;
}

struct Table {
  std::vector<double> psnr, before, after;

  void add(const Portrait& portrait) {
    psnr.push_back(portrait.psnr);
    before.push_back(portrait.mse_before);
    after.push_back(portrait.mse_after);
  }
  void save(const std::string& kind, Result& result) const {
    result.arrays["psnr_" + kind] = at::tensor(psnr, at::kDouble);
    result.arrays["noise_mse_before_" + kind] = at::tensor(before, at::kDouble);
    result.arrays["noise_mse_after_" + kind] = at::tensor(after, at::kDouble);
    const auto range = std::minmax_element(psnr.begin(), psnr.end());
    result.numbers.emplace_back("psnr_" + kind + "_median_db", median(psnr));
    result.numbers.emplace_back("psnr_" + kind + "_lowest_db", *range.first);
    result.numbers.emplace_back("psnr_" + kind + "_highest_db", *range.second);
    result.numbers.emplace_back("noise_mse_before_" + kind, median(before));
    result.numbers.emplace_back("noise_mse_after_" + kind, median(after));
  }
};

std::string reading_of(const Table& v, const Table& eps, const PortraitConfig& config) {
  const auto seeds = static_cast<long>(v.psnr.size());
  return "A U-Net sees one picture only, for " + std::to_string(config.training.steps) +
         " iterations of batch " + std::to_string(config.training.batch) +
         ", T = " + std::to_string(config.process.steps) +
         "; q(x_0) is a delta, and all that there is to learn is where it stands. Trained on v and "
         "asked for the noise by conversion, its error falls from " +
         fixed(median(v.before), 3) + " to " + fixed(median(v.after), 4) +
         " (mean square a number), and from pure noise it draws the picture at " +
         fixed(median(v.psnr), 1) + " dB" +
         (seeds > 1 ? ", the median of " + std::to_string(seeds) + " seeds" : std::string()) +
         ". Trained on eps, as the thesis does, the error falls from " +
         fixed(median(eps.before), 3) + " to " + fixed(median(eps.after), 4) +
         ", and the drawing reaches " + fixed(median(eps.psnr), 1) +
         " dB. At large t eps leaves x_0 to be found from (x_t - s eps)/a with a near zero, so "
         "that a "
         "small error of eps there can shift the colours of the whole picture: what eps draws "
         "depends more on the seed than what v does, for better or worse (the clamp of x_0 to the "
         "range of pixels at each step keeps it in bounds). Before training the networks answer "
         "zero; that is no noise for eps, and s x_t by "
         "conversion from v, which is most of the noise already where s is near 1.";
}

}  // namespace

Result single_image_row(const Context& context, const PortraitConfig& config, const at::Tensor& x0,
                        std::int64_t repeats, const WantedPsnr& wanted) {
  Table v, eps;
  Portrait first_v, first_eps;
  for (std::int64_t i = 0; i < repeats; ++i) {
    const std::uint64_t seed = context.seed + static_cast<std::uint64_t>(i);
    Portrait by_v = learn_portrait(config, x0, Prediction::v, seed, context);
    if (context.stopped()) return {};
    Portrait by_eps = learn_portrait(config, x0, Prediction::eps, seed, context);
    if (context.stopped()) return {};
    v.add(by_v), eps.add(by_eps);
    if (i == 0) first_v = std::move(by_v), first_eps = std::move(by_eps);
  }
  Result result{.reading = reading_of(v, eps, config)};
  v.save("v", result), eps.save("eps", result);
  const at::Tensor probe = probe_noise(x0, context.seed);
  result.arrays["x0"] = x0;
  result.arrays["noise"] = probe;
  const auto keep = [&](const std::string& kind, const Portrait& portrait) {
    result.arrays["predicted_before_" + kind] = portrait.predicted_before;
    result.arrays["predicted_after_" + kind] = portrait.predicted_after;
    result.arrays["generated_" + kind] = portrait.generated;
    result.arrays["loss_" + kind] = at::tensor(portrait.losses, at::kDouble);
  };
  keep("v", first_v), keep("eps", first_eps);
  result.checks = {
      {.what = "PSNR of the generated picture, v-prediction, median over seeds, dB",
       .value = median(v.psnr),
       .expected = wanted.psnr,
       .tolerance = wanted.slack,
       .comparison = Comparison::at_least,
       .basis = wanted.basis,
       .arrays = {"psnr_v", "generated_v", "x0"}},
      {.what = "noise error after training over before, v-prediction, median over seeds",
       .value = median(v.after) / median(v.before),
       .expected = 0.1,
       .comparison = Comparison::at_most,
       .basis = "a tenth: predicting no more than the picture's mean colour stays above it",
       .arrays = {"noise_mse_after_v", "noise_mse_before_v"}},
      {.what = "noise error after training over before, eps-prediction, median over seeds",
       .value = median(eps.after) / median(eps.before),
       .expected = 0.1,
       .comparison = Comparison::at_most,
       .basis = "a tenth",
       .arrays = {"noise_mse_after_eps", "noise_mse_before_eps"}}};
  const std::string at =
      "t = " + std::to_string(probe_level(static_cast<int>(config.process.steps)));
  result.figures = {
      {"", drawn_figure(x0, first_eps, first_v)},
      {"before", noise_figure("True and predicted noise before training, " + at, probe,
                              first_eps.predicted_before, first_v.predicted_before)},
      {"after", noise_figure("True and predicted noise after training, " + at, probe,
                             first_eps.predicted_after, first_v.predicted_after)}};
  return result;
}

Result single_image(const Context& context) {
  const std::int64_t side = context.pick<std::int64_t>(32, 16);
  const at::Tensor picture =
      context.image.defined() ? scaled(context.image, side) : data::draw_condor(side, side);
  return single_image_row(
      context, portrait_config(context, picture.size(0)), io::from_bytes(picture),
      context.repeats.value_or(1),
      context.effort == Effort::full
          ? WantedPsnr{}
          : WantedPsnr{.slack = 8,
                       .basis = "a quarter of the iterations of a net half as wide: seeds spread "
                                "over 25 to 34 dB, and the mean colour alone has 13"});
}

}  // namespace tinta::lab
