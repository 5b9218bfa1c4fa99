#include "tinta/training/trainer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "tinta/core/clock.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/ema_snapshots.h"
#include "tinta/training/follower.h"
#include "tinta/training/metrics.h"
#include "tinta/training/post_mortem.h"
#include "tinta/training/rollback.h"
#include "tinta/training/together.h"

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
        orders_(parts.group, hooks.stop),
        step_(std::in_place, parts, state),
        metrics_(std::in_place, parts.run),
        validate_(ordered(hooks.validate)),
        validations_(std::in_place, parts.run, parts.config, hooks.sinks, validate_) {}

  Ending run() {
    const Ending ending = carry_on();
    orders_.give({.action = Action::end, .number = static_cast<double>(ending)});
    return ending;
  }

 private:
  Ending carry_on() {
    mark_ = Clock::now();
    if (spent()) return Ending::finished;
    // One that a stop kept from being made at the step where it came.
    if (state_.step > 0) {
      if (state_.skips.in_row == 0 && !state_.skips.passes_over(state_.step)) validate();
      validations_->name_best();
    }
    if (spent()) return Ending::finished;
    for (;;) {
      try {
        step();
      } catch (const Stopped&) {
        return stop_before_step();
      }
      if (last_.outcome == StepOutcome::not_finite) {
        if (must_roll_back()) {
          roll_back();
          continue;
        }
        warn_of_skip();
      }
      if (last_.outcome == StepOutcome::rescaled) tell_of_loss_scale();
      bool stopped = asked_to_stop();
      // Weights that give a bad step may be spoilt: they are no place to go back to.
      const bool well =
          last_.outcome == StepOutcome::taken || last_.outcome == StepOutcome::rescaled;
      if (!stopped && well && validate()) stopped = asked_to_stop();
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
      const bool save_now =
          due(parts_.config.checkpoint_every, state_.step) || validations_->best_is(state_.step);
      if (last || (well && save_now)) save();
      if (last) return finished ? Ending::finished : Ending::stopped;
    }
  }

  // Where a step was given up: the ones before it are kept.
  Ending stop_before_step() {
    if (state_.step != saved_step_) {
      if (state_.loss_count > 0) log();
      save();
    }
    return Ending::stopped;
  }

  // The other ranks do their share of a validation when this one begins it.
  Validations::Validate ordered(const Validations::Validate& validate) {
    if (!validate) return validate;
    return [this, validate](std::uint64_t step, const NamedTensors& averages) {
      orders_.give({.action = Action::validate});
      return validate(step, averages);
    };
  }

  [[nodiscard]] bool spent() const {
    return budget_.spent(state_) >= 1 || validations_->given_up();
  }

  [[nodiscard]] bool asked_to_stop() const { return orders_.asked_to_stop(); }

  [[nodiscard]] bool preview_due() const {
    const std::int64_t every = parts_.config.sample_every;
    return every > 0 && (spent() || due(every, state_.step));
  }

  void step() {
    const Fraction done = budget_.spent(state_);
    orders_.give({.action = Action::step, .number = done});
    if (hooks_.before_step) hooks_.before_step();
    // The first one is waited for: before it there is nothing to save.
    last_ = step_->run(done, state_.step > 0 ? hooks_.stop : StopRequested());
    if (hooks_.after_step) hooks_.after_step();
    if (!last_.note.empty()) hooks_.sinks.warn(last_.note);
    if (last_.outcome == StepOutcome::taken) {
      state_.loss_sum += last_.loss;
      ++state_.loss_count;
      state_.level_losses.add(last_.levels);
    }
    images_since_log_ += last_.images;
    ++session_steps_;
    tick();
  }

  // "step 6, batch of samples 20 to 23"
  [[nodiscard]] std::string place() const {
    return "step " + std::to_string(state_.step) + ", batch of samples " +
           std::to_string(last_.first_sample) + " to " +
           std::to_string(last_.first_sample + last_.images - 1);
  }

  // "loss nan and gradient norm inf"
  [[nodiscard]] std::string numbers() const {
    return "loss " + shortest(last_.loss) + " and gradient norm " + shortest(last_.gradient_norm);
  }

  [[nodiscard]] bool must_roll_back() const {
    return state_.skips.in_row > static_cast<std::uint64_t>(parts_.config.max_skipped);
  }

  void warn_of_skip() const {
    hooks_.sinks.warn(place() + ": skipped, as it gave " + numbers() + "; " +
                      std::to_string(state_.skips.in_row) + " in a row (training.max_skipped = " +
                      std::to_string(parts_.config.max_skipped) + ")");
  }

  void tell_of_loss_scale() const {
    hooks_.sinks.info(place() + ": gradients beyond float16 changed nothing; the loss scale is " +
                      fixed(state_.loss_scale.value, 0) + " from now on");
  }

  // Back to where all was well. What is remembered of it is in the checkpoint gone back to.
  void roll_back() {
    const std::filesystem::path file =
        save_post_mortem(parts_, state_, step_->batch(state_.step - 1), last_);
    const bool worn =
        state_.skips.rollbacks >= static_cast<std::uint64_t>(parts_.config.max_rollbacks);
    const std::optional<Rollback> rollback =
        worn ? std::nullopt : plan_rollback(parts_.run, state_, hooks_.start);
    if (!rollback) {
      throw NonFiniteError(
          "[train] " + place() + ": expected a finite loss and gradient, got " + numbers() +
          ", after " + std::to_string(state_.skips.rollbacks) +
          " rollbacks (training.max_rollbacks = " + std::to_string(parts_.config.max_rollbacks) +
          "); its pictures are in " + file.string());
    }
    hooks_.sinks.warn(place() + ": " + std::to_string(state_.skips.in_row) +
                      " steps in a row were not finite; the run goes back to step " +
                      std::to_string(rollback->to) + " and passes over steps " +
                      std::to_string(rollback->skips.passed_over.back().first) + " to " +
                      std::to_string(rollback->skips.passed_over.back().last) +
                      "; the pictures of the last one are in " + file.string());
    metrics_->flush();
    write_rollback(parts_.run, *rollback);
    finish_rollback(parts_.run, hooks_.start, [&](const auto& text) { hooks_.sinks.warn(text); });
    begin_from(checkpoint_at(parts_.run, rollback->to));
  }

  // As a new process does that goes on from there.
  void begin_from(const CheckpointRef& checkpoint) {
    state_ = load_checkpoint(checkpoint);
    cut_metrics(parts_.run, state_.step);
    metrics_.emplace(parts_.run);
    validations_.reset();
    cut_validations(parts_.run, state_.step);
    validations_.emplace(parts_.run, parts_.config, hooks_.sinks, validate_);
    cut_snapshots(parts_.run, state_.step);
    saved_step_ = state_.step;
    orders_.give({.action = Action::receive});
    hand_out(parts_.group, state_);
    step_.emplace(parts_, state_);
    if (hooks_.rolled_back) hooks_.rolled_back(state_.step);
    images_since_log_ = 0;
    seconds_since_log_ = 0;
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
    // Not a number where every step since the last line was skipped.
    loss_ = state_.loss_sum / static_cast<double>(state_.loss_count);
    const MetricsLine line{.step = state_.step,
                           .loss = loss_,
                           .images_per_second = static_cast<double>(images_since_log_) /
                                                std::max(seconds_since_log_, 1e-9),
                           .learning_rate = last_.learning_rate,
                           .gradient_norm = last_.gradient_norm,
                           .weight_norm = state_.weight_norm(),
                           .ema_age = ema_age_at(state_.updates(), parts_.config.ema_decay),
                           .loss_by_t = state_.level_losses.means(),
                           .images = state_.images,
                           .seconds = state_.seconds,
                           .skipped = state_.skips.total,
                           .wall_time = wall_time()};
    metrics_->append(line);
    if (hooks_.logged) hooks_.logged(line);
    state_.loss_sum = 0;
    state_.loss_count = 0;
    state_.level_losses = {};
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
    orders_.give({.action = Action::compare});
    require_same_weights(parts_.group, state_);
    metrics_->flush();
    validations_->flush();
    if (hooks_.saving) hooks_.saving();
    save_snapshot(parts_.run, state_);
    save_checkpoint(parts_.run, state_, /*keep=*/0);
    saved_step_ = state_.step;
    // Before the best one of before may go.
    validations_->name_best();
    // Nothing is removed while the run may have to go back to it.
    if (state_.skips.in_row > 0) return tick();
    prune_checkpoints(parts_.run, parts_.config.keep_checkpoints, validations_->best_saved_step());
    tick();
  }

  void preview() {
    if (hooks_.preview) {
      orders_.give({.action = Action::preview});
      hooks_.preview(state_.step, state_.averages());
    }
    tick();
  }

  bool validate() {
    const bool asked = validations_->run(state_, budget_.spent(state_) >= 1);
    if (asked) tick();
    return asked;
  }

  const TrainerParts& parts_;
  const Budget& budget_;
  TrainingState& state_;
  const TrainerHooks& hooks_;
  Orders orders_;
  std::optional<TrainingStep> step_;    // made anew by a rollback
  std::optional<MetricsFile> metrics_;  // likewise
  Validations::Validate validate_;
  std::optional<Validations> validations_;  // likewise
  Clock::time_point mark_;
  double share_at_start_ = budget_.spent(state_);
  StepReport last_;
  double loss_ = 0;
  double seconds_since_log_ = 0;
  double session_seconds_ = 0;
  std::uint64_t saved_step_ = state_.step;  // of the newest checkpoint; 0: none
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
  if (!parts.group.leads()) return follow(parts, state, hooks);
  return Session(parts, budget, state, hooks).run();
}

}  // namespace tinta::training
