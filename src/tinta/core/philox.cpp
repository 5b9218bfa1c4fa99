#include "tinta/core/philox.h"

#include <cmath>
#include <numbers>

namespace tinta {

double random_normal(const RandomKey& key, std::uint32_t index) noexcept {
  const double u = 1 - random_uniform(key, 2 * (index / 2));  // in (0, 1]: the logarithm is finite
  const double angle = 2 * std::numbers::pi * random_uniform(key, 2 * (index / 2) + 1);
  return std::sqrt(-2 * std::log(u)) * (index % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

}  // namespace tinta
