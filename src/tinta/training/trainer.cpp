#include "tinta/training/trainer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/ema_snapshots.h"
#include "tinta/training/metrics.h"

namespace tinta::training {
namespace {

using Clock = std::chrono::steady_clock;

bool due(std::int64_t every, std::uint64_t step) {
  return every > 0 && step % static_cast<std::uint64_t>(every) == 0;
}

// One call of train(): what it needs from step to step.
class Session {
 public:
  Session(const TrainerParts& parts, const Budget& budget, TrainingState& state,
          const TrainerHooks& hooks)
      : parts_(parts),
        budget_(budget),
        state_(state),
        hooks_(hooks),
        step_(parts, state),
        metrics_(parts.run),
        validations_(parts.run, parts.config, hooks.sinks, hooks.validate) {}

  Ending run() {
    mark_ = Clock::now();
    if (spent()) return Ending::finished;
    // One that a stop kept from being made at the step where it came.
    if (state_.step > 0) {
      validate();
      validations_.name_best();
    }
    if (spent()) return Ending::finished;
    for (;;) {
      step();
      bool stopped = asked_to_stop();
      if (!stopped && validate()) stopped = asked_to_stop();
      // Before the checkpoint, so that a run killed in between draws them again; and before `last`,
      // because they take time, which a budget may count.
      if (!stopped && preview_due()) {
        preview();
        stopped = asked_to_stop();
      }
      const bool finished = spent();
      const bool last = stopped || finished;
      // The first line of a run, not of a call: a resumed run must log what one left alone logs.
      if (last || state_.step == 1 || due(parts_.config.log_every, state_.step)) log();
      report();
      if (last || due(parts_.config.checkpoint_every, state_.step) ||
          validations_.best_is(state_.step)) {
        save();
      }
      if (last) return finished ? Ending::finished : Ending::stopped;
    }
  }

 private:
  [[nodiscard]] bool spent() const { return budget_.spent(state_) >= 1 || validations_.given_up(); }

  [[nodiscard]] bool asked_to_stop() const { return hooks_.stop && hooks_.stop(); }

  [[nodiscard]] bool preview_due() const {
    const std::int64_t every = parts_.config.sample_every;
    return every > 0 && (spent() || due(every, state_.step));
  }

  void step() {
    if (hooks_.before_step) hooks_.before_step();
    last_ = step_.run(budget_.spent(state_));
    if (hooks_.after_step) hooks_.after_step();
    if (!last_.note.empty()) hooks_.sinks.warn(last_.note);
    state_.loss_sum += last_.loss;
    ++state_.loss_count;
    images_since_log_ += last_.images;
    ++session_steps_;
    tick();
  }

  // Adds the time since the last tick to the run's clock.
  void tick() {
    const Clock::time_point now = Clock::now();
    const double passed = std::chrono::duration<double>(now - mark_).count();
    mark_ = now;
    state_.seconds += passed;
    seconds_since_log_ += passed;
    session_seconds_ += passed;
  }

  void log() {
    loss_ = state_.loss_sum / static_cast<double>(state_.loss_count);
    metrics_.append({.step = state_.step,
                     .loss = loss_,
                     .images_per_second = static_cast<double>(images_since_log_) /
                                          std::max(seconds_since_log_, 1e-9),
                     .learning_rate = last_.learning_rate,
                     .gradient_norm = last_.gradient_norm,
                     .images = state_.images,
                     .seconds = state_.seconds});
    state_.loss_sum = 0;
    state_.loss_count = 0;
    images_since_log_ = 0;
    seconds_since_log_ = 0;
  }

  void report() const {
    const double share = std::min(budget_.spent(state_), 1.0);
    const double loss =
        state_.loss_count > 0 ? state_.loss_sum / static_cast<double>(state_.loss_count) : loss_;
    const double speed = static_cast<double>(session_steps_) *
                         static_cast<double>(parts_.config.batch) / session_seconds_;
    Progress progress{
        .what = "training",
        .done = static_cast<long long>(state_.step),
        .total = share > 0 ? std::llround(static_cast<double>(state_.step) / share) : 0,
        .detail = "loss " + fixed(loss, 4) + ", " + fixed(speed, 0) + " img/s"};
    const double gained = share - share_at_start_;
    if (gained > 0) progress.seconds_left = session_seconds_ / gained * (1 - share);
    hooks_.sinks.report(progress);
  }

  void save() {
    metrics_.flush();
    validations_.flush();
    save_snapshot(parts_.run, state_);
    save_checkpoint(parts_.run, state_, /*keep=*/0);
    // Before the best one of before may go.
    validations_.name_best();
    prune_checkpoints(parts_.run, parts_.config.keep_checkpoints, validations_.best_step());
    tick();
  }

  void preview() {
    if (hooks_.preview) hooks_.preview(state_.step, state_.averages());
    tick();
  }

  bool validate() {
    const bool asked = validations_.run(state_, budget_.spent(state_) >= 1);
    if (asked) tick();
    return asked;
  }

  const TrainerParts& parts_;
  const Budget& budget_;
  TrainingState& state_;
  const TrainerHooks& hooks_;
  TrainingStep step_;
  MetricsFile metrics_;
  Validations validations_;
  Clock::time_point mark_;
  double share_at_start_ = budget_.spent(state_);
  StepReport last_;
  double loss_ = 0;
  double seconds_since_log_ = 0;
  double session_seconds_ = 0;
  std::uint64_t images_since_log_ = 0;
  std::uint64_t session_steps_ = 0;
};

}  // namespace

double Budget::spent(const TrainingState& state) const {
  double share = 0;
  if (steps) share = std::max(share, static_cast<double>(state.step) / static_cast<double>(*steps));
  if (images) {
    share = std::max(share, static_cast<double>(state.images) / static_cast<double>(*images));
  }
  if (seconds) share = std::max(share, state.seconds / *seconds);
  return share;
}

Ending train(const TrainerParts& parts, const Budget& budget, TrainingState& state,
             const TrainerHooks& hooks) {
  if (!budget.steps && !budget.images && !budget.seconds) {
    throw ArgumentError("[train] expected a budget of steps, images or seconds, got none");
  }
  return Session(parts, budget, state, hooks).run();
}

}  // namespace tinta::training
