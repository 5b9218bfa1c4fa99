#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace tinta::model {

/// Part of a network as a function of what flows into it; it draws nothing that would differ when
/// it is computed again.
using Segment = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

/// The segment's output, of which autograd keeps the inputs alone: what lies between is computed
/// again in the backward pass (Chen et al. 2016, "Training deep nets with sublinear memory cost",
/// arXiv:1604.06174). Gradients are those of the segment.
/// @param parameters of the segment; the network outlives the graph
at::Tensor recomputed(const Segment& segment, const std::vector<at::Tensor>& inputs,
                      const std::vector<at::Tensor>& parameters);

}  // namespace tinta::model
