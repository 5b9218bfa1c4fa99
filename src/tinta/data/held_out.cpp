#include "tinta/data/held_out.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tinta/core/error.h"
#include "tinta/data/content_hash.h"

namespace tinta::data {
namespace {

void select(Dataset& dataset, const at::Tensor& indices) {
  dataset.images = dataset.images.index_select(0, indices);
  if (dataset.labels.defined()) dataset.labels = dataset.labels.index_select(0, indices);
}

/// A piece of a set whose hashes rise: the pictures stay where they are.
void narrow(Dataset& dataset, std::int64_t begin, std::int64_t end) {
  dataset.images = dataset.images.narrow(0, begin, end - begin);
  if (dataset.labels.defined()) dataset.labels = dataset.labels.narrow(0, begin, end - begin);
  dataset.hashes = dataset.hashes.narrow(0, begin, end - begin);
}

at::Tensor indices_below(const Dataset& dataset, std::uint64_t bound, Part part) {
  const std::int64_t count = dataset.size(), bytes = dataset.images.numel() / count;
  const auto* const pictures =
      reinterpret_cast<const std::byte*>(dataset.images.const_data_ptr<std::uint8_t>());
  std::vector<std::uint8_t> below(static_cast<std::size_t>(count));
  at::parallel_for(0, count, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::span picture(pictures + i * bytes, static_cast<std::size_t>(bytes));
      below[static_cast<std::size_t>(i)] = content_hash(picture) < bound ? 1 : 0;
    }
  });
  const auto wanted = static_cast<std::uint8_t>(part == Part::held_out ? 1 : 0);
  at::Tensor indices = at::empty({std::ranges::count(below, wanted)}, at::kLong);
  std::int64_t* out = indices.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    if (below[static_cast<std::size_t>(i)] == wanted) *out++ = i;
  }
  return indices;
}

}  // namespace

Dataset part_of(const Dataset& dataset, double share, Part part) {
  if (share == 0 && part == Part::kept) return dataset;
  const auto bound = static_cast<std::uint64_t>(std::ldexp(share, 64));
  Dataset chosen = dataset;
  if (dataset.hashes.defined()) {
    const auto* const first =
        reinterpret_cast<const std::uint64_t*>(dataset.hashes.const_data_ptr<std::int64_t>());
    const auto cut = std::lower_bound(first, first + dataset.size(), bound) - first;
    narrow(chosen, part == Part::held_out ? 0 : cut, part == Part::held_out ? cut : dataset.size());
  } else {
    select(chosen, indices_below(dataset, bound, part));
  }
  if (chosen.size() == 0) {
    throw ArgumentError("[data] expected pictures on both sides of data.validation, got none of " +
                        std::to_string(dataset.size()) + " in " + dataset.name +
                        (part == Part::held_out ? " held out" : " left to train on"));
  }
  return chosen;
}

}  // namespace tinta::data
