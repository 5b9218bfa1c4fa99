#include "tinta/experiment/job.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "tinta/experiment/preview.h"
#include "tinta/experiment/run_watch.h"
#include "tinta/experiment/start.h"
#include "tinta/process/schedule.h"
#include "tinta/training/ema_snapshots.h"
#include "tinta/training/metrics.h"
#include "tinta/training/together.h"
#include "tinta/training/validations.h"

namespace tinta::experiment {
namespace {

// What rank 0 tells the others where the pictures of the last checkpoint are to be drawn.
constexpr const char* kBehind = "behind";

// @param watch of rank 0
training::Ending train_on(const Job& job, const training::Budget& budget,
                          training::TrainingState& state, training::TrainerHooks& hooks,
                          RunWatch* watch = nullptr) {
  if (job.held_out != nullptr) {
    hooks.validate = [&job, &hooks, watch](std::uint64_t step, const training::NamedTensors& ema) {
      const auto found = job.held_out->validate(step, ema, hooks.sinks, hooks.stop);
      if (found && watch != nullptr) watch->show(*found);
      return found;
    };
  }
  const auto schedule = process::make_schedule(job.config.process);
  return training::train({.network = job.network,
                          .schedule = *schedule,
                          .dataset = job.dataset,
                          .config = job.config.training,
                          .run = job.run,
                          .group = job.group},
                         budget, state, hooks);
}

void warn_of_lines(const std::string& file, std::size_t damaged, const Sinks& sinks) {
  if (damaged == 0) return;
  sinks.warn(file + ": " + std::to_string(damaged) + (damaged == 1 ? " line is" : " lines are") +
             " damaged and left out");
}

}  // namespace

training::Ending carry_out(const Job& job, const training::Budget& budget,
                           training::TrainingState& state, const Sinks& sinks,
                           const StopRequested& stop) {
  warn_of_lines("metrics.jsonl", training::cut_metrics(job.run, state.step), sinks);
  warn_of_lines("validation.jsonl", training::cut_validations(job.run, state.step), sinks);
  training::cut_snapshots(job.run, state.step);
  training::hand_out(job.group, state);
  place(job.network, job.compute);
  const Preview preview(job.config, shape_of(job.dataset), job.compute, job.run, job.group);
  RunWatch watch(preview, job.run, state.step, stop);
  const bool behind = preview_missing(job.run, job.config.training.sample_every, state.step,
                                      budget.spent(state) >= 1);
  if (job.group.broadcast_text(behind ? kBehind : "") == kBehind) {
    watch.draw(state.step, state.averages());
  }
  training::TrainerHooks hooks{.sinks = sinks, .stop = stop};
  watch.join(hooks);
  hooks.start = [&] { return start_of(job.config); };
  if (job.profile != nullptr) {
    hooks.before_step = [&] { job.profile->before_step(); };
    hooks.after_step = [&] { job.profile->after_step(); };
  }
  const training::Ending ending = train_on(job, budget, state, hooks, &watch);
  if (job.profile != nullptr) job.profile->end();
  return ending;
}

void take_part(const Job& job, training::TrainingState& state, const StopRequested& stop) {
  training::hand_out(job.group, state);
  place(job.network, job.compute);
  const Preview preview(job.config, shape_of(job.dataset), job.compute, {}, job.group);
  const auto draw = [&](std::uint64_t step, const training::NamedTensors& averages) {
    static_cast<void>(preview.draw(step, averages, stop));
  };
  if (job.group.broadcast_text("") == kBehind) draw(state.step, state.averages());
  training::TrainerHooks hooks{.sinks = {}, .stop = stop};
  hooks.preview = draw;
  training::Budget budget;
  budget.steps = std::numeric_limits<std::uint64_t>::max();  // rank 0's is what counts
  train_on(job, budget, state, hooks);
}

}  // namespace tinta::experiment
