#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tinta/dist/share.h"

namespace tinta::dist {

/// Processes that work on one thing, each with a rank. What they do together, they all call, in the
/// same order. A peer that is lost is noticed by the watch (watch.h), which tells who it was.
class Group {
 public:
  /// A sum that is under way.
  class Pending {
   public:
    virtual ~Pending() = default;
    /// @throws SystemError when a peer is lost
    virtual void wait() = 0;
  };

  Group(int rank, int size) : rank_(rank), size_(size) {}
  virtual ~Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// The group of one process, for whom every call below is done at once.
  static Group& alone();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// Rank 0: it decides, tells and writes.
  [[nodiscard]] bool leads() const { return rank_ == 0; }
  [[nodiscard]] Share share_of(std::int64_t all) const { return dist::share_of(all, rank_, size_); }

  /// Begins to add up the tensors of all ranks, in place; x is left alone until wait() returns.
  /// Every rank gets the same bits. @param x contiguous; float32, float64, int64 or uint8
  [[nodiscard]] virtual std::unique_ptr<Pending> begin_sum(at::Tensor x) = 0;
  /// Overwrites x with rank 0's. @param x contiguous
  virtual void broadcast(at::Tensor x) = 0;

  /// begin_sum() and its wait.
  void sum(const at::Tensor& x);
  /// Adds up numbers, in place.
  void sum(std::vector<double>& numbers);
  /// Rank 0's text. @param text the others' are ignored
  [[nodiscard]] std::string broadcast_text(const std::string& text);
  /// The texts of all ranks, in their order.
  [[nodiscard]] std::vector<std::string> gather(const std::string& text);
  /// Returns when every rank is here.
  void meet();
  /// @param what named in the error: "weights"
  /// @throws SystemError, on every rank, that names the first rank whose text is not rank 0's
  void require_alike(const std::string& what, const std::string& text);

 private:
  int rank_, size_;
};

}  // namespace tinta::dist
