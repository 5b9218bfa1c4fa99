#include "tinta/lab/bound_quadrature.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "tinta/core/philox.h"
#include "tinta/core/statistics.h"

namespace tinta::lab {
namespace {

// Half a deviation a step over 12 of them: exact on a Gaussian times a polynomial, to rounding.
constexpr int kInner = 49;
constexpr double kInnerStep = 0.5;

double log_normal(double x, double mean, double variance) {
  const double off = x - mean;
  return -off * off / (2 * variance) - std::log(2 * std::numbers::pi * variance) / 2;
}

struct Range {
  double low, high;
};

Range range_of(const LineMixture& mixture) {
  Range range{mixture.means[0], mixture.means[0]};
  for (std::size_t k = 0; k < mixture.means.size(); ++k) {
    range.low = std::min(range.low, mixture.means[k] - 8.5 * mixture.sigmas[k]);
    range.high = std::max(range.high, mixture.means[k] + 8.5 * mixture.sigmas[k]);
  }
  return range;
}

/// One step's Gaussians, x_t = keep x_{t-1} + sqrt(beta) z.
struct Step {
  double keep, beta, a_before, before, a, s;

  Step(const process::VpSchedule& schedule, int t)
      : keep(std::sqrt(schedule.alpha(t))),
        beta(schedule.beta(t)),
        a_before(schedule.level(t - 1).a),
        before(schedule.level(t - 1).s * schedule.level(t - 1).s),
        a(schedule.level(t).a),
        s(schedule.level(t).s) {}

  [[nodiscard]] double mean(double x_t, double eps) const { return (x_t - beta / s * eps) / keep; }
};

/// log q(x_{t-1} | x_t, x_0) and its gradient on a grid, by Bayes' rule and a numerical normaliser.
class PosteriorGrid {
 public:
  PosteriorGrid(const Step& step, double x0, double x_t) {
    const double mean = step.a_before * x0;
    const double precision = step.keep * step.keep / step.beta + 1 / step.before;
    const double center = (step.keep * x_t / step.beta + mean / step.before) / precision;
    spacing_ = kInnerStep / std::sqrt(precision);
    double sum = 0;
    for (int i = 0; i < kInner; ++i) {
      const auto k = static_cast<std::size_t>(i);
      x_[k] = center + (i - kInner / 2) * spacing_;
      const double noise = x_t - step.keep * x_[k], off = x_[k] - mean;
      log_q_[k] = -noise * noise / (2 * step.beta) - off * off / (2 * step.before);
      gradient_[k] = step.keep * noise / step.beta - off / step.before;
    }
    const double top = log_q_[kInner / 2];
    for (std::size_t k = 0; k < kInner; ++k) {
      log_q_[k] -= top;
      q_[k] = std::exp(log_q_[k]);
      sum += q_[k] * spacing_;
    }
    const double log_sum = std::log(sum);
    for (std::size_t k = 0; k < kInner; ++k) {
      log_q_[k] -= log_sum;
      q_[k] *= spacing_ / sum;
    }
  }

  [[nodiscard]] double variance() const {
    double first = 0, second = 0;
    for (std::size_t k = 0; k < kInner; ++k) first += q_[k] * (x_[k] - x_[kInner / 2]);
    for (std::size_t k = 0; k < kInner; ++k) {
      const double off = x_[k] - x_[kInner / 2] - first;
      second += q_[k] * off * off;
    }
    return second;
  }

  struct Distances {
    double kl = 0, gradients = 0;
  };
  /// From N(mean, variance).
  [[nodiscard]] Distances from(double mean, double variance) const {
    Distances out;
    const double log_scale = std::log(2 * std::numbers::pi * variance) / 2;
    for (std::size_t k = 0; k < kInner; ++k) {
      const double off = x_[k] - mean;
      const double gradient = gradient_[k] + off / variance;
      out.kl += q_[k] * (log_q_[k] + off * off / (2 * variance) + log_scale);
      out.gradients += q_[k] * gradient * gradient;
    }
    return out;
  }

 private:
  double spacing_ = 0;
  std::array<double, kInner> x_{}, q_{}, log_q_{}, gradient_{};
};

}  // namespace

double LineMixture::density(double x) const {
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    sum += weights[k] * std::exp(log_normal(x, means[k], sigmas[k] * sigmas[k]));
  }
  return sum;
}

