#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "tinta/data/dataset.h"

namespace tinta::data {

/// One batch of a training run.
struct Batch {
  at::Tensor x0;                   ///< [B,C,H,W] float32 in [-1, 1]
  at::Tensor labels;               ///< [B] int64, undefined without labels
  at::Tensor augment{};            ///< [B,9] float32, see augment.h; undefined without augmentation
  std::uint64_t first_sample = 0;  ///< the batch holds samples first_sample .. first_sample + B - 1
};

/// Serves batches in an order that is a pure function of (seed, position), so that resuming needs
/// nothing but the step:
///
/// - Order::shuffled: sample number n of a run is picture Permutation(N, seed, n / N)(n % N). A
///   batch may span two epochs; no picture is left out of an epoch.
/// - Order::balanced: of K classes that have pictures, sample n is of class
///   Permutation(K, seed, n / K)(n % K), and of its N_k pictures, with m = n / K, it is number
///   Permutation(N_k, seed, m / N_k)(m % N_k): each class comes once in K samples.
///
/// With Dataset::augment, sample n goes through augmented() (augment.h) of (seed, n).
///
/// With Flip::half, sample n is mirrored where word 0 of the stream `augment` of (seed, n) is odd.
class Loader {
 public:
  /// @param dataset kept by reference, outlives the loader
  /// @throws ArgumentError when the set is empty, batch < 1, or an order is to be balanced without
  ///         labels
  Loader(const Dataset& dataset, std::int64_t batch, std::uint64_t seed);

  /// The batch of step `step` (counted from 0).
  [[nodiscard]] Batch batch(std::uint64_t step) const;
  /// `count` of its samples, from number `first` of the batch on: what one of several processes
  /// takes of it.
  [[nodiscard]] Batch part(std::uint64_t step, std::int64_t first, std::int64_t count) const;

 private:
  [[nodiscard]] at::Tensor indices(std::uint64_t first, std::int64_t count) const;
  void read_ahead(std::uint64_t first, std::int64_t count) const;

  const Dataset* dataset_;
  std::vector<std::vector<std::int64_t>> members_;  // balanced: the pictures of each class
  std::int64_t batch_;
  std::uint64_t seed_;
};

}  // namespace tinta::data
