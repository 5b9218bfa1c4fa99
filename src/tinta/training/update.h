#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/loader.h"
#include "tinta/dist/buckets.h"
#include "tinta/dist/group.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"
#include "tinta/training/level_losses.h"
#include "tinta/training/loss.h"
#include "tinta/training/optimizer.h"

namespace tinta::training {

class RecordedStep;

/// What an update gave.
struct UpdateValues {
  double loss = 0;
  double gradient_norm = 0;  ///< before clipping
  LevelLosses levels{};      ///< of the batch's pictures
};

/// From a batch to new weights, of one process or of several that have a share each (dist/): draws,
/// loss, backward pass, optimiser. On a GPU, in a build with CUDA, the whole of it is recorded
/// after a few steps and played from then on (recorded_step.h).
class Update {
 public:
  /// All kept by reference.
  Update(process::TrainableDenoiser& network, const process::Schedule& schedule,
         const config::TrainingConfig& config, Optimizer& optimizer, dist::Group& group);
  ~Update();
  Update(const Update&) = delete;
  Update& operator=(const Update&) = delete;

  /// One step of the optimiser, counted in its state. Where loss or norm is not finite, weights,
  /// state and count are as they were. Every rank gets the values of the whole batch.
  /// @param batch   this rank's share
  /// @param give_up asked between blocks of the network, alone and on a CPU; see
  /// TrainingStep::run()
  /// @throws Stopped
  UpdateValues run(const data::Batch& batch, double learning_rate,
                   const StopRequested& give_up = {});

  /// What a user should know, once: that steps cannot be recorded, and why. "" otherwise
  std::string take_note();

 private:
  // Of some pictures: their loss, and the noise levels that were drawn.
  struct DrawnLoss {
    BatchLoss loss;
    at::Tensor t;
  };

  DrawnLoss loss_of(data::Batch batch, const std::function<void()>& at_each_block = {});
  [[nodiscard]] at::Tensor loss_scale() const;
  UpdateValues run_plainly(const data::Batch& batch, double learning_rate,
                           const StopRequested& give_up);
  UpdateValues gradients_alone(const data::Batch& batch, const StopRequested& give_up);
  UpdateValues gradients_together(const data::Batch& batch);

  process::TrainableDenoiser& network_;
  const process::Schedule& schedule_;
  const config::TrainingConfig& config_;
  Optimizer& optimizer_;
  dist::Group& group_;
  std::unique_ptr<RecordedStep> recorded_;  // null on a CPU, and with other ranks
  std::unique_ptr<dist::Buckets> buckets_;  // null without other ranks
};

}  // namespace tinta::training
