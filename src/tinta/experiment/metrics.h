#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "tinta/config/options.h"
#include "tinta/core/sink.h"
#include "tinta/experiment/machine.h"
#include "tinta/experiment/run.h"

// What `tinta eval` measures. A metric is one file metric_NAME.cpp, an entry of metrics() and a
// name of config::metric_names().

namespace tinta::experiment {

/// Pictures that are to be measured.
struct Samples {
  at::Tensor pictures{};  ///< [N,C,H,W] uint8
  at::Tensor labels{};    ///< [N] int64, what was asked for; undefined without classes
};

/// What a metric may ask for before anything is drawn.
struct MetricContext {
  const config::EvalOptions& options;
  const TrainedRun* run = nullptr;  ///< null where the pictures are from a file
  const Samples* given = nullptr;   ///< the pictures of that file
  Compute compute;
  const Sinks& sinks;
  const StopRequested& stop;
};

/// What was found: lines for people, each with its newline, and a JSON value.
struct MetricReport {
  std::string text{};
  nlohmann::ordered_json json{};
};

/// The pictures, drawn at the first call; pictures undefined where `stop` answered true.
using SampleSource = std::function<const Samples&()>;

/// Measures. An empty text where it was stopped.
using Measurement = std::function<MetricReport(const SampleSource& samples)>;

struct Metric {
  const char* name;
  /// Reads what the metric needs and refuses what does not fit, before the long work.
  /// @throws ArgumentError, DataError, SystemError
  Measurement (*prepare)(const MetricContext& context);
};

std::span<const Metric> metrics();

/// Share recognised by a classifier (options.classifier). JSON: "recognised", "interval" (95%,
/// Wilson), "count", "classes": [{"class", "name", "recognised", "interval", "count"}], "confusion"
/// (rows asked for, columns recognised), "classifier_test_accuracy".
Measurement prepare_recognised(const MetricContext& context);

}  // namespace tinta::experiment
