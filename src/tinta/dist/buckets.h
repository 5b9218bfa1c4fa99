#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "tinta/dist/group.h"

namespace tinta::dist {

/// Gradients of all ranks, added up while the backward pass that makes them still runs. Weights
/// lie in buckets, the last weight first, as a backward pass comes to them; a bucket whose last
/// gradient has come is on its way while earlier layers are computed (Li et al. 2020,
/// arXiv:2006.15704, section 3.2). Sums are float32, whatever the weights are.
class Buckets {
 public:
  /// Bytes of a bucket; the first one on its way is smaller, to be on it sooner.
  static constexpr std::int64_t kBytes = 25 << 20;

  /// @param weights leaves that require gradients, of any float type, the same on every rank in
  ///                the same order; hooks are on them while this exists
  Buckets(Group& group, const std::vector<at::Tensor>& weights, std::int64_t bytes = kBytes);
  ~Buckets();
  Buckets(const Buckets&) = delete;
  Buckets& operator=(const Buckets&) = delete;

  /// From now on gradients are collected, and taken from the weights.
  /// @param passes backward passes until finish(), at least 1; with the last one they are on their
  ///               way. May differ from rank to rank
  void begin(std::int64_t passes);
  /// To be called between two passes.
  void next_pass();
  /// Waits for the sums of all passes and ranks and puts them into the weights' gradients, rounded
  /// to their dtype; one that no rank had stays undefined.
  /// @throws SystemError when a peer is lost
  void finish();

  /// How many buckets there are, for tests.
  [[nodiscard]] std::size_t count() const;

 private:
  class Collector;
  std::unique_ptr<Collector> collector_;
};

}  // namespace tinta::dist
