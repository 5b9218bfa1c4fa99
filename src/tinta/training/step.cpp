#include "tinta/training/step.h"

#include <ATen/record_function.h>

#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::training {
namespace {

data::Batch load(const data::Loader& loader, std::uint64_t step) {
  RECORD_USER_SCOPE("tinta::data");
  return loader.batch(step);
}

}  // namespace

TrainingStep::TrainingStep(const TrainerParts& parts, TrainingState& state)
    : parts_(parts),
      state_(state),
      loader_(parts.dataset, parts.config.batch, parts.config.seed),
      optimizer_(parts.network, state),
      update_(parts.network, parts.schedule, parts.config, optimizer_) {
  if (state.relative_widths != parts.config.ema_relative_widths) {
    throw ArgumentError(
        "[TrainingStep] expected a state with the averages of training.ema_relative_widths, got "
        "others");
  }
}

StepReport TrainingStep::run(Fraction done) {
  RECORD_USER_SCOPE(kStepScope);
  const config::TrainingConfig& config = parts_.config;
  const data::Batch batch = load(loader_, state_.step);
  StepReport report{.learning_rate = learning_rate_at(config, state_.step + 1, done),
                    .images = static_cast<std::uint64_t>(batch.x0.size(0))};
  const UpdateValues values = update_.run(batch, report.learning_rate);
  report.loss = values.loss;
  report.gradient_norm = values.gradient_norm;
  report.note = update_.take_note();
  if (!std::isfinite(report.loss) || !std::isfinite(report.gradient_norm)) fail(batch, report);
  state_.images += report.images;
  return report;
}

void TrainingStep::fail(const data::Batch& batch, const StepReport& report) {
  throw NonFiniteError("[train] step " + std::to_string(state_.step + 1) + ", batch of samples " +
                       std::to_string(batch.first_sample) + " to " +
                       std::to_string(batch.first_sample + report.images - 1) +
                       ": expected a finite loss and gradient, got loss " + shortest(report.loss) +
                       " and gradient norm " + shortest(report.gradient_norm));
}

}  // namespace tinta::training
