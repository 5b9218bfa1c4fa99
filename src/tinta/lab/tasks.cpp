#include "tinta/lab/tasks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

#include "tinta/core/text.h"
#include "tinta/evaluation/quality.h"
#include "tinta/experiment/generate.h"
#include "tinta/io/pixels.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/average.h"
#include "tinta/lab/denoised.h"
#include "tinta/lab/rows.h"

namespace tinta::lab {
namespace {

// Pictures from noise, [N,C,H,W] float32 in [-1, 1]; undefined when stopped.
at::Tensor drawn(const TaskInput& input, const at::Tensor& labels, double guidance) {
  const config::SamplingConfig sampling{
      .steps = std::min<std::int64_t>(input.sizes.steps, input.model.schedule().steps()),
      .guidance = guidance};
  const at::Tensor bytes = experiment::generate({.network = *input.model.network,
                                                 .process = input.model.config.process,
                                                 .sampling = sampling,
                                                 .shape = experiment::shape_of(input.model.test),
                                                 .compute = {},
                                                 .labels = labels,
                                                 .count = labels.size(0),
                                                 .seed = input.context.seed},
                                                input.context.sinks, input.context.stop);
  return bytes.defined() ? io::from_bytes(bytes) : bytes;
}

figures::Panel grid_panel(const std::string& title, const at::Tensor& pictures,
                          std::int64_t columns) {
  return {.title = title,
          .layers = {figures::Picture{io::grid(io::to_bytes(pictures.clamp(-1, 1)), columns)}}};
}

// Distance of each picture to the nearest of others, in the classifier's components: [N] double.
at::Tensor nearest_distance(const GaussianClassifier& classifier, const at::Tensor& pictures,
                            const at::Tensor& others) {
  return std::get<0>(at::cdist(classifier.project(pictures), classifier.project(others)).min(1));
}

// Pictures of a Gaussian with the data's mean and covariance, clipped: all that a linear model
// knows.
at::Tensor gaussian_pictures(const at::Tensor& train, at::IntArrayRef sizes, std::uint64_t seed) {
  const at::Tensor flat = train.flatten(1).to(at::kDouble);
  const at::Tensor centred = flat - flat.mean(0);
  const auto [values, vectors] =
      at::linalg_eigh(centred.t().matmul(centred) / static_cast<double>(flat.size(0)));
  const at::Tensor z =
      kernels::normal(sizes, {.seed = seed, .stream = Stream::lab}).flatten(1).to(at::kDouble);
  return (flat.mean(0) + (z * values.clamp_min(0).sqrt()).matmul(vectors.t()))
      .clamp(-1, 1)
      .view(sizes)
      .to(at::kFloat);
}

// Share of each picture's pixels that are grey, |x| < 1/2: [N] double.
at::Tensor greyness(const at::Tensor& pictures) {
  return (pictures.abs() < 0.5).to(at::kDouble).mean({1, 2, 3});
}

}  // namespace

TaskReport denoising_task(const TaskInput& input) {
  const Classical classical =
      fit_classical(first_pictures(input.model.train, input.sizes.training));
  const at::Tensor x0 = input.held_out.slice(0, 0, input.sizes.denoised);
  const int t = std::max(1, input.model.schedule().steps() / 5);
  const process::NetworkDenoiser denoiser(*input.model.network, {});
  const Denoised all =
      denoise_at(denoiser, input.model.schedule(), classical, x0, t, input.context.seed);
  const at::Tensor noisy = evaluation::psnr(all.noisy, x0);
  const at::Tensor restored = evaluation::psnr(all.restored, x0);
  const at::Tensor wiener = evaluation::psnr(all.wiener, x0);
  const at::Tensor nlm = evaluation::psnr(all.nlm, x0);
  const at::Tensor best = mean_of(wiener) > mean_of(nlm) ? wiener : nlm;
  TaskReport report;
  report.reading = "Denoising: at t = " + std::to_string(t) + " the model takes " +
                   std::to_string(x0.size(0)) + " held-out pictures from " +
                   fixed(mean_of(noisy), 1) + " to " + fixed(mean_of(restored), 1) +
                   " dB; PCA-Wiener reaches " + fixed(mean_of(wiener), 1) +
                   " and non-local means " + fixed(mean_of(nlm), 1) + ".";
  const std::vector<std::string> arrays{"denoise_x0", "denoise_restored", "denoise_noisy",
                                        "denoise_wiener", "denoise_nlm"};
  report.checks = {gain_check("PSNR restored over noisy, dB", restored - noisy,
                              input.context.pick(6.0, 4.0), arrays),
                   gain_check("PSNR restored over the best classical denoiser, dB", restored - best,
                              input.context.pick(1.0, 0.3), arrays)};
  report.arrays = {{"denoise_x0", x0},
                   {"denoise_noisy", all.noisy},
                   {"denoise_restored", all.restored},
                   {"denoise_wiener", all.wiener},
                   {"denoise_nlm", all.nlm}};
  report.numbers = {{"denoise_psnr_noisy_db", mean_of(noisy)},
                    {"denoise_psnr_restored_db", mean_of(restored)},
                    {"denoise_psnr_wiener_db", mean_of(wiener)},
                    {"denoise_psnr_nlm_db", mean_of(nlm)}};
  constexpr std::int64_t kShown = 10;
  const auto row = [&](const at::Tensor& pictures) { return pictures.slice(0, 0, kShown); };
  report.panel = grid_panel("denoising: x<sub>0</sub>, x<sub>t</sub>, restored, classical",
                            at::cat({row(x0), row(all.x_t), row(all.restored),
                                     row(mean_of(wiener) > mean_of(nlm) ? all.wiener : all.nlm)}),
                            kShown);
  return report;
}

TaskReport generation_task(const TaskInput& input) {
  const std::int64_t count = input.sizes.generated;
  const at::Tensor labels = at::full({count}, input.model.classes(), at::kLong);
  const at::Tensor pictures = drawn(input, labels, 1);
  if (!pictures.defined()) return {};
  const at::Tensor train = first_pictures(input.model.train, input.sizes.training);
  const at::Tensor linear = gaussian_pictures(train, pictures.sizes(), input.context.seed);
  const at::Tensor held_out = input.held_out.slice(0, 0, count);
  const at::Tensor grey = greyness(pictures), grey_linear = greyness(linear);
  const at::Tensor distance = nearest_distance(input.classifier, pictures, train);
  const at::Tensor distance_held_out = nearest_distance(input.classifier, held_out, train);
  const auto percent = [](const at::Tensor& shares) {
    return fixed(100 * mean_of(shares), 1) + "%";
  };
  TaskReport report;
  report.reading =
      "Generation: pixels of a digit are black or white, " + percent(greyness(held_out)) +
      " of them grey (|x| < 1/2); of " + std::to_string(count) +
      " pictures of no class in particular, " + percent(grey) +
      " are, and of draws of a Gaussian with the data's mean and covariance, all that a linear "
      "model "
      "knows, " +
      percent(grey_linear) + ". The pictures lie " + fixed(mean_of(distance), 2) +
      " from their nearest training picture (in the classifier's principal components), held-out "
      "ones " +
      fixed(mean_of(distance_held_out), 2) + "; the nearest of all lies at " +
      fixed(distance.min().item<double>(), 2) + ", where a copy would lie at 0.";
  report.checks = {
      {.what = "share of grey pixels in a Gaussian's draws less that in the model's",
       .value = mean_of(grey_linear) - mean_of(grey),
       .expected = 5 * std::hypot(error_of(grey), error_of(grey_linear)),
       .comparison = Comparison::at_least,
       .basis = "5 standard errors above none: wrong in 3e-7 of samples where there is no gain",
       .arrays = {"generate_images", "generate_images_gaussian"}},
      {.what = "smallest distance of the model's pictures over that of held-out ones",
       .value = distance.min().item<double>() / distance_held_out.min().item<double>(),
       .expected = 0.2,
       .comparison = Comparison::at_least,
       .basis = "a copy of a training picture stands at 0",
       .arrays = {"generate_distance", "generate_distance_held_out"}}};
  report.arrays = {{"generate_images", pictures},
                   {"generate_images_gaussian", linear},
                   {"generate_distance", distance},
                   {"generate_distance_held_out", distance_held_out}};
  report.numbers = {{"generate_grey_share", mean_of(grey)},
                    {"generate_grey_share_gaussian", mean_of(grey_linear)},
                    {"generate_grey_share_held_out", mean_of(greyness(held_out))},
                    {"generate_distance", mean_of(distance)},
                    {"generate_distance_held_out", mean_of(distance_held_out)}};
  report.panel = grid_panel("generation", pictures.slice(0, 0, 40), 10);
  return report;
}

TaskReport conditioned_task(const TaskInput& input) {
  const std::int64_t classes = input.model.classes();
  std::vector<std::int64_t> each(static_cast<std::size_t>(classes));
  std::iota(each.begin(), each.end(), 0);
  const std::int64_t count = classes * input.sizes.of_each;
  const at::Tensor labels = experiment::labels_in_turn(each, count);
  constexpr double kGuidance = 2;
  const at::Tensor pictures = drawn(input, labels, kGuidance);
  if (!pictures.defined()) return {};
  const at::Tensor named = input.classifier.classify(pictures);
  const Share share = agreement(named, labels);
  const at::Tensor held_out_named = input.classifier.classify(input.held_out);
  const Share real = agreement(held_out_named, input.labels);
  TaskReport report;
  report.reading = "Conditioned generation: of " + std::to_string(count) +
                   " pictures asked for by class, at guidance " + fixed(kGuidance, 0) +
                   ", the classifier recognises " + share.text() +
                   " as what was asked for; of real held-out pictures, " + real.text() + ".";
  report.checks = {{.what = "share of the pictures recognised as the class asked for",
                    .value = share.value(),
                    .expected = input.context.pick(0.8, 0.6),
                    .tolerance = 5 * share.standard_error(),
                    .comparison = Comparison::at_least,
                    .basis = "5 standard errors of a binomial share; chance is one in " +
                             std::to_string(classes),
                    .arrays = {"condition_labels", "condition_recognised"}},
                   {.what = "share of real held-out pictures that the classifier recognises",
                    .value = real.value(),
                    .expected = 0.85,
                    .tolerance = 5 * real.standard_error(),
                    .comparison = Comparison::at_least,
                    .basis = "a judge who errs more often says little; 5 standard errors",
                    .arrays = {"held_out_labels", "held_out_recognised"}}};
  report.arrays = {{"condition_images", pictures},
                   {"condition_labels", labels},
                   {"condition_recognised", named},
                   {"held_out_labels", input.labels},
                   {"held_out_recognised", held_out_named}};
  report.numbers = {{"condition_recognised", share.value()}, {"held_out_recognised", real.value()}};
  report.panel = grid_panel("conditioned generation, a column for each class",
                            pictures.slice(0, 0, 4 * classes), classes);
  return report;
}

TaskSizes task_sizes(const Context& context) {
  if (context.effort == Effort::full) return {};
  return {.denoised = 32,
          .filled = 96,
          .generated = 80,
          .of_each = 8,
          .steps = 20,
          .resamplings = 3,
          .training = 2000};
}

Result tasks_row(const Context& context, const DigitsModel& model, const TaskSizes& sizes) {
  const at::Tensor train = first_pictures(model.train, sizes.training);
  const GaussianClassifier classifier(train, model.train.labels.slice(0, 0, train.size(0)),
                                      model.classes());
  const at::Tensor held_out = first_pictures(model.test, context.pick<std::int64_t>(1000, 400));
  const TaskInput input{.context = context,
                        .model = model,
                        .classifier = classifier,
                        .sizes = sizes,
                        .held_out = held_out,
                        .labels = model.test.labels.slice(0, 0, held_out.size(0))};
  Result result{.reading =
                    model.origin + ", does four tasks, of which it was trained for the first."};
  figures::Figure figure{.title = "Four tasks, one model",
                         .panels = {},
                         .columns = 2,
                         .panel_width = 300,
                         .panel_height = 130};
  for (const auto task : {denoising_task, inpainting_task, generation_task, conditioned_task}) {
    TaskReport report = task(input);
    if (context.stopped()) return {};
    result.reading += " " + report.reading;
    std::move(report.checks.begin(), report.checks.end(), std::back_inserter(result.checks));
    result.arrays.merge(report.arrays);
    std::move(report.numbers.begin(), report.numbers.end(), std::back_inserter(result.numbers));
    figure.panels.push_back(std::move(report.panel));
  }
  result.figures = {{"", std::move(figure)}};
  return result;
}

Result tasks(const Context& context) {
  const auto model = digits_model(context);
  if (model == nullptr) return {};
  if (model->classes() == 0 || !model->train.labels.defined()) {
    return {.skipped = "the run's network knows no classes, and conditioned generation needs them"};
  }
  return tasks_row(context, *model, task_sizes(context));
}

}  // namespace tinta::lab
