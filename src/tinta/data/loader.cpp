#include "tinta/data/loader.h"

#include <ATen/ops/empty.h>

#include <string>

#include "tinta/core/error.h"
#include "tinta/core/permutation.h"

namespace tinta::data {
namespace {

/// Pictures of samples first .. first + batch - 1 of a run.
at::Tensor shuffled(std::uint64_t count, std::uint64_t seed, std::uint64_t first,
                    std::int64_t batch) {
  at::Tensor indices = at::empty({batch}, at::kLong);
  std::int64_t* const out = indices.mutable_data_ptr<std::int64_t>();
  std::uint64_t epoch = first / count;
  Permutation order(count, seed, static_cast<std::uint32_t>(epoch));
  for (std::int64_t i = 0; i < batch; ++i) {
    const std::uint64_t sample = first + static_cast<std::uint64_t>(i);
    if (sample / count != epoch) {
      epoch = sample / count;
      order = Permutation(count, seed, static_cast<std::uint32_t>(epoch));
    }
    out[i] = static_cast<std::int64_t>(order(sample % count));
  }
  return indices;
}

}  // namespace

Loader::Loader(const Dataset& dataset, std::int64_t batch, std::uint64_t seed)
    : dataset_(&dataset), batch_(batch), seed_(seed) {
  require_valid(dataset);
  if (batch < 1) {
    throw ArgumentError("[Loader] expected a batch of at least 1, got " + std::to_string(batch));
  }
}

Batch Loader::batch(std::uint64_t step) const {
  const std::uint64_t first = step * static_cast<std::uint64_t>(batch_);
  const at::Tensor indices =
      shuffled(static_cast<std::uint64_t>(dataset_->size()), seed_, first, batch_);
  return {.x0 = gather(*dataset_, indices),
          .labels =
              dataset_->labels.defined() ? dataset_->labels.index_select(0, indices) : at::Tensor(),
          .first_sample = first};
}

}  // namespace tinta::data
