#pragma once

#include <filesystem>

#include "tinta/data/loader.h"
#include "tinta/training/state.h"
#include "tinta/training/step.h"

namespace tinta::training {

/// Saves what a bad step was made of, for a person to look at: in RUN/post-mortem
///   step-00001234.npz   pictures [B,C,H,W] float32 in [-1, 1], samples [B] int64 (their numbers in
///                       the run), t [B] int64, labels [B] int64 where the network takes some
///                       (after class dropout), loss [B] float32 (each sample's own)
///   step-00001234.json  the step's numbers; null where one is not finite
/// The network has the weights that the step began with, because a bad step changes none.
/// @param report of the step state.step, which was bad
/// @return the npz file
/// @throws SystemError when a write fails
std::filesystem::path save_post_mortem(const TrainerParts& parts, const TrainingState& state,
                                       const data::Batch& batch, const StepReport& report);

}  // namespace tinta::training
