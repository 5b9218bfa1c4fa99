#include "tinta/training/step.h"

#include <ATen/record_function.h>

#include <cmath>
#include <limits>

#include "tinta/core/error.h"

namespace tinta::training {

TrainingStep::TrainingStep(const TrainerParts& parts, TrainingState& state)
    : parts_(parts),
      state_(state),
      loader_(parts.dataset, parts.config.batch, parts.config.seed),
      optimizer_(parts.network, state),
      update_(parts.network, parts.schedule, parts.config, optimizer_, parts.group) {
  if (parts.config.batch < parts.group.size()) {
    throw ArgumentError("[training.batch] expected a picture for each of " +
                        std::to_string(parts.group.size()) + " processes, got " +
                        std::to_string(parts.config.batch));
  }
  if (state.relative_widths != parts.config.ema_relative_widths) {
    throw ArgumentError(
        "[TrainingStep] expected a state with the averages of training.ema_relative_widths, got "
        "others");
  }
  if (!parts.network.named_parameters().front().second.is_cpu()) ahead_.emplace(loader_);
  state.loss_scale.begin(parts.network.named_parameters().front().second.scalar_type());
}

StepReport TrainingStep::run(Fraction done, const StopRequested& give_up) {
  RECORD_USER_SCOPE(kStepScope);
  const config::TrainingConfig& config = parts_.config;
  const std::uint64_t number = state_.step + 1;
  const auto images = static_cast<std::uint64_t>(config.batch);
  StepReport report{.first_sample = state_.step * images,
                    .learning_rate = learning_rate_at(config, number, done),
                    .images = images};
  if (state_.skips.passes_over(number)) {
    state_.images += images;
    report.outcome = StepOutcome::passed_over;
    report.gradient_norm = std::numeric_limits<double>::quiet_NaN();
    state_.skips.count_passed_over();
    optimizer_.count();
    return report;
  }
  const UpdateValues values = update_.run(load(), report.learning_rate, give_up);
  state_.images += images;
  report.loss = values.loss;
  report.gradient_norm = values.gradient_norm;
  report.levels = values.levels;
  report.note = update_.take_note();
  if (std::isfinite(report.loss) && std::isfinite(report.gradient_norm)) {
    state_.skips.count_taken(number);
    state_.loss_scale.count_taken();
  } else if (std::isfinite(report.loss) && state_.loss_scale.lower()) {
    report.outcome = StepOutcome::rescaled;
    state_.skips.count_passed_over();
    optimizer_.count();
  } else {
    report.outcome = StepOutcome::not_finite;
    state_.skips.count_bad(number);
    optimizer_.count();
  }
  return report;
}

data::Batch TrainingStep::batch(std::uint64_t step) const { return loader_.batch(step); }

data::Batch TrainingStep::load() {
  RECORD_USER_SCOPE("tinta::data");
  const dist::Share share = parts_.group.share_of(parts_.config.batch);
  return ahead_ ? ahead_->part(state_.step, share.first, share.count)
                : loader_.part(state_.step, share.first, share.count);
}

}  // namespace tinta::training
