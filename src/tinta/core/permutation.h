#pragma once

#include <cstdint>

namespace tinta {

/// A pseudo-random permutation of 0..n-1 that is computed, not stored: position -> index in O(1)
/// time and memory, so that a resumed run needs no state and a set of any size can be shuffled.
/// A balanced Feistel network with Philox as its round function over the next even number of bits,
/// walked until it falls below n. Source: Black and Rogaway 2002, "Ciphers with arbitrary finite
/// domains", section 3.
class Permutation {
 public:
  /// @param n     number of elements, 1 to 2^62
  /// @param seed  the run's seed
  /// @param epoch another permutation for each
  /// @throws ArgumentError when n is out of range
  Permutation(std::uint64_t n, std::uint64_t seed, std::uint32_t epoch);

  /// @param position 0..n-1
  [[nodiscard]] std::uint64_t operator()(std::uint64_t position) const noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept { return n_; }

 private:
  [[nodiscard]] std::uint64_t encrypt(std::uint64_t value) const noexcept;

  std::uint64_t n_;
  std::uint64_t seed_;
  std::uint32_t epoch_;
  int half_bits_ = 1;
};

}  // namespace tinta
