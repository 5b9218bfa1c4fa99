#include "tinta/core/permutation.h"

#include <bit>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"

namespace tinta {

Permutation::Permutation(std::uint64_t n, std::uint64_t seed, std::uint32_t epoch)
    : n_(n), seed_(seed), epoch_(epoch) {
  if (n < 1 || n > (std::uint64_t{1} << 62)) {
    throw ArgumentError("[Permutation] expected 1 to 2^62 elements, got " + std::to_string(n));
  }
  half_bits_ = (static_cast<int>(std::bit_width(n - 1)) + 1) / 2;
  if (half_bits_ == 0) half_bits_ = 1;
}

std::uint64_t Permutation::encrypt(std::uint64_t value) const noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  // Four rounds make a Feistel network a pseudo-random permutation (Luby and Rackoff 1988); small
  // domains profit from more.
  for (std::uint64_t round = 0; round < 8; ++round) {
    const RandomKey key{
        .seed = seed_, .stream = Stream::data_order, .sample = round << 32 | right, .step = epoch_};
    const std::uint64_t mixed = left ^ (random_word(key) & mask);
    left = right;
    right = mixed;
  }
  return left << half_bits_ | right;
}

std::uint64_t Permutation::operator()(std::uint64_t position) const noexcept {
  // The domain is less than four times n, so that four encryptions are enough on average.
  do {
    position = encrypt(position);
  } while (position >= n_);
  return position;
}

}  // namespace tinta
