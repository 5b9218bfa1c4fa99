#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/data/info.h"
#include "tinta/data/sources.h"
#include "tinta/evaluation/share.h"
#include "tinta/experiment/classifier_file.h"
#include "tinta/experiment/classifier_training.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/outputs.h"
#include "tinta/experiment/run.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

// The data section of the preset that suits some data: drawn ones by name, others by their files.
config::DataConfig data_config(const config::ClassifierTrainOptions& options) {
  const config::Source* drawn = config::find_source(options.data);
  const bool built_in = drawn != nullptr && drawn->origin == config::Origin::drawn;
  config::DataConfig data =
      config::preset(built_in ? options.data : data::detect_source(options.data)).data;
  const config::Source* source = config::find_source(data.source);
  if (options.image_size && (source == nullptr || !source->resized)) {
    throw ArgumentError("[classifier train] --image-size: expected none, as the pictures of " +
                        data.source + " have a size, got " + std::to_string(*options.image_size));
  }
  if (options.image_size) data.size = *options.image_size;
  if (built_in) return data;
  data.path = fs::absolute(options.data).lexically_normal().string();
  // All pictures of the training split train, unless the test pictures have to come from them.
  const std::vector<data::Split> splits = data::find_source(data.source).splits(data);
  if (std::ranges::count(splits, data::Split::test) > 0) data.validation = 0;
  return data;
}

void require_alike(const data::Dataset& train, const data::Dataset& test) {
  if (!test.labels.defined() || test.labels.max().item<std::int64_t>() >= train.classes ||
      !(shape_of(test) == shape_of(train))) {
    throw ArgumentError(
        "[classifier train] expected test pictures of the sizes and classes of the "
        "training pictures, got others in " +
        test.name);
  }
}

std::string summary(const config::ClassifierTrainOptions& options, const fs::path& output,
                    const model::Classifier& network, const ClassifierRecord& record,
                    double images) {
  const evaluation::Share share{
      .hits = static_cast<std::int64_t>(
          std::llround(record.test_accuracy * static_cast<double>(record.test_pictures))),
      .of = record.test_pictures};
  const double gflop = 2e-9 * static_cast<double>(network.multiply_adds());
  if (options.json) {
    const auto [low, high] = share.interval();
    const nlohmann::ordered_json json = {{"output", output.string()},
                                         {"test_accuracy", record.test_accuracy},
                                         {"interval", {low, high}},
                                         {"test_pictures", record.test_pictures},
                                         {"classes", network.config().classes},
                                         {"parameters", network.parameter_count()},
                                         {"gflop_per_image", gflop},
                                         {"epochs", record.epochs},
                                         {"seconds", record.seconds},
                                         {"images_per_second", images / record.seconds}};
    return json.dump(2) + "\n";
  }
  return "test accuracy " + share.text() + " of " + std::to_string(record.test_pictures) +
         " pictures\n" + std::to_string(network.parameter_count()) + " parameters, " +
         fixed(gflop, 3) + " GFLOP a picture; " + fixed(record.epochs, 1) + " epochs in " +
         duration(record.seconds) + " (" + fixed(images / record.seconds, 0) + " img/s)\n" +
         output.string() + "\n";
}

}  // namespace

std::string run_classifier_train(const config::ClassifierTrainOptions& options, const Sinks& sinks,
                                 const StopRequested& stop) {
  const config::DataConfig data = data_config(options);
  const fs::path output =
      options.out.empty() ? "classifier-" + data.source + ".safetensors" : options.out;
  refuse_existing(output, options.force);
  const Compute compute = prepare(options.machine, options.precision, sinks);
  const data::Dataset train = data::open(data, data::Split::train, sinks, stop);
  const data::Dataset test = data::open(data, data::Split::test, sinks, stop);
  require_alike(train, test);
  const ClassifierFit fit = train_classifier({.train = train,
                                              .features = options.features,
                                              .epochs = options.epochs,
                                              .minutes = options.minutes,
                                              .seed = options.seed,
                                              .compute = compute},
                                             sinks, stop);
  if (fit.network == nullptr) return "";
  const evaluation::Share share =
      evaluation::agreement(test.labels, classify(*fit.network, test.images, compute));
  const ClassifierRecord record{.class_names = train.class_names,
                                .data = data.source,
                                .data_sha256 = sha256_of(train),
                                .test_accuracy = share.value(),
                                .test_pictures = share.of,
                                .epochs = fit.epochs,
                                .seconds = fit.seconds,
                                .seed = options.seed};
  write_classifier(output, fit.network->config(), record, fit.weights,
                   options.force ? Existing::replace : Existing::refuse);
  return summary(options, output, *fit.network, record,
                 fit.epochs * static_cast<double>(train.size()));
}

}  // namespace tinta::experiment
