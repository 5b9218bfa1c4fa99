#include "tinta/lab/cifar10.h"

#include <ATen/ATen.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "tinta/config/run_log.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/evaluation/share.h"
#include "tinta/experiment/classifier_file.h"
#include "tinta/experiment/classifier_training.h"
#include "tinta/experiment/generate.h"
#include "tinta/experiment/run.h"
#include "tinta/io/pixels.h"
#include "tinta/lab/rows.h"
#include "tinta/lab/verdicts.h"

namespace tinta::lab {
namespace {

using evaluation::Recognition;
using evaluation::recognition;
using evaluation::Share;

constexpr std::int64_t kOfEach = 15;  // thesis, sect. 3.2

// What the classifier has seen, and what it said.
struct Judged {
  at::Tensor pictures{};  // [N,C,H,W] uint8
  at::Tensor asked{};     // [N] int64
  at::Tensor named{};     // [N] int64
  Recognition found{};
};

Judged judged(const Judge& judge, at::Tensor pictures, at::Tensor asked, std::int64_t classes) {
  Judged all{.pictures = std::move(pictures), .asked = std::move(asked)};
  all.named = judge.classify(all.pictures);
  all.found = recognition(all.asked, all.named, classes);
  return all;
}

at::Tensor drawn(const Context& context, const DigitsModel& model, const at::Tensor& labels) {
  const config::SamplingConfig sampling =
      experiment::quick_sampling(model.config.sampling, context.pick<std::int64_t>(50, 10));
  return experiment::generate({.network = *model.network,
                               .process = model.config.process,
                               .sampling = sampling,
                               .shape = experiment::shape_of(model.test),
                               .compute = {},
                               .labels = labels,
                               .count = labels.size(0),
                               .seed = context.seed},
                              context.sinks, context.stop);
}

// Means over the first and the last fifth of a curve, of two points at least.
std::pair<double, double> ends_of(const std::vector<double>& values) {
  const auto part = std::max<std::ptrdiff_t>(1, std::ssize(values) / 5);
  const auto mean = [&](auto first) {
    return std::accumulate(first, first + part, 0.0) / static_cast<double>(part);
  };
  return {mean(values.begin()), mean(values.end() - part)};
}

std::vector<Check> checks_of(const Judged& drawn, const Judged& real, const LossCurve& curve) {
  const auto classes = static_cast<double>(drawn.found.by_class.size());
  const Share& share = drawn.found.all;
  std::vector<Check> checks = {
      {.what = "share of the pictures recognised as the class asked for, above chance",
       .value = share.value() - 1 / classes,
       .expected = kDeviations * share.standard_error(),
       .comparison = Comparison::at_least,
       .basis = "5 standard errors: wrong in 3e-7 of models that know no classes",
       .arrays = {"labels", "recognised"}},
      {.what = "share of real held-out pictures that the classifier recognises",
       .value = real.found.all.value(),
       .expected = 0.85,
       .tolerance = kDeviations * real.found.all.standard_error(),
       .comparison = Comparison::at_least,
       .basis = "a judge who errs more often says little; 5 standard errors",
       .arrays = {"held_out_labels", "held_out_recognised"}}};
  if (curve.loss.size() >= 2) {
    const auto [first, last] = ends_of(curve.loss);
    checks.push_back({.what = "training loss, mean of the last fifth over that of the first",
                      .value = last / first,
                      .expected = 0.9,
                      .comparison = Comparison::at_most,
                      .basis = "a network that learns anything beyond its first steps",
                      .arrays = {"loss"}});
  }
  return checks;
}

// The share of each class, and its 95% interval as a line.
void add_shares(figures::Panel& panel, const Recognition& found, double shift,
                const std::string& label, int color) {
  constexpr double kBreak = std::numeric_limits<double>::quiet_NaN();
  figures::Markers markers{.x = {}, .y = {}, .label = label, .style = {.color = color}};
  figures::Line intervals{.x = {}, .y = {}, .style = {.color = color}};
  for (std::size_t k = 0; k < found.by_class.size(); ++k) {
    const Share& share = found.by_class[k];
    if (share.of == 0) continue;
    const double x = static_cast<double>(k) + shift;
    const auto [low, high] = share.interval();
    markers.x.push_back(x), markers.y.push_back(100 * share.value());
    intervals.x.insert(intervals.x.end(), {x, x, x});
    intervals.y.insert(intervals.y.end(), {100 * low, 100 * high, kBreak});
  }
  panel.layers.emplace_back(intervals);
  panel.layers.emplace_back(markers);
}

figures::Figure numbers_figure(const Judged& drawn, const Judged& real, const LossCurve& curve) {
  figures::Panel classes{.title = "recognised as the class asked for",
                         .x = {.label = "class"},
                         .y = {.label = "share, %"},
                         .legend = figures::Legend::outside};
  add_shares(classes, drawn.found, -0.1, "drawn by the model", 0);
  add_shares(classes, real.found, 0.1, "real, held out", 1);
  figures::Figure figure{.title = "Pictures asked for by class", .panels = {classes}};
  if (curve.loss.empty()) return figure;
  figure.panels.push_back({.title = "training loss",
                           .x = {.label = "epoch"},
                           .y = {.label = "loss", .scale = figures::Scale::log},
                           .layers = {figures::Line{.x = curve.epochs, .y = curve.loss}},
                           .legend = figures::Legend::none});
  return figure;
}

figures::Figure grid_figure(const Judged& drawn, std::int64_t classes) {
  return {
      .title = std::to_string(drawn.pictures.size(0) / classes) +
               " pictures of each class, a column for each",
      .panels = {{.title = "", .layers = {figures::Picture{io::grid(drawn.pictures, classes)}}}},
      .columns = 1,
      .panel_width = 400,
      .panel_height = 600};
}

std::string name_of(std::size_t label, const Judge& judge) {
  return judge.class_names.empty() ? "class " + std::to_string(label) : judge.class_names[label];
}

std::string reading_of(const DigitsModel& model, const Judge& judge, const Judged& drawn,
                       const Judged& real, const LossCurve& curve) {
  const std::vector<Share>& each = drawn.found.by_class;
  const auto order = [](const Share& a, const Share& b) { return a.value() < b.value(); };
  const auto least =
      static_cast<std::size_t>(std::min_element(each.begin(), each.end(), order) - each.begin());
  const auto most =
      static_cast<std::size_t>(std::max_element(each.begin(), each.end(), order) - each.begin());
  std::string text = model.origin + ", draws " + std::to_string(kOfEach) + " pictures of each of " +
                     std::to_string(each.size()) + " classes. " + judge.origin + " recognises " +
                     drawn.found.all.text() + " of them as what was asked for, and " +
                     real.found.all.text() + " of real held-out pictures; most often " +
                     name_of(most, judge) + " (" + std::to_string(each[most].hits) +
                     "), least often " + name_of(least, judge) + " (" +
                     std::to_string(each[least].hits) + "). ";
  if (curve.loss.size() >= 2) {
    const auto [first, last] = ends_of(curve.loss);
    text += "Over " + fixed(curve.epochs.back(), 1) + " epochs the loss fell from " +
            brief(first, 3) + " to " + brief(last, 3) + " (means of the first and last fifth). ";
  }
  return text +
         "The loss is an average over noise levels and soon looks flat, while pictures go on "
         "getting better: what tells of them is the share recognised, not the loss.";
}

void save(const Judged& drawn, const Judged& real, const LossCurve& curve, Result& result) {
  result.arrays = {{"images", drawn.pictures},      {"labels", drawn.asked},
                   {"recognised", drawn.named},     {"confusion", drawn.found.confusion},
                   {"held_out_labels", real.asked}, {"held_out_recognised", real.named},
                   {"loss", tensor_of(curve.loss)}, {"loss_epoch", tensor_of(curve.epochs)}};
  const auto [low, high] = drawn.found.all.interval();
  result.numbers = {{"recognised", drawn.found.all.value()},
                    {"recognised_low", low},
                    {"recognised_high", high},
                    {"held_out_recognised", real.found.all.value()}};
  if (!curve.epochs.empty()) result.numbers.emplace_back("epochs", curve.epochs.back());
}

LossCurve curve_of(const Context& context, const DigitsModel& model) {
  const double batch = static_cast<double>(model.config.training.batch);
  const double epoch = static_cast<double>(model.train.size());
  LossCurve curve;
  if (!context.run.empty()) {
    for (const config::MetricsPoint& point : config::read_metrics(context.run)) {
      curve.epochs.push_back(static_cast<double>(point.step) * batch / epoch);
      curve.loss.push_back(point.loss);
    }
    return curve;
  }
  // Means of twenty steps, as a run's lines are means of some.
  constexpr std::size_t kBlock = 20;
  for (std::size_t i = kBlock; i <= model.losses.size(); i += kBlock) {
    const auto last = model.losses.begin() + static_cast<std::ptrdiff_t>(i);
    curve.epochs.push_back(static_cast<double>(i) * batch / epoch);
    curve.loss.push_back(std::accumulate(last - kBlock, last, 0.0) / kBlock);
  }
  return curve;
}

Judge judge_from(experiment::LoadedClassifier loaded, std::string origin) {
  const auto network = loaded.network;
  return {.classify =
              [network](const at::Tensor& pictures) {
                return experiment::classify(*network, pictures, {});
              },
          .class_names = std::move(loaded.record.class_names),
          .origin = std::move(origin)};
}

// The classifier that was given, or one trained on the model's pictures here and now.
std::optional<Judge> judge_of(const Context& context, const DigitsModel& model) {
  if (!context.classifier.empty()) {
    experiment::LoadedClassifier loaded = experiment::read_classifier(context.classifier);
    const model::ClassifierConfig& config = loaded.network->config();
    const experiment::PictureShape shape{
        .channels = config.channels, .height = config.height, .width = config.width};
    if (!(shape == experiment::shape_of(model.test)) || config.classes != model.classes()) {
      throw ArgumentError(c10::str("[lab] --classifier: expected one of pictures ",
                                   model.test.images.sizes().slice(1), " and ", model.classes(),
                                   " classes, as the model's, got one of [", config.channels, ", ",
                                   config.height, ", ", config.width, "] and ", config.classes));
    }
    const std::string words = "The classifier of " + context.classifier + " (" +
                              fixed(100 * loaded.record.test_accuracy, 1) +
                              "% of the test pictures)";
    return judge_from(std::move(loaded), words);
  }
  const bool grey = model.train.images.size(1) == 1;
  const experiment::ClassifierFit fit =
      experiment::train_classifier({.train = model.train,
                                    .features = grey ? context.pick<std::int64_t>(16, 8) : 32,
                                    .epochs = grey ? 2 : context.pick<std::int64_t>(8, 2),
                                    .seed = context.seed},
                                   context.sinks, context.stop);
  if (fit.network == nullptr) return std::nullopt;
  return judge_from(
      {.network = fit.network, .record = {.class_names = model.train.class_names}},
      "A classifier trained on the same pictures for " + fixed(fit.epochs, 0) + " epochs");
}

}  // namespace

Result cifar10_row(const Context& context, const DigitsModel& model, const Judge& judge,
                   const LossCurve& curve) {
  const std::int64_t classes = model.classes();
  std::vector<std::int64_t> each(static_cast<std::size_t>(classes));
  std::iota(each.begin(), each.end(), 0);
  const at::Tensor labels = experiment::labels_in_turn(each, kOfEach * classes);
  const at::Tensor pictures = drawn(context, model, labels);
  if (!pictures.defined()) return {};
  const Judged ours = judged(judge, pictures, labels, classes);
  const auto held_out = std::min(context.pick<std::int64_t>(2000, 300), model.test.size());
  const Judged real = judged(judge, model.test.images.slice(0, 0, held_out),
                             model.test.labels.slice(0, 0, held_out), classes);
  Result result{.reading = reading_of(model, judge, ours, real, curve),
                .checks = checks_of(ours, real, curve)};
  save(ours, real, curve, result);
  result.figures = {{"", grid_figure(ours, classes)},
                    {"numbers", numbers_figure(ours, real, curve)}};
  return result;
}

Result cifar10(const Context& context) {
  const auto model = digits_model(context);
  if (model == nullptr) return {};
  if (model->classes() < 2 || !model->test.labels.defined()) {
    return {.skipped = "the run's network knows no classes, and pictures are asked for by class"};
  }
  const std::optional<Judge> judge = judge_of(context, *model);
  if (!judge) return {};
  return cifar10_row(context, *model, *judge, curve_of(context, *model));
}

}  // namespace tinta::lab
