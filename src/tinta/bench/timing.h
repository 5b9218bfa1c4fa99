#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tinta::bench {

/// The middle of repeated measurements, and how far they spread.
struct Spread {
  double median = 0;
  double low = 0;   ///< lower quartile
  double high = 0;  ///< upper quartile
  std::size_t count = 0;

  /// The same of a quantity that is `factor` over this one: seconds to rates. Low and high change
  /// places.
  [[nodiscard]] Spread over(double factor) const;
};

/// Quartiles by linear interpolation between the sorted values.
/// @throws ArgumentError when there are none
Spread spread_of(std::vector<double> values);

/// How long to repeat a measurement.
struct Effort {
  double seconds = 1;      ///< go on until they are spent
  std::size_t least = 3;   ///< but do it at least so often
  std::size_t most = 200;  ///< and no more than so often
};

/// Seconds of one call of `work`, from repeated calls after one that is not counted.
/// @param device that `work` computes on: each call is waited for
Spread seconds_of(const std::function<void()>& work, at::Device device, const Effort& effort);

/// {"median", "low", "high", "count"}
nlohmann::ordered_json to_json(const Spread& spread);

/// "12.3 (12.1 to 12.6)"
std::string to_text(const Spread& spread, int digits);

}  // namespace tinta::bench
