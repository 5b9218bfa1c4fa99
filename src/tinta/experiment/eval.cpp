#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/data/arrays.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/metrics.h"
#include "tinta/experiment/sample.h"

namespace tinta::experiment {
namespace {

using nlohmann::ordered_json;

const Metric& find_metric(const std::string& name) {
  const std::span<const Metric> all = metrics();
  const auto found =
      std::ranges::find_if(all, [&](const Metric& metric) { return name == metric.name; });
  if (found != all.end()) return *found;
  std::vector<std::string> known;
  for (const Metric& metric : all) known.emplace_back(metric.name);
  throw ArgumentError("[eval] --metrics: expected " + join(known, " or ") + ", got \"" + name +
                      "\"" + suggestion(name, known));
}

Samples read_samples(const std::string& path) {
  const data::Dataset dataset = data::read_arrays(path, data::Split::train);
  return {.pictures = dataset.images, .labels = dataset.labels};
}

// The pictures that are measured, where they are from, and how long drawing them took.
class Source {
 public:
  Source(const config::EvalOptions& options, const Sinks& sinks, const StopRequested& stop,
         dist::Group& group)
      : options_(options), sinks_(sinks), stop_(stop), group_(group) {
    if (!options.from.empty()) {
      samples_ = read_samples(options.from);
      compute_ = prepare(options.sample.machine, "auto", sinks);
      return;
    }
    run_ =
        load_run(options.sample.run, selection_of(options.sample), options.sample.machine, sinks);
    group.require_alike("weights", run_->weights_hash);
    drawing_ = drawing_of(*run_, options.sample);
    compute_ = run_->compute;
  }

  [[nodiscard]] MetricContext context() const {
    return {.options = options_,
            .run = run_ ? &*run_ : nullptr,
            .given = run_ ? nullptr : &*samples_,
            .compute = compute_,
            .sinks = sinks_,
            .stop = stop_};
  }

  const Samples& samples() {
    if (!samples_) {
      const auto start = std::chrono::steady_clock::now();
      samples_ = {.pictures = draw(*run_, *drawing_, options_.sample, sinks_, stop_, group_),
                  .labels = drawing_->labels};
      seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    return *samples_;
  }

  // Whether everything that was asked for was drawn.
  [[nodiscard]] bool stopped() const { return samples_ && !samples_->pictures.defined(); }

  [[nodiscard]] ordered_json json() const {
    ordered_json out;
    if (!run_) {
      out = {{"from", options_.from}, {"count", samples_->pictures.size(0)}};
      return out;
    }
    const config::SamplingConfig& sampling = drawing_->sampling;
    out = {{"run", options_.sample.run},
           {"checkpoint", run_->checkpoint.folder.filename().string()},
           {"step", run_->checkpoint.step},
           {"weights", weights_name(options_.sample)},
           {"count", drawing_->count},
           {"seconds", seconds_},
           {"sampler", sampling.sampler},
           {"steps", sampling.steps},
           {"guidance", sampling.guidance},
           {"seed", options_.sample.seed}};
    return out;
  }

  [[nodiscard]] std::string text() const {
    if (!run_) return options_.from + "\n";
    const config::SamplingConfig& sampling = drawing_->sampling;
    return options_.sample.run + ", " + run_->checkpoint.folder.filename().string() + ": " +
           std::to_string(drawing_->count) + " pictures by " + sampling.sampler + ", " +
           std::to_string(sampling.steps) + " steps, guidance " + shortest(sampling.guidance) +
           ", in " + duration(seconds_) + "\n";
  }

 private:
  const config::EvalOptions& options_;
  const Sinks& sinks_;
  const StopRequested& stop_;
  dist::Group& group_;
  std::optional<TrainedRun> run_{};
  std::optional<Drawing> drawing_{};
  std::optional<Samples> samples_{};
  Compute compute_{};
  double seconds_ = 0;
};

}  // namespace

std::string run_eval(const config::EvalOptions& options, const Sinks& sinks,
                     const StopRequested& stop, dist::Group& group) {
  Source source(options, sinks, stop, group);
  std::vector<std::pair<std::string, Measurement>> measurements;
  for (const std::string& name : options.metrics) {
    measurements.emplace_back(name, find_metric(name).prepare(source.context()));
  }
  if (!group.leads()) {  // rank 0 measures what all have drawn
    static_cast<void>(source.samples());
    return "";
  }
  std::string text;
  ordered_json found = ordered_json::object();
  for (const auto& [name, measure] : measurements) {
    MetricReport report = measure([&]() -> const Samples& { return source.samples(); });
    if (source.stopped()) return "";
    text += report.text;
    found[name] = std::move(report.json);
  }
  if (!options.sample.json) return source.text() + text;
  ordered_json json = source.json();
  json["metrics"] = std::move(found);
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tinta::experiment
