#include "tinta/experiment/alike.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tinta/core/sha256.h"

namespace tinta::experiment {
namespace {

std::string fingerprint(const data::Dataset& dataset) {
  constexpr std::int64_t kLookedAt = 64;
  const std::int64_t count = std::min(kLookedAt, dataset.size());
  at::Tensor chosen = at::empty({count}, at::kLong);
  for (std::int64_t i = 0; i < count; ++i) {
    chosen.mutable_data_ptr<std::int64_t>()[i] = i * dataset.size() / count;
  }
  std::string seen;
  for (const at::Tensor& tensor : {dataset.images.index_select(0, chosen), dataset.labels}) {
    if (!tensor.defined()) continue;
    const at::Tensor bytes = tensor.contiguous();
    seen +=
        sha256(std::span(static_cast<const std::byte*>(bytes.const_data_ptr()), bytes.nbytes()));
  }
  return c10::str(dataset.images.sizes(), " with hash ", sha256(seen).substr(0, 16));
}

}  // namespace

void require_alike(dist::Group& group, const data::Dataset& dataset, const Compute& compute) {
  if (group.size() == 1) return;
  group.require_alike("pictures", fingerprint(dataset));
  group.require_alike("precision", c10::toString(compute.dtype));
}

}  // namespace tinta::experiment