double LineMixture::entropy() const {
  const Range range = range_of(*this);
  return trapezoid(
      [&](double x) {
        const double q = density(x);
        return q > 0 ? -q * std::log(q) : 0.0;
      },
      range.low, range.high, 4000);
}

process::GaussianMixtureDenoiser LineMixture::denoiser() const {
  return {at::tensor(weights, at::kDouble), at::tensor(means, at::kDouble).reshape({-1, 1}),
          at::tensor(sigmas, at::kDouble)};
}

at::Tensor LineMixture::draw(std::uint64_t seed, std::uint64_t sample, std::int64_t count) const {
  at::Tensor out = at::empty({count}, at::kDouble);
  double* x = out.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < count; ++i) {
    RandomKey key{
        .seed = seed, .stream = Stream::lab, .sample = sample + static_cast<std::uint64_t>(i)};
    double left = random_uniform(key);
    std::size_t k = 0;
    while (k + 1 < weights.size() && left >= weights[k]) left -= weights[k++];
    key.step = 1;
    x[i] = means[k] + sigmas[k] * random_normal(key);
  }
  return out;
}

Nodes nodes_of(const LineMixture& mixture) {
  // Fine enough for the responsibilities, which turn over within a tenth where the components meet.
  constexpr double kStepX0 = 0.04, kStepEps = 0.25, kReach = 8;
  const Range range = range_of(mixture);
  std::vector<double> x0, eps, weight;
  for (double x = range.low; x <= range.high; x += kStepX0) {
    for (double z = -kReach; z <= kReach; z += kStepEps) {
      const double w = mixture.density(x) * std::exp(log_normal(z, 0, 1)) * (kStepX0 * kStepEps);
      if (w < 1e-18) continue;
      x0.push_back(x);
      eps.push_back(z);
      weight.push_back(w);
    }
  }
  return {at::tensor(x0, at::kDouble), at::tensor(eps, at::kDouble),
          at::tensor(weight, at::kDouble)};
}

StepIntegrals integrate_step(const process::VpSchedule& schedule, int t, const Nodes& nodes,
                             const at::Tensor& eps) {
  const Step step(schedule, t);
  const auto x0 = nodes.x0.accessor<double, 1>(), noise = nodes.eps.accessor<double, 1>(),
             weight = nodes.weight.accessor<double, 1>(), predicted = eps.accessor<double, 1>();
  CompensatedSum kl, gradients, equal_kl, equal_gradients;
  for (std::int64_t i = 0; i < nodes.x0.numel(); ++i) {
    const double x_t = step.a * x0[i] + step.s * noise[i];
    const PosteriorGrid q(step, x0[i], x_t);
    const double mean = step.mean(x_t, predicted[i]);
    const auto distances = q.from(mean, step.beta), equal = q.from(mean, q.variance());
    kl.add(weight[i] * distances.kl);
    gradients.add(weight[i] * distances.gradients);
    equal_kl.add(weight[i] * equal.kl);
    equal_gradients.add(weight[i] * equal.gradients);
  }
  return {kl.value(), gradients.value(), equal_kl.value(), equal_gradients.value()};
}

double integrate_prior(const process::VpSchedule& schedule, const LineMixture& mixture) {
  const process::NoiseLevel last = schedule.level(schedule.steps());
  const Range range = range_of(mixture);
  const auto divergence = [&](double x0) {
    const double mean = last.a * x0;
    return trapezoid(
        [&](double x) {
          const double log_q = log_normal(x, mean, last.s * last.s);
          return std::exp(log_q) * (log_q - log_normal(x, 0, 1));
        },
        mean - 12 * last.s, mean + 12 * last.s, kInner - 1);
  };
  return trapezoid([&](double x0) { return mixture.density(x0) * divergence(x0); }, range.low,
                   range.high, 400);
}

double integrate_reconstruction(const process::VpSchedule& schedule, const Nodes& nodes,
                                const at::Tensor& eps) {
  const Step step(schedule, 1);
  const auto x0 = nodes.x0.accessor<double, 1>(), noise = nodes.eps.accessor<double, 1>(),
             weight = nodes.weight.accessor<double, 1>(), predicted = eps.accessor<double, 1>();
  CompensatedSum sum;
  for (std::int64_t i = 0; i < nodes.x0.numel(); ++i) {
    const double x_1 = step.a * x0[i] + step.s * noise[i];
    sum.add(-weight[i] * log_normal(x0[i], step.mean(x_1, predicted[i]), step.beta));
  }
  return sum.value();
}

}  // namespace tinta::lab
