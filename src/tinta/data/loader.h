#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "tinta/data/dataset.h"

namespace tinta::data {

/// One batch of a training run.
struct Batch {
  at::Tensor x0;                   ///< [B,C,H,W] float32 in [-1, 1]
  at::Tensor labels;               ///< [B] int64, undefined without labels
  std::uint64_t first_sample = 0;  ///< the batch holds samples first_sample .. first_sample + B - 1
};

/// Serves batches in a shuffled order that is a pure function of (seed, position): sample number n
/// of a run is picture Permutation(N, seed, n / N)(n % N). A batch may span two epochs; no picture
/// is left out of an epoch. Holds no state, so resuming needs nothing but the step.
class Loader {
 public:
  /// @param dataset kept by reference, outlives the loader
  /// @throws ArgumentError when the set is empty or batch < 1
  Loader(const Dataset& dataset, std::int64_t batch, std::uint64_t seed);

  /// The batch of step `step` (counted from 0).
  [[nodiscard]] Batch batch(std::uint64_t step) const;

 private:
  const Dataset* dataset_;
  std::int64_t batch_;
  std::uint64_t seed_;
};

}  // namespace tinta::data
