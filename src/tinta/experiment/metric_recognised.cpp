#include <ATen/ATen.h>
#include <c10/util/StringUtil.h>

#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/evaluation/share.h"
#include "tinta/experiment/classifier_file.h"
#include "tinta/experiment/classifier_training.h"
#include "tinta/experiment/metrics.h"

namespace tinta::experiment {
namespace {

using evaluation::Share;
using nlohmann::ordered_json;

// What the pictures are that the classifier is to judge.
struct Judged {
  PictureShape shape;
  std::int64_t classes = 0;  // of a run; labels of a file are looked at below
  std::string whose;
};

Judged judged(const MetricContext& context) {
  if (context.run != nullptr) {
    if (context.run->config.model.classes == 0) {
      throw ArgumentError(
          "[eval] expected a run that is trained with classes, for the metric recognised, got "
          "one that is unconditional");
    }
    return {.shape = context.run->shape,
            .classes = context.run->config.model.classes,
            .whose = "the run"};
  }
  const at::Tensor& pictures = context.given->pictures;
  if (!context.given->labels.defined()) {
    throw ArgumentError(
        "[eval] --from: expected arrays images and labels, for the metric "
        "recognised, got images alone");
  }
  return {.shape = {.channels = pictures.size(1),
                    .height = pictures.size(2),
                    .width = pictures.size(3)},
          .classes = 0,
          .whose = "the pictures of --from"};
}

void require_fit(const model::ClassifierConfig& config, const Judged& of) {
  const auto text = [](const PictureShape& shape) {
    return c10::str("[", shape.channels, ",", shape.height, ",", shape.width, "]");
  };
  const PictureShape own{
      .channels = config.channels, .height = config.height, .width = config.width};
  if (!(own == of.shape)) {
    throw ArgumentError("[eval] --classifier: expected one of pictures " + text(of.shape) +
                        ", as " + of.whose + " has, got one of " + text(own));
  }
  if (of.classes != 0 && of.classes != config.classes) {
    throw ArgumentError("[eval] --classifier: expected one of " + std::to_string(of.classes) +
                        " classes, as " + of.whose + " has, got one of " +
                        std::to_string(config.classes));
  }
}

void require_labels(const at::Tensor& labels, std::int64_t classes) {
  const auto highest = labels.max().item<std::int64_t>();
  if (highest < classes) return;
  throw ArgumentError("[eval] --from: expected labels in 0.." + std::to_string(classes - 1) +
                      ", the classifier's classes, got " + std::to_string(highest));
}

std::string name_of(std::size_t label, const ClassifierRecord& record) {
  return record.class_names.empty() ? "class " + std::to_string(label) : record.class_names[label];
}

ordered_json to_json(const Share& share) {
  const auto [low, high] = share.interval();
  return {{"recognised", share.value()}, {"interval", {low, high}}, {"count", share.of}};
}

// The class that pictures of another are most often taken for, where they are at all.
std::string mistake(const at::Tensor& row, std::int64_t own, const ClassifierRecord& record) {
  at::Tensor others = row.clone();
  others[own].zero_();
  const auto most = others.argmax().item<std::int64_t>();
  const auto count = others[most].item<std::int64_t>();
  if (count == 0) return "";
  return ", " + std::to_string(count) + " taken for " +
         name_of(static_cast<std::size_t>(most), record);
}

MetricReport report(const evaluation::Recognition& found, const ClassifierRecord& record) {
  MetricReport out{.text = "recognised as asked: " + found.all.text() + " of " +
                           std::to_string(found.all.of) + " pictures\n",
                   .json = to_json(found.all)};
  ordered_json classes = ordered_json::array();
  for (std::size_t label = 0; label < found.by_class.size(); ++label) {
    const Share& share = found.by_class[label];
    if (share.of == 0) continue;
    const auto own = static_cast<std::int64_t>(label);
    const std::string name = name_of(label, record);
    out.text += "  " + name + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') +
                share.text() + " of " + std::to_string(share.of) +
                mistake(found.confusion[own], own, record) + "\n";
    ordered_json entry = {{"class", label}, {"name", name}};
    entry.update(to_json(share));
    classes.push_back(std::move(entry));
  }
  ordered_json confusion = ordered_json::array();
  for (const at::Tensor& row : found.confusion.unbind()) {
    const auto* const first = row.const_data_ptr<std::int64_t>();
    confusion.push_back(std::vector<std::int64_t>(first, first + row.size(0)));
  }
  out.text += "  (the classifier recognises " + fixed(100 * record.test_accuracy, 2) + "% of " +
              std::to_string(record.test_pictures) + " real test pictures)\n";
  out.json["classes"] = std::move(classes);
  out.json["confusion"] = std::move(confusion);
  out.json["classifier_test_accuracy"] = record.test_accuracy;
  return out;
}

}  // namespace

Measurement prepare_recognised(const MetricContext& context) {
  const LoadedClassifier loaded = read_classifier(context.options.classifier);
  const std::int64_t classes = loaded.network->config().classes;
  require_fit(loaded.network->config(), judged(context));
  if (context.given != nullptr) require_labels(context.given->labels, classes);
  place(*loaded.network, context.compute);
  return [loaded, classes, compute = context.compute](const SampleSource& source) -> MetricReport {
    const Samples& samples = source();
    if (!samples.pictures.defined()) return {};
    const at::Tensor named = classify(*loaded.network, samples.pictures, compute);
    return report(evaluation::recognition(samples.labels, named, classes), loaded.record);
  };
}

}  // namespace tinta::experiment
