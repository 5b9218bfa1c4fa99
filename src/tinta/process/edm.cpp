#include "tinta/process/edm.h"

#include <cmath>
#include <cstddef>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/statistics.h"
#include "tinta/core/text.h"

namespace tinta::process {
namespace {

void require_config(const config::ProcessConfig& config) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  if (config.steps >= 1 && config.steps <= kMostSteps && positive(config.sigma_min) &&
      std::isfinite(config.sigma_max) && config.sigma_min < config.sigma_max &&
      positive(config.rho) && positive(config.sigma_data) && positive(config.log_sigma_std) &&
      std::isfinite(config.log_sigma_mean)) {
    return;
  }
  throw ArgumentError(
      "[EdmSchedule] expected steps in 1.." + std::to_string(kMostSteps) +
      ", 0 < sigma_min < sigma_max, positive rho, sigma_data and log_sigma_std and a finite "
      "log_sigma_mean, got steps " +
      std::to_string(config.steps) + ", sigma_min " + shortest(config.sigma_min) + ", sigma_max " +
      shortest(config.sigma_max) + ", rho " + shortest(config.rho) + ", sigma_data " +
      shortest(config.sigma_data) + ", log_sigma_mean " + shortest(config.log_sigma_mean) +
      ", log_sigma_std " + shortest(config.log_sigma_std));
}

}  // namespace

Preconditioning preconditioning(const NoiseLevel& level) {
  const double a = level.a, s = level.s, data = level.data;
  const double d = std::hypot(a * data, s);  // of x_t
  if (!(data > 0 && s >= 0 && d > 0)) {
    throw ArgumentError(
        "[preconditioning] expected data > 0, s >= 0 and a or s above 0, got data " +
        shortest(data) + ", a " + shortest(a) + ", s " + shortest(s));
  }
  return {.c_skip = a * data * data / (d * d),
          .c_out = s * data / d,
          .c_in = 1 / d,
          .on_x0 = s / (data * d),
          .on_eps = -a * data / d};
}

EdmSchedule::EdmSchedule(const config::ProcessConfig& config) : config_(config) {
  require_config(config);
  const auto steps = static_cast<std::size_t>(config.steps);
  sigma_.assign(steps + 1, 0.0);
  const double highest = std::pow(config.sigma_max, 1 / config.rho);
  const double lowest = std::pow(config.sigma_min, 1 / config.rho);
  for (std::size_t t = 1; t <= steps; ++t) {
    const double down =
        steps == 1 ? 0 : static_cast<double>(steps - t) / static_cast<double>(steps - 1);
    sigma_[t] = std::pow(highest + down * (lowest - highest), config.rho);
  }
  sigma_[1] = config.sigma_min;  // the ends as they were given, not as powers of roots
  sigma_[steps] = config.sigma_max;
}

double EdmSchedule::sigma(int t) const {
  if (t < 0 || t > steps()) {
    throw ArgumentError("[EdmSchedule] expected t in 0.." + std::to_string(steps()) + ", got " +
                        std::to_string(t));
  }
  return sigma_[static_cast<std::size_t>(t)];
}

NoiseLevel EdmSchedule::level_of(double sigma) const {
  // No network is asked about clean pictures; a finite time keeps them representable.
  const double heard = sigma > 0 ? sigma : config_.sigma_min;
  return {.a = 1, .s = sigma, .time = std::log(heard) / 4, .data = config_.sigma_data};
}

NoiseLevel EdmSchedule::level(int t) const { return level_of(sigma(t)); }

double EdmSchedule::alpha_bar(int t) const {
  const double noise = sigma(t);
  return 1 / (1 + noise * noise);
}

Transition EdmSchedule::transition(int s, int t) const {
  const double from = sigma(s), to = sigma(t);
  if (s >= t) {
    throw ArgumentError("[EdmSchedule] expected s < t, got s " + std::to_string(s) + ", t " +
                        std::to_string(t));
  }
  return {.scale = 1, .variance = (to - from) * (to + from)};
}

PosteriorCoefficients EdmSchedule::posterior(int s, int t) const {
  const double added = transition(s, t).variance;
  const double before = sigma(s) * sigma(s), after = sigma(t) * sigma(t);
  return {.on_x0 = added / after, .on_xt = before / after, .variance = before / after * added};
}

NoiseLevel EdmSchedule::training_level(int k) const {
  if (k < 1 || k > kTrainingLevels) {
    throw ArgumentError("[EdmSchedule] expected a training level in 1.." +
                        std::to_string(kTrainingLevels) + ", got " + std::to_string(k));
  }
  const double quantile = normal_quantile((k - 0.5) / kTrainingLevels);
  return level_of(std::exp(config_.log_sigma_mean + config_.log_sigma_std * quantile));
}

}  // namespace tinta::process
