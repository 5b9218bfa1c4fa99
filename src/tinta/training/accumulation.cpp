#include "tinta/training/accumulation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/error.h"

namespace tinta::training {
namespace {

at::Tensor slice_of(const at::Tensor& whole, std::int64_t parts, std::int64_t part) {
  if (!whole.defined()) return {};
  if (whole.size(0) % parts != 0) {
    throw ArgumentError("[accumulation] expected a batch that " + std::to_string(parts) +
                        " parts divide, got " + std::to_string(whole.size(0)));
  }
  const std::int64_t count = whole.size(0) / parts;
  return whole.narrow(0, part * count, count);
}

// Adds the gradients that a backward pass left to the sums, and clears them.
void collect(const std::vector<at::Tensor>& weights, std::vector<at::Tensor>& sums) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    at::Tensor& gradient = weights[i].mutable_grad();
    if (!gradient.defined()) continue;
    sums[i] = sums[i].defined() ? sums[i].add_(gradient) : gradient.to(at::kFloat);
    gradient = at::Tensor();
  }
}

}  // namespace

data::Batch part_of(const data::Batch& batch, std::int64_t parts, std::int64_t part) {
  const std::int64_t count = batch.x0.size(0) / parts;
  return {.x0 = slice_of(batch.x0, parts, part),
          .labels = slice_of(batch.labels, parts, part),
          .augment = slice_of(batch.augment, parts, part),
          .first_sample = batch.first_sample + static_cast<std::uint64_t>(part * count)};
}

LossInputs part_of(const LossInputs& inputs, std::int64_t parts, std::int64_t part) {
  LossInputs out = inputs;
  for_each_input(out, [&](at::Tensor& whole) { whole = slice_of(whole, parts, part); });
  return out;
}

BatchLoss accumulate_gradients(process::TrainableDenoiser& network, std::int64_t parts,
                               const std::function<BatchLoss(std::int64_t part)>& loss_of_part,
                               const at::Tensor& scale) {
  if (parts == 1) {
    BatchLoss loss = loss_of_part(0);
    loss.mean.backward(scale);
    loss.mean = loss.mean.detach();
    return loss;
  }
  std::vector<at::Tensor> weights, sums, each;
  for (auto& [name, weight] : network.named_parameters()) weights.push_back(std::move(weight));
  sums.resize(weights.size());
  at::Tensor total;
  for (std::int64_t part = 0; part < parts; ++part) {
    const BatchLoss loss = loss_of_part(part);
    const at::Tensor share = loss.mean / static_cast<double>(parts);
    share.backward(scale);
    collect(weights, sums);
    total = total.defined() ? total + share.detach() : share.detach();
    each.push_back(loss.each);
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (sums[i].defined()) weights[i].mutable_grad() = sums[i].to(weights[i].scalar_type());
  }
  return {.mean = total, .each = at::cat(each)};
}

data::Batch part_of(const data::Batch& batch, const dist::Share& part) {
  const auto slice = [&](const at::Tensor& whole) {
    return whole.defined() ? whole.narrow(0, part.first, part.count) : whole;
  };
  return {.x0 = slice(batch.x0),
          .labels = slice(batch.labels),
          .augment = slice(batch.augment),
          .first_sample = batch.first_sample + static_cast<std::uint64_t>(part.first)};
}

BatchLoss shared_gradients(dist::Buckets& buckets, const SharedBatch& batch,
                           const std::function<BatchLoss(const dist::Share& part)>& loss_of_part,
                           const at::Tensor& scale) {
  const std::int64_t parts = std::min(batch.parts, batch.share);
  at::Tensor total;
  std::vector<at::Tensor> each;
  buckets.begin(parts);
  for (std::int64_t part = 0; part < parts; ++part) {
    if (part > 0) buckets.next_pass();
    const dist::Share pictures = dist::share_of(batch.share, part, parts);
    const BatchLoss loss = loss_of_part(pictures);
    const at::Tensor weighted =
        loss.mean * (static_cast<double>(pictures.count) / static_cast<double>(batch.whole));
    weighted.backward(scale);
    total = total.defined() ? total + weighted.detach() : weighted.detach();
    each.push_back(loss.each);
  }
  return {.mean = total, .each = at::cat(each)};
}

}  // namespace tinta::training
