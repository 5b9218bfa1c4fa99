#include "tinta/data/loader.h"

#include <ATen/ops/empty.h>

#include <string>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/core/mapped_file.h"
#include "tinta/core/permutation.h"
#include "tinta/core/philox.h"
#include "tinta/data/augment.h"

namespace tinta::data {
namespace {

/// Element n of an endless series of permutations of `count` things.
class Shuffle {
 public:
  Shuffle(std::uint64_t count, std::uint64_t seed)
      : count_(count), seed_(seed), order_(count, seed, 0) {}

  std::int64_t operator()(std::uint64_t n) {
    if (n / count_ != epoch_) {
      epoch_ = n / count_;
      order_ = Permutation(count_, seed_, static_cast<std::uint32_t>(epoch_));
    }
    return static_cast<std::int64_t>(order_(n % count_));
  }

 private:
  std::uint64_t count_, seed_, epoch_ = 0;
  Permutation order_;
};

/// The pictures of each class that has some.
std::vector<std::vector<std::int64_t>> members_of(const Dataset& dataset) {
  if (!dataset.labels.defined()) {
    throw ArgumentError("[Loader] expected labels for a balanced order, got none in " +
                        dataset.name);
  }
  std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(dataset.classes));
  const at::Tensor labels = dataset.labels.contiguous();
  const std::int64_t* const label = labels.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    members[static_cast<std::size_t>(label[i])].push_back(i);
  }
  std::erase_if(members, [](const auto& pictures) { return pictures.empty(); });
  return members;
}

/// Which of the samples from `first` on are mirrored.
std::vector<std::uint8_t> mirrored(Flip flip, std::uint64_t seed, std::uint64_t first,
                                   std::int64_t batch) {
  std::vector<std::uint8_t> marks(static_cast<std::size_t>(batch), 0);
  if (flip == Flip::never) return marks;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const RandomKey key{.seed = seed, .stream = Stream::augment, .sample = first + i};
    marks[i] = static_cast<std::uint8_t>(random_word(key) & 1U);
  }
  return marks;
}

}  // namespace

Loader::Loader(const Dataset& dataset, std::int64_t batch, std::uint64_t seed)
    : dataset_(&dataset), batch_(batch), seed_(seed) {
  require_valid(dataset);
  if (batch < 1) {
    throw ArgumentError("[Loader] expected a batch of at least 1, got " + std::to_string(batch));
  }
  if (dataset.order == Order::balanced) members_ = members_of(dataset);
}

at::Tensor Loader::indices(std::uint64_t first, std::int64_t count) const {
  at::Tensor indices = at::empty({count}, at::kLong);
  std::int64_t* const out = indices.mutable_data_ptr<std::int64_t>();
  if (dataset_->order == Order::shuffled) {
    Shuffle pictures(static_cast<std::uint64_t>(dataset_->size()), seed_);
    for (std::int64_t i = 0; i < count; ++i)
      out[i] = pictures(first + static_cast<std::uint64_t>(i));
    return indices;
  }
  const std::uint64_t classes = members_.size();
  Shuffle order(classes, seed_);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint64_t sample = first + static_cast<std::uint64_t>(i);
    const auto& members = members_[static_cast<std::size_t>(order(sample))];
    Shuffle pictures(members.size(), seed_);
    out[i] = members[static_cast<std::size_t>(pictures(sample / classes))];
  }
  return indices;
}

void Loader::read_ahead(std::uint64_t first, std::int64_t count) const {
  const at::Tensor next = indices(first, count);
  const std::int64_t* const index = next.const_data_ptr<std::int64_t>();
  const std::int64_t bytes = dataset_->images.numel() / dataset_->size();
  const auto* const pictures =
      reinterpret_cast<const std::byte*>(dataset_->images.const_data_ptr<std::uint8_t>());
  for (std::int64_t i = 0; i < count; ++i) {
    tinta::read_ahead({pictures + index[i] * bytes, static_cast<std::size_t>(bytes)});
  }
}

Batch Loader::batch(std::uint64_t step) const { return part(step, 0, batch_); }

Batch Loader::part(std::uint64_t step, std::int64_t skipped, std::int64_t count) const {
  const auto whole = static_cast<std::uint64_t>(batch_);
  const std::uint64_t first = step * whole + static_cast<std::uint64_t>(skipped);
  const at::Tensor chosen = indices(first, count);
  Batch batch{.x0 = gather(*dataset_, chosen, mirrored(dataset_->flip, seed_, first, count)),
              .labels = dataset_->labels.defined() ? dataset_->labels.index_select(0, chosen)
                                                   : at::Tensor(),
              .augment = {},
              .first_sample = first};
  if (dataset_->augment > 0) {
    Augmented changed = augmented(batch.x0, dataset_->augment, seed_, first);
    batch.x0 = std::move(changed.pictures);
    batch.augment = std::move(changed.labels);
  }
  // The machine reads them while the step computes.
  if (dataset_->streamed) read_ahead(first + whole, count);
  return batch;
}

}  // namespace tinta::data
