#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/physics/observables.h"

namespace tinta::physics {
namespace {

[[noreturn]] void refuse(const char* where, const std::string& what) {
  throw ArgumentError(std::string("[") + where + "] expected " + what);
}

double mean_value(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Standard error of the mean as if values were independent, and its own standard error.
Estimate naive_error(const std::vector<double>& values) {
  const double mean = mean_value(values);
  double square = 0;
  for (const double value : values) square += (value - mean) * (value - mean);
  const auto n = static_cast<double>(values.size());
  const double error = std::sqrt(square / (n * (n - 1)));
  return {error, error / std::sqrt(2 * (n - 1))};
}

std::vector<double> halved(const std::vector<double>& values) {
  std::vector<double> means;
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    means.push_back((values[i] + values[i + 1]) / 2);
  }
  return means;
}

}  // namespace

Estimate mean_of(const at::Tensor& values) {
  if (values.numel() < 2) refuse("mean_of", "at least 2 values");
  const at::Tensor x = values.to(at::kDouble);
  return {x.mean().item<double>(),
          x.std().item<double>() / std::sqrt(static_cast<double>(values.numel()))};
}

Estimate mean_of_series(const std::vector<double>& values) {
  if (values.size() < 2) refuse("mean_of_series", "at least 2 values");
  constexpr std::size_t kFewest = 16;  // blocks: the error is then known to 18 percent
  std::vector<Estimate> levels;
  for (std::vector<double> blocks = values; levels.empty() || blocks.size() >= kFewest;
       blocks = halved(blocks)) {
    levels.push_back(naive_error(blocks));
  }
  // The plateau begins where no longer blocks give an error that is larger beyond its own doubt.
  for (std::size_t level = 0; level < levels.size(); ++level) {
    bool plateau = true;
    for (std::size_t later = level + 1; later < levels.size(); ++later) {
      plateau &= levels[later].value <= levels[level].value + 2 * levels[later].error;
    }
    if (plateau) return {mean_value(values), levels[level].value};
  }
  return {mean_value(values), levels.back().value};
}

Estimate correlation_time(const std::vector<double>& values) {
  if (values.size() < 4) refuse("correlation_time", "at least 4 values");
  constexpr double kWindow = 6;
  const double mean = mean_value(values);
  const std::size_t n = values.size();
  const auto covariance = [&](std::size_t lag) {
    double sum = 0;
    for (std::size_t i = 0; i + lag < n; ++i) sum += (values[i] - mean) * (values[i + lag] - mean);
    return sum / static_cast<double>(n - lag);
  };
  const double variance = covariance(0);
  double tau = 0.5;
  if (!(variance > 0)) return {tau, 0};
  std::size_t lag = 1;
  for (; lag < n / 2; ++lag) {
    tau += covariance(lag) / variance;
    if (static_cast<double>(lag) >= kWindow * tau) break;
  }
  const double error =
      tau * std::sqrt(2 * static_cast<double>(2 * lag + 1) / static_cast<double>(n));
  return {tau, error};
}

Estimate slope(const std::vector<double>& t, const std::vector<double>& y,
               const std::vector<double>& errors) {
  if (t.size() < 2 || y.size() != t.size() || errors.size() != t.size()) {
    refuse("slope", "at least 2 points, each with y and its error");
  }
  double weight = 0, weighted_t = 0, weighted_y = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    if (!(errors[i] > 0)) refuse("slope", "errors above 0, got " + std::to_string(errors[i]));
    const double w = 1 / (errors[i] * errors[i]);
    weight += w;
    weighted_t += w * t[i];
    weighted_y += w * y[i];
  }
  const double mean_t = weighted_t / weight;
  const double mean_y = weighted_y / weight;
  double spread = 0, product = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const double w = 1 / (errors[i] * errors[i]);
    spread += w * (t[i] - mean_t) * (t[i] - mean_t);
    product += w * (t[i] - mean_t) * (y[i] - mean_y);
  }
  if (!(spread > 0)) refuse("slope", "at least two different times");
  return {product / spread, 1 / std::sqrt(spread)};
}

}  // namespace tinta::physics
