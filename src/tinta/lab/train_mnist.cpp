#include "tinta/lab/train_mnist.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "tinta/core/text.h"
#include "tinta/evaluation/quality.h"
#include "tinta/io/pixels.h"
#include "tinta/lab/average.h"
#include "tinta/lab/denoised.h"
#include "tinta/lab/rows.h"

namespace tinta::lab {
namespace {

// PSNR and SSIM of one kind of picture at every level, [R,N] double.
struct Scores {
  std::string name;   // "restored", in arrays
  std::string label;  // in figures
  int color = 0;
  at::Tensor psnr{}, ssim{};
};

struct Measured {
  std::vector<Denoised> levels;
  std::vector<Scores> scores;  // noisy, restored, wiener, nlm
  std::vector<int> curve;      // levels of the noise's error
  at::Tensor noise_model{};    // [L,N] double
  at::Tensor noise_gaussian{};
};

int level_of(const process::VpSchedule& schedule, double share) {
  return std::max(1, static_cast<int>(std::lround(share * schedule.steps())));
}

Measured measure(const Context& context, const DigitsModel& model,
                 const process::Denoiser& denoiser, const at::Tensor& x0) {
  const Classical classical =
      fit_classical(first_pictures(model.train, context.pick<std::int64_t>(10000, 2000)));
  const process::VpSchedule schedule = model.schedule();
  Measured all{.levels = {},
               .scores = {{"noisy", "noisy", -2},
                          {"restored", "restored by the model", 0},
                          {"wiener", "PCA-Wiener", 1},
                          {"nlm", "non-local means", 2}},
               .curve = {}};
  for (const double share : {0.05, 0.1, 0.2, 0.4}) {
    if (context.stopped()) return all;
    all.levels.push_back(
        denoise_at(denoiser, schedule, classical, x0, level_of(schedule, share), context.seed));
  }
  const std::array<at::Tensor Denoised::*, 4> kinds = {&Denoised::noisy, &Denoised::restored,
                                                       &Denoised::wiener, &Denoised::nlm};
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    std::vector<at::Tensor> psnr, ssim;
    for (const Denoised& level : all.levels) {
      psnr.push_back(evaluation::psnr(level.*kinds[k], x0));
      ssim.push_back(evaluation::ssim(level.*kinds[k], x0));
    }
    all.scores[k].psnr = at::stack(psnr), all.scores[k].ssim = at::stack(ssim);
  }
  std::vector<at::Tensor> by_model, by_gaussian;
  for (const double share : {0.01, 0.03, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0}) {
    if (context.stopped()) return all;
    all.curve.push_back(level_of(schedule, share));
    const NoiseErrors errors =
        noise_errors(denoiser, schedule, classical, x0, all.curve.back(), context.seed);
    by_model.push_back(errors.model), by_gaussian.push_back(errors.gaussian);
  }
  all.noise_model = at::stack(by_model), all.noise_gaussian = at::stack(by_gaussian);
  return all;
}

// The classical denoiser that is best at level number r.
const Scores& best_classical(const Measured& all, std::int64_t r) {
  return mean_of(all.scores[2].psnr[r]) > mean_of(all.scores[3].psnr[r]) ? all.scores[2]
                                                                         : all.scores[3];
}

std::vector<Check> checks_of(const Context& context, const Measured& all, int highest) {
  std::vector<Check> checks;
  for (const std::int64_t r : {1, 2}) {
    const std::string at =
        "t = " + std::to_string(all.levels[static_cast<std::size_t>(r)].t) + ", dB";
    const at::Tensor restored = all.scores[1].psnr[r];
    const Scores& classical = best_classical(all, r);
    checks.push_back(gain_check("PSNR of the restored pictures over the noisy ones, " + at,
                                restored - all.scores[0].psnr[r], context.pick(6.0, 4.0),
                                {"psnr_restored", "psnr_noisy"}));
    checks.push_back(gain_check("PSNR of the restored pictures over " + classical.label + ", " + at,
                                restored - classical.psnr[r], context.pick(1.0, 0.3),
                                {"psnr_restored", "psnr_" + classical.name}));
  }
  checks.push_back(gain_check(
      "SSIM of the restored pictures over the noisy ones, t = " + std::to_string(all.levels[2].t),
      all.scores[1].ssim[2] - all.scores[0].ssim[2], context.pick(0.2, 0.1),
      {"ssim_restored", "ssim_noisy"}));
  double worst = 0;
  for (std::size_t l = 0; l < all.curve.size() && all.curve[l] <= highest; ++l) {
    const auto i = static_cast<std::int64_t>(l);
    worst = std::max(worst, mean_of(all.noise_model[i]) / mean_of(all.noise_gaussian[i]));
  }
  checks.push_back(
      {.what = "noise error over that of a Gaussian model of the data, the largest over "
               "t up to T / 2",
       .value = worst,
       .expected = 1,
       .tolerance = context.pick(0.0, 0.25),
       .comparison = Comparison::at_most,
       .basis = "who knows more than mean and covariance predicts better, as long as x_t "
                "says something of x_0; a network trained for seconds has not learned all of that",
       .arrays = {"noise_t", "noise_mse_model", "noise_mse_gaussian"}});
  return checks;
}

figures::Markers with_errors(const std::vector<int>& ts, const at::Tensor& values, int color) {
  figures::Markers out{.x = {}, .y = {}, .style = {.color = color}};
  for (std::size_t l = 0; l < ts.size(); ++l) {
    const at::Tensor row = values[static_cast<std::int64_t>(l)];
    out.x.push_back(ts[l]);
    out.y.push_back(mean_of(row));
    out.error.push_back(error_of(row));
  }
  return out;
}

void add_curve(figures::Panel& panel, const std::vector<int>& ts, const at::Tensor& values,
               const std::string& label, int color) {
  const figures::Markers markers = with_errors(ts, values, color);
  const auto dash = color == 0 ? figures::Dash::solid : figures::Dash::dashed;
  panel.layers.push_back(figures::Line{
      .x = markers.x, .y = markers.y, .label = label, .style = {.color = color, .dash = dash}});
  panel.layers.push_back(markers);
}

figures::Figure curves_figure(const DigitsModel& model, const Measured& all) {
  std::vector<int> ts;
  for (const Denoised& level : all.levels) ts.push_back(level.t);
  figures::Panel psnr{.title = "distance to the clean picture",
                      .x = {.label = "<i>t</i>"},
                      .y = {.label = "PSNR, dB"}};
  figures::Panel ssim{
      .title = "likeness", .x = {.label = "<i>t</i>"}, .y = {.label = "SSIM"}, .legend = {}};
  for (const Scores& scores : all.scores) {
    add_curve(psnr, ts, scores.psnr, scores.label, scores.color);
    add_curve(ssim, ts, scores.ssim, "", scores.color);
  }
  figures::Panel noise{
      .title = "error of the predicted noise",
      .x = {.label = "<i>t</i>"},
      .y = {.label = "mean |ε − ε<sub>θ</sub>|² a number", .scale = figures::Scale::log}};
  add_curve(noise, all.curve, all.noise_model, "the model", 0);
  add_curve(noise, all.curve, all.noise_gaussian, "Gaussian of the data's covariance", 1);
  figures::Figure figure{.title = "Noise removed from pictures that the model has not seen",
                         .panels = {psnr, ssim, noise},
                         .columns = 2};
  if (!model.losses.empty()) {
    figures::Line line{.x = {}, .y = {}};
    constexpr std::size_t kBlock = 20;
    for (std::size_t i = 0; i + kBlock <= model.losses.size(); i += kBlock) {
      double sum = 0;
      for (std::size_t j = i; j < i + kBlock; ++j) sum += model.losses[j];
      line.x.push_back(static_cast<double>(i + kBlock / 2));
      line.y.push_back(sum / kBlock);
    }
    figure.panels.push_back({.title = "training loss, means of 20 steps",
                             .x = {.label = "step"},
                             .y = {.label = "loss", .scale = figures::Scale::log},
                             .layers = {line},
                             .legend = figures::Legend::none});
  }
  return figure;
}

figures::Panel strip(const std::string& title, const at::Tensor& pictures) {
  constexpr std::int64_t kShown = 10;
  const at::Tensor shown =
      io::to_bytes(pictures.slice(0, 0, std::min(kShown, pictures.size(0))).clamp(-1, 1));
  return {.title = title, .layers = {figures::Picture{io::grid(shown, shown.size(0))}}};
}

figures::Figure pictures_figure(const Measured& all, const at::Tensor& x0) {
  figures::Figure figure{.title = "From x<sub>t</sub> back to x<sub>0</sub>",
                         .panels = {strip("x<sub>0</sub>", x0)},
                         .columns = 1,
                         .panel_width = 380,
                         .panel_height = 42};
  for (const std::size_t r : {1UL, 2UL, 3UL}) {
    const Denoised& level = all.levels[r];
    const bool wiener = &best_classical(all, static_cast<std::int64_t>(r)) == &all.scores[2];
    figure.panels.push_back(
        strip("x<sub>t</sub>, <i>t</i> = " + std::to_string(level.t), level.x_t));
    figure.panels.push_back(strip("restored by the model", level.restored));
    figure.panels.push_back(wiener ? strip("restored by PCA-Wiener", level.wiener)
                                   : strip("restored by non-local means", level.nlm));
  }
  return figure;
}

std::string reading_of(const DigitsModel& model, const Measured& all) {
  const auto psnr = [&](std::size_t kind, std::int64_t r) {
    return fixed(mean_of(all.scores[kind].psnr[r]), 1);
  };
  std::string text = model.origin + ", meets " + std::to_string(all.scores[0].psnr.size(1)) +
                     " pictures that it has not seen, after the forward process. ";
  for (const std::int64_t r : {1, 2}) {
    text += "At t = " + std::to_string(all.levels[static_cast<std::size_t>(r)].t) +
            " it takes them from " + psnr(0, r) + " to " + psnr(1, r) +
            " dB; of the classical denoisers PCA-Wiener reaches " + psnr(2, r) +
            " and non-local means " + psnr(3, r) + ". ";
  }
  return text +
         "One estimate of x_0 is a posterior mean, the best there is in squared error, and "
         "blurs what the noise has made uncertain, the more the greater t. The error of the "
         "predicted noise falls "
         "with t for every predictor, since x_t becomes the noise itself; what tells them apart is "
         "their ratio to a predictor that knows the data's mean and covariance alone, and at T, "
         "where "
         "x_t says nothing of x_0, not even that.";
}

void save(const Measured& all, const at::Tensor& x0, const process::VpSchedule& schedule,
          Result& result) {
  std::vector<std::int64_t> ts, curve(all.curve.begin(), all.curve.end());
  std::vector<double> alpha_bar;
  std::vector<at::Tensor> x_t, restored, wiener, nlm;
  for (const Denoised& level : all.levels) {
    ts.push_back(level.t);
    alpha_bar.push_back(schedule.alpha_bar(level.t));
    x_t.push_back(level.x_t), restored.push_back(level.restored);
    wiener.push_back(level.wiener), nlm.push_back(level.nlm);
  }
  result.arrays = {{"x0", x0},
                   {"t", at::tensor(ts)},
                   {"alpha_bar", at::tensor(alpha_bar, at::kDouble)},
                   {"x_t", at::stack(x_t)},
                   {"restored", at::stack(restored)},
                   {"wiener", at::stack(wiener)},
                   {"nlm", at::stack(nlm)},
                   {"noise_t", at::tensor(curve)},
                   {"noise_mse_model", all.noise_model},
                   {"noise_mse_gaussian", all.noise_gaussian}};
  for (const Scores& scores : all.scores) {
    result.arrays["psnr_" + scores.name] = scores.psnr;
    result.arrays["ssim_" + scores.name] = scores.ssim;
    for (std::size_t r = 0; r < ts.size(); ++r) {
      const auto row = static_cast<std::int64_t>(r);
      const std::string tail = "_" + scores.name + "_t" + std::to_string(ts[r]);
      result.numbers.emplace_back("psnr" + tail + "_db", mean_of(scores.psnr[row]));
      result.numbers.emplace_back("ssim" + tail, mean_of(scores.ssim[row]));
    }
  }
  for (std::size_t l = 0; l < curve.size(); ++l) {
    const auto row = static_cast<std::int64_t>(l);
    const std::string tail = "_t" + std::to_string(curve[l]);
    result.numbers.emplace_back("noise_mse_model" + tail, mean_of(all.noise_model[row]));
    result.numbers.emplace_back("noise_mse_gaussian" + tail, mean_of(all.noise_gaussian[row]));
  }
}

}  // namespace

Result denoising_row(const Context& context, const DigitsModel& model,
                     const process::Denoiser& denoiser) {
  const at::Tensor x0 = first_pictures(model.test, context.pick<std::int64_t>(256, 64));
  const Measured all = measure(context, model, denoiser, x0);
  if (context.stopped()) return {};
  Result result{.reading = reading_of(model, all),
                .checks = checks_of(context, all, model.schedule().steps() / 2)};
  save(all, x0, model.schedule(), result);
  result.figures = {{"", curves_figure(model, all)}, {"pictures", pictures_figure(all, x0)}};
  return result;
}

Result train_mnist(const Context& context) {
  const auto model = digits_model(context);
  if (model == nullptr) return {};
  return denoising_row(context, *model, process::NetworkDenoiser(*model->network, {}));
}

}  // namespace tinta::lab
