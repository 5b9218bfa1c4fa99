#pragma once

#include "tinta/training/step.h"
#include "tinta/training/trainer.h"

namespace tinta::training {

/// What train() is on every rank but 0: does as that one orders (together.h), until the end. It
/// writes nothing.
/// @param hooks of which stop, preview and validate are called, the latter two for this rank's
///              share of the work
Ending follow(const TrainerParts& parts, TrainingState& state, const TrainerHooks& hooks);

}  // namespace tinta::training
