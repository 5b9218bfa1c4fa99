#include "tinta/experiment/run_watch.h"

#include <cmath>
#include <utility>

namespace tinta::experiment {

RunWatch::RunWatch(const Preview& preview, const std::filesystem::path& run, std::uint64_t step,
                   const StopRequested& stop)
    : preview_(preview), run_(run), stop_(stop), events_(std::in_place, run, step) {}

void RunWatch::join(training::TrainerHooks& hooks) {
  hooks.preview = [this](std::uint64_t step, const training::NamedTensors& averages) {
    draw(step, averages);
  };
  hooks.logged = [this](const training::MetricsLine& line) { events_->add(line); };
  hooks.rolled_back = [this](std::uint64_t step) { events_.emplace(run_, step); };
  hooks.saving = [this] { events_->flush(); };
}

void RunWatch::show(const training::Validation& validation) {
  if (std::isfinite(validation.loss.mean)) events_->add(validation);
}

void RunWatch::draw(std::uint64_t step, const training::NamedTensors& averages) {
  if (auto drawn = preview_.draw(step, averages, stop_)) events_->add(step, std::move(*drawn));
}

}  // namespace tinta::experiment
