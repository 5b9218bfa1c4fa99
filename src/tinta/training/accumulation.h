#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "tinta/data/loader.h"
#include "tinta/dist/buckets.h"
#include "tinta/dist/share.h"
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

/// The samples `part` of a batch, under their numbers.
data::Batch part_of(const data::Batch& batch, const dist::Share& part);

/// Of a whole batch, what several processes do of it each.
struct SharedBatch {
  std::int64_t whole = 1;  ///< pictures of all ranks
  std::int64_t share = 1;  ///< of this one, at least 1
  std::int64_t parts = 1;  ///< that it does one after another
};

/// Gradients of a batch's mean loss, of which each rank has a share: passes add up in the buckets,
/// which are on their way to the others while the last one runs. A picture counts alike, whatever
/// rank it is on. The gradients are there after Buckets::finish().
/// @param loss_of_part loss of some pictures of this rank's share, their mean with autograd
/// @param scale        as in accumulate_gradients()
/// @return this rank's part of the batch's mean, so that all ranks' add up to it; losses of its
///         share
BatchLoss shared_gradients(dist::Buckets& buckets, const SharedBatch& batch,
                           const std::function<BatchLoss(const dist::Share& part)>& loss_of_part,
                           const at::Tensor& scale = {});

}  // namespace tinta::training
