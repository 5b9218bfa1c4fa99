#pragma once

#include <cstdint>

namespace tinta::dist {

/// Which of some things in a row are a rank's: `first` .. `first + count - 1`.
struct Share {
  std::int64_t first = 0;
  std::int64_t count = 0;

  friend bool operator==(const Share&, const Share&) = default;
};

/// Neighbouring shares that differ by one at most, in the order of the ranks.
/// @param all at least 0; @param rank 0..size-1
constexpr Share share_of(std::int64_t all, std::int64_t rank, std::int64_t size) {
  const std::int64_t first = all * rank / size;
  return {.first = first, .count = all * (rank + 1) / size - first};
}

}  // namespace tinta::dist
