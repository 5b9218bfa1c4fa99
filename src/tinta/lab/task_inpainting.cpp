#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/text.h"
#include "tinta/io/pixels.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/average.h"
#include "tinta/lab/tasks.h"
#include "tinta/sampling/inpaint.h"

namespace tinta::lab {
namespace {

// [1,H,W]: the lower half.
at::Tensor lower_half(const at::Tensor& pictures) {
  at::Tensor fill = at::zeros({1, pictures.size(2), pictures.size(3)}, at::kBool);
  fill.slice(1, pictures.size(2) / 2).fill_(true);
  return fill;
}

at::Tensor filled(const TaskInput& input, const at::Tensor& x0, const at::Tensor& fill,
                  int resamplings) {
  const process::NetworkDenoiser denoiser(*input.model.network, {});
  const process::VpSchedule schedule = input.model.schedule();
  const int steps = std::min(static_cast<int>(input.sizes.steps), schedule.steps());
  const sampling::Chain chain{
      .schedule = schedule,
      .denoiser = denoiser,
      .noise = sampling::philox_noise(x0.sizes(), input.context.seed, 0, Stream::inpaint),
      .progress =
          [&](int done, int total) {
            input.context.sinks.report(
                {.what = "tasks", .done = done, .total = total, .detail = "inpainting"});
          },
      .stop = input.context.stop};
  const at::Tensor start =
      kernels::normal(x0.sizes(), {.seed = input.context.seed, .stream = Stream::sample_start});
  return sampling::inpaint(chain, {.sampler = "ddpm"},
                           {.known = x0, .fill = fill, .resamplings = resamplings, .jump = 2},
                           sampling::time_steps(schedule.steps(), steps), start);
}

// Mean squared error of each picture over the part to be filled: [N] double.
at::Tensor error_in(const at::Tensor& pictures, const at::Tensor& x0, const at::Tensor& fill) {
  const at::Tensor weight = fill.to(at::kDouble);
  return ((pictures - x0).to(at::kDouble).square() * weight).sum({1, 2, 3}) /
         (weight.sum() * x0.size(1));
}

// The step across the edge of the mask, less than which the true picture has of itself: of each
// picture, the mean absolute difference between the last known row and the first filled one.
at::Tensor seam(const at::Tensor& pictures) {
  const std::int64_t row = pictures.size(2) / 2;
  return (pictures.select(2, row) - pictures.select(2, row - 1)).abs().to(at::kDouble).mean({1, 2});
}

// One way of filling in, and how it went.
struct Filled {
  std::string name;       // in arrays and numbers
  at::Tensor pictures{};  // [N,C,H,W]
  at::Tensor error{};     // [N] double, over the filled part
  double step = 0;        // across the edge
  Share recognised{};
};

struct Trial {
  at::Tensor x0, labels, fill;
  Filled repaint, replace, blind, truth;
};

Filled judged(const TaskInput& input, const Trial& trial, const std::string& name,
              const at::Tensor& pictures) {
  return {.name = name,
          .pictures = pictures,
          .error = error_in(pictures, trial.x0, trial.fill),
          .step = mean_of(seam(pictures)),
          .recognised = agreement(input.classifier.classify(pictures), trial.labels)};
}

std::string reading_of(const Trial& trial) {
  const auto error = [](const Filled& filled) { return fixed(mean_of(filled.error), 3); };
  const auto step = [](const Filled& filled) { return fixed(filled.step, 3); };
  return "Inpainting: the lower half of " + std::to_string(trial.x0.size(0)) +
         " held-out pictures is filled in. RePaint comes to a mean squared error of " +
         error(trial.repaint) + " there, replacement to " + error(trial.replace) +
         ", and the lower half of another picture to " + error(trial.blind) +
         "; the step across the edge is " + step(trial.repaint) + ", " + step(trial.replace) +
         " and " + step(trial.blind) + ", in the true pictures " + step(trial.truth) +
         ". The class is recognised in " + trial.repaint.recognised.text() + " of RePaint's, " +
         trial.replace.recognised.text() + " of replacement's, " + trial.blind.recognised.text() +
         " of those with another's half, and " + trial.truth.recognised.text() +
         " of the true ones: half a digit does not always tell which it was.";
}

std::vector<Check> checks_of(const Trial& trial) {
  const auto changed = [&](const Filled& filled) {
    return (filled.pictures != trial.x0).logical_and(trial.fill.logical_not()).sum().item<double>();
  };
  const at::Tensor gain = trial.blind.error - trial.repaint.error;
  const at::Tensor excess = trial.repaint.error - trial.replace.error;
  return {{.what = "known pixels that RePaint or replacement changed",
           .value = changed(trial.repaint) + changed(trial.replace),
           .expected = 0,
           .basis = "they are kept bit for bit",
           .arrays = {"inpaint_x0", "inpaint_fill", "inpaint_repaint", "inpaint_replace"}},
          {.what = "squared error of a half of another picture less that of RePaint's",
           .value = mean_of(gain),
           .expected = 5 * error_of(gain),
           .comparison = Comparison::at_least,
           .basis = "5 standard errors above none: wrong in 3e-7 of samples where there is no gain",
           .arrays = {"inpaint_x0", "inpaint_fill", "inpaint_repaint", "inpaint_blind"}},
          {.what = "RePaint's squared error less replacement's",
           .value = mean_of(excess),
           .expected = 0,
           .tolerance = 5 * error_of(excess),
           .comparison = Comparison::at_most,
           .basis = "5 standard errors",
           .arrays = {"inpaint_x0", "inpaint_fill", "inpaint_repaint", "inpaint_replace"}}};
}

}  // namespace

TaskReport inpainting_task(const TaskInput& input) {
  const std::int64_t count = input.sizes.filled;
  Trial trial{.x0 = input.held_out.slice(0, 0, count),
              .labels = input.labels.slice(0, 0, count),
              .fill = lower_half(input.held_out),
              .repaint = {},
              .replace = {},
              .blind = {},
              .truth = {}};
  const auto fill_in = [&](int resamplings) {
    return filled(input, trial.x0, trial.fill, resamplings);
  };
  trial.repaint = judged(input, trial, "repaint", fill_in(input.sizes.resamplings));
  trial.replace = judged(input, trial, "replace", fill_in(1));
  if (input.context.stopped()) return {};
  // Who does not look at the known part: the lower half of the next picture of the set.
  trial.blind = judged(input, trial, "blind", at::where(trial.fill, trial.x0.roll(1, 0), trial.x0));
  trial.truth = judged(input, trial, "truth", trial.x0);

  TaskReport report{.reading = reading_of(trial),
                    .checks = checks_of(trial),
                    .arrays = {{"inpaint_x0", trial.x0},
                               {"inpaint_fill", trial.fill},
                               {"inpaint_labels", trial.labels}},
                    .numbers = {},
                    .panel = {}};
  for (const Filled* filled : {&trial.repaint, &trial.replace, &trial.blind, &trial.truth}) {
    if (filled != &trial.truth) report.arrays["inpaint_" + filled->name] = filled->pictures;
    report.numbers.emplace_back("inpaint_mse_" + filled->name, mean_of(filled->error));
    report.numbers.emplace_back("inpaint_step_" + filled->name, filled->step);
    report.numbers.emplace_back("inpaint_recognised_" + filled->name, filled->recognised.value());
  }
  constexpr std::int64_t kShown = 10;
  const auto row = [&](const at::Tensor& pictures) { return pictures.slice(0, 0, kShown); };
  const at::Tensor shown = at::cat({row(trial.x0), row(trial.x0.masked_fill(trial.fill, 0)),
                                    row(trial.repaint.pictures), row(trial.replace.pictures)});
  report.panel = {.title = "inpainting: picture, known part, RePaint, replacement",
                  .layers = {figures::Picture{io::grid(io::to_bytes(shown), shown.size(0) / 4)}}};
  return report;
}

}  // namespace tinta::lab
