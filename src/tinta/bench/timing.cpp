#include "tinta/bench/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/experiment/trace.h"

namespace tinta::bench {

Spread Spread::over(double factor) const {
  return {.median = factor / median, .low = factor / high, .high = factor / low, .count = count};
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) throw ArgumentError("[spread_of] expected at least one value, got none");
  std::ranges::sort(values);
  const auto quantile = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - static_cast<double>(below));
  };
  return {.median = quantile(0.5),
          .low = quantile(0.25),
          .high = quantile(0.75),
          .count = values.size()};
}

Spread seconds_of(const std::function<void()>& work, at::Device device, const Effort& effort) {
  using Clock = std::chrono::steady_clock;
  work();
  experiment::wait_for(device);
  std::vector<double> times;
  double spent = 0;
  while (times.size() < effort.least || (spent < effort.seconds && times.size() < effort.most)) {
    const auto start = Clock::now();
    work();
    experiment::wait_for(device);
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    spent += times.back();
  }
  return spread_of(std::move(times));
}

nlohmann::ordered_json to_json(const Spread& spread) {
  return {{"median", spread.median},
          {"low", spread.low},
          {"high", spread.high},
          {"count", spread.count}};
}

std::string to_text(const Spread& spread, int digits) {
  return fixed(spread.median, digits) + " (" + fixed(spread.low, digits) + " to " +
         fixed(spread.high, digits) + ")";
}

}  // namespace tinta::bench
