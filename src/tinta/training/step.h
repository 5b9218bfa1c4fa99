#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"
#include "tinta/data/loader.h"
#include "tinta/data/loader_ahead.h"
#include "tinta/dist/group.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"
#include "tinta/training/optimizer.h"
#include "tinta/training/state.h"
#include "tinta/training/update.h"

namespace tinta::training {

/// What a trainer is made of; everything outlives it.
struct TrainerParts {
  process::TrainableDenoiser& network;  ///< its parameters in the dtype to compute in
  const process::Schedule& schedule;
  const data::Dataset& dataset;
  const config::TrainingConfig& config;
  /// The run folder, locked by the caller; TrainingStep neither reads nor writes it.
  std::filesystem::path run{};
  /// The processes that train together, each with its share of every batch.
  dist::Group& group = dist::Group::alone();
};

/// What became of a step: skips.h says what it means where it was not taken. `rescaled`: gradients
/// that the loss scale (loss_scale.h) may have made overflow; it was lowered, and nothing else
/// changed.
enum class StepOutcome { taken, not_finite, passed_over, rescaled };

/// What one step gave; loss and norm are none where it was passed over.
struct StepReport {
  StepOutcome outcome = StepOutcome::taken;
  std::uint64_t first_sample = 0;
  double loss = 0;
  double gradient_norm = 0;  ///< before clipping
  double learning_rate = 0;
  std::uint64_t images = 0;
  LevelLosses levels{};  ///< of the batch's pictures
  std::string note{};    ///< what a user should know; mostly ""
};

/// The step that train() repeats: a batch, and the update that follows from it. Benchmarks drive it
/// alone. In a trace (experiment/trace.h) a step is the operation kStepScope.
class TrainingStep {
 public:
  static constexpr const char* kStepScope = "tinta::training_step";

  /// @param parts copied, what they refer to is not
  /// @param state kept by reference
  /// @throws ArgumentError as data::Loader and Optimizer do, and where a batch has less pictures
  ///         than there are processes
  TrainingStep(const TrainerParts& parts, TrainingState& state);

  /// Takes step state.step, counted from 0, and counts step and images. Where loss or gradient is
  /// not finite, weights, moments and averages are as they were.
  /// @param done    share of the run's budget that is spent, for the learning rate
  /// @param give_up asked between the blocks of the network: true gives the step up, and all is as
  ///                it was before. Not asked where other processes take part or the step is
  ///                recorded (recorded_step.h).
  /// @throws Stopped where it was given up
  StepReport run(Fraction done, const StopRequested& give_up = {});

  /// The whole batch of a step, counted from 0.
  [[nodiscard]] data::Batch batch(std::uint64_t step) const;

 private:
  data::Batch load();

  TrainerParts parts_;
  TrainingState& state_;
  data::Loader loader_;
  std::optional<data::LoaderAhead> ahead_;  // where a GPU computes
  Optimizer optimizer_;
  Update update_;
};

}  // namespace tinta::training
