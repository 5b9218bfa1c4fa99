#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "tinta/data/loader.h"
#include "tinta/process/denoiser.h"
#include "tinta/training/loss.h"

namespace tinta::training {

/// Part `part` of a batch that is done in `parts` equal ones. It knows its samples' numbers, so
/// that everything random of them is as in the whole batch.
data::Batch part_of(const data::Batch& batch, std::int64_t parts, std::int64_t part);
/// Likewise, views of the memory of the whole.
LossInputs part_of(const LossInputs& inputs, std::int64_t parts, std::int64_t part);

/// Gradients of a batch's mean loss, part after part: each part's graph is gone before the next
/// begins, so that memory is that of a part. They are summed in float32 and then rounded to the
/// weights' dtype; one part is a plain backward pass. Waits for nothing, so that a step on a GPU
/// can be recorded with it.
/// @param loss_of_part loss of a part, its mean with autograd
/// @param scale        scalar that the gradients are to be multiplied by (loss_scale.h), where the
///                     network is; undefined: 1
/// @return loss of the batch, without autograd
BatchLoss accumulate_gradients(process::TrainableDenoiser& network, std::int64_t parts,
                               const std::function<BatchLoss(std::int64_t part)>& loss_of_part,
                               const at::Tensor& scale = {});

}  // namespace tinta::training
