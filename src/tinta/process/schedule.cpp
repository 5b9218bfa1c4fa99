#include "tinta/process/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/process/edm.h"

namespace tinta::process {
namespace {

std::vector<double> linear_betas(const LinearBeta& config) {
  if (config.steps < 1) {
    throw ArgumentError("[VpSchedule] expected steps >= 1, got " + std::to_string(config.steps));
  }
  // Written so that NaN fails it too.
  if (!(config.start > 0 && config.start <= config.end && config.end < 1)) {
    throw ArgumentError("[VpSchedule] expected 0 < start <= end < 1, got start " +
                        shortest(config.start) + ", end " + shortest(config.end));
  }
  std::vector<double> betas(static_cast<std::size_t>(config.steps), config.start);
  for (std::size_t i = 1; i < betas.size(); ++i) {
    const double fraction = static_cast<double>(i) / static_cast<double>(betas.size() - 1);
    betas[i] = config.start + (config.end - config.start) * fraction;
  }
  return betas;
}

std::vector<double> cosine_betas(const CosineBeta& config) {
  if (config.steps < 1) {
    throw ArgumentError("[VpSchedule] expected steps >= 1, got " + std::to_string(config.steps));
  }
  if (!(config.offset >= 0 && std::isfinite(config.offset) && config.highest > 0 &&
        config.highest < 1)) {
    throw ArgumentError("[VpSchedule] expected offset >= 0 and 0 < highest < 1, got offset " +
                        shortest(config.offset) + ", highest " + shortest(config.highest));
  }
  const auto angle = [&](std::size_t t) {
    const double share = static_cast<double>(t) / config.steps;
    return (share + config.offset) / (1 + config.offset) * std::numbers::pi / 2;
  };
  std::vector<double> betas(static_cast<std::size_t>(config.steps));
  for (std::size_t t = 1; t <= betas.size(); ++t) {
    // 1 - cos^2 b / cos^2 a without its cancellation.
    const double a = angle(t - 1), b = angle(t);
    const double beta = std::sin(b - a) * std::sin(b + a) / (std::cos(a) * std::cos(a));
    betas[t - 1] = std::min(beta, config.highest);
  }
  return betas;
}

std::vector<double> betas_from(const config::ProcessConfig& config) {
  static const std::array<std::string, 2> known = {"linear", "cosine"};
  if (config.steps < 1 || config.steps > kMostSteps) {
    throw ArgumentError("[VpSchedule] expected steps in 1.." + std::to_string(kMostSteps) +
                        ", got " + std::to_string(config.steps));
  }
  const int steps = static_cast<int>(config.steps);
  if (config.schedule == known[0]) {
    return linear_betas({steps, config.beta_start, config.beta_end});
  }
  if (config.schedule == known[1]) return cosine_betas({.steps = steps});
  throw ArgumentError("[VpSchedule] expected a known schedule, got \"" + config.schedule + "\"" +
                      suggestion(config.schedule, known));
}

}  // namespace

std::unique_ptr<Schedule> make_schedule(const config::ProcessConfig& config) {
  if (config.schedule == "edm") return std::make_unique<EdmSchedule>(config);
  return std::make_unique<VpSchedule>(config);
}

std::unique_ptr<Schedule> make_sampling_schedule(const config::ProcessConfig& config,
                                                 std::int64_t steps) {
  config::ProcessConfig walked = config;
  if (config.schedule == "edm") walked.steps = steps;
  return make_schedule(walked);
}

VpSchedule::VpSchedule(const LinearBeta& config) : VpSchedule(linear_betas(config)) {}

VpSchedule::VpSchedule(const CosineBeta& config) : VpSchedule(cosine_betas(config)) {}

VpSchedule::VpSchedule(const config::ProcessConfig& config) : VpSchedule(betas_from(config)) {}

VpSchedule::VpSchedule(std::vector<double> betas) : beta_(std::move(betas)) {
  if (beta_.empty()) throw ArgumentError("[VpSchedule] expected at least one beta, got none");
  beta_.insert(beta_.begin(), 0.0);
  alpha_bar_.assign(beta_.size(), 1.0);
  one_minus_alpha_bar_.assign(beta_.size(), 0.0);
  for (std::size_t t = 1; t < beta_.size(); ++t) {
    if (!(beta_[t] > 0 && beta_[t] < 1)) {
      throw ArgumentError("[VpSchedule] expected 0 < beta < 1, got " + shortest(beta_[t]) +
                          " at t = " + std::to_string(t));
    }
    alpha_bar_[t] = alpha_bar_[t - 1] * (1 - beta_[t]);
    // The variance of thesis eq. 2.1 unrolled: what was there shrinks, beta_t comes on top.
    one_minus_alpha_bar_[t] = one_minus_alpha_bar_[t - 1] * (1 - beta_[t]) + beta_[t];
  }
}

void VpSchedule::require(int t, int lowest) const {
  if (t < lowest || t > steps()) {
    throw ArgumentError("[VpSchedule] expected t in " + std::to_string(lowest) + ".." +
                        std::to_string(steps()) + ", got " + std::to_string(t));
  }
}

double VpSchedule::beta(int t) const {
  require(t, 1);
  return beta_[static_cast<std::size_t>(t)];
}

double VpSchedule::alpha(int t) const { return 1 - beta(t); }

double VpSchedule::alpha_bar(int t) const {
  require(t, 0);
  return alpha_bar_[static_cast<std::size_t>(t)];
}

double VpSchedule::snr(int t) const {
  require(t, 1);
  const auto i = static_cast<std::size_t>(t);
  return alpha_bar_[i] / one_minus_alpha_bar_[i];
}

NoiseLevel VpSchedule::level(int t) const {
  require(t, 0);
  const auto i = static_cast<std::size_t>(t);
  return {.a = std::sqrt(alpha_bar_[i]),
          .s = std::sqrt(one_minus_alpha_bar_[i]),
          .time = static_cast<double>(t)};
}

double VpSchedule::beta(int s, int t) const { return jump(s, t).beta; }

Transition VpSchedule::transition(int s, int t) const {
  const double variance = beta(s, t);
  return {.scale = std::sqrt(1 - variance), .variance = variance};
}

VpSchedule::Jump VpSchedule::jump(int s, int t) const {
  require(s, 0);
  require(t, s + 1);
  // Step by step from s: the ratio alpha_bar_t / alpha_bar_s would cancel in 1 - alpha_bar_t /
  // alpha_bar_s, and is 0 / 0 where a long schedule has underflown.
  Jump jump;
  for (int u = s + 1; u <= t; ++u) {
    const double beta_u = beta_[static_cast<std::size_t>(u)];
    jump.alpha *= 1 - beta_u;
    jump.beta = jump.beta * (1 - beta_u) + beta_u;
  }
  return jump;
}

PosteriorCoefficients VpSchedule::posterior(int t) const {
  require(t, 1);
  return posterior(t - 1, t);
}

PosteriorCoefficients VpSchedule::posterior(int s, int t) const {
  const Jump forward = jump(s, t);
  const double variance_s = one_minus_alpha_bar_[static_cast<std::size_t>(s)];
  const double variance_t = one_minus_alpha_bar_[static_cast<std::size_t>(t)];
  return {.on_x0 = std::sqrt(alpha_bar(s)) * forward.beta / variance_t,
          .on_xt = std::sqrt(forward.alpha) * variance_s / variance_t,
          .variance = variance_s / variance_t * forward.beta};
}

EpsMeanCoefficients VpSchedule::eps_mean(int t) const {
  const double scale = 1 / std::sqrt(alpha(t));
  return {.on_xt = scale, .on_eps = -scale * beta(t) / level(t).s};
}

}  // namespace tinta::process
