#include "tinta/process/variational.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::process {
namespace {

/// v - 1 - log(v): what a ratio of variances costs, twice per dimension.
double ratio_cost(double ratio) { return ratio - 1 - std::log(ratio); }

/// [B,...] -> [B,D] double
at::Tensor rows(const char* where, const at::Tensor& x, at::IntArrayRef sizes) {
  if (x.dim() < 1 || x.sizes() != sizes || !at::isFloatingType(x.scalar_type())) {
    throw ArgumentError(c10::str("[VariationalBound::", where, "] expected floating tensors of ",
                                 "sizes [B,...], all ", sizes, ", got ", x.scalar_type(), " ",
                                 x.sizes()));
  }
  return x.reshape({x.size(0), -1}).to(at::kDouble);
}

}  // namespace

double gaussian_kl(double squared_distance, double dimensions, double variance_q,
                   double variance_p) {
  if (!(squared_distance >= 0 && dimensions >= 0 && variance_q >= 0 && variance_p > 0)) {
    throw ArgumentError(
        "[gaussian_kl] expected a distance, dimensions and variances that are not "
        "negative, and a second variance above 0, got " +
        shortest(squared_distance) + ", " + shortest(dimensions) + ", " + shortest(variance_q) +
        ", " + shortest(variance_p));
  }
  return squared_distance / (2 * variance_p) + dimensions / 2 * ratio_cost(variance_q / variance_p);
}

double VariationalBound::variance(int t) const {
  if (variance_ == ReverseVariance::beta || schedule_->steps() == 1) return schedule_->beta(t);
  return schedule_->posterior(t == 1 ? 2 : t).variance;
}

double VariationalBound::weight(int t) const {
  const double on_eps = schedule_->eps_mean(t).on_eps;
  return on_eps * on_eps / (2 * variance(t));
}

double VariationalBound::constant(int t, double dimensions) const {
  if (t < 2) {
    throw ArgumentError("[VariationalBound::constant] expected t in 2..T, got " +
                        std::to_string(t));
  }
  return gaussian_kl(0, dimensions, schedule_->posterior(t).variance, variance(t));
}

at::Tensor VariationalBound::prior(const at::Tensor& x0) const {
  const at::Tensor x = rows("prior", x0, x0.sizes());
  const NoiseLevel last = schedule_->level(schedule_->steps());
  const double spread = gaussian_kl(0, static_cast<double>(x.size(1)), last.s * last.s, 1);
  return x.square().sum(1) * (last.a * last.a / 2) + spread;
}

at::Tensor VariationalBound::transition(int t, const at::Tensor& x0, const at::Tensor& x_t,
                                        const at::Tensor& eps) const {
  const at::Tensor x = rows("transition", x_t, x0.sizes());
  const PosteriorCoefficients posterior = schedule_->posterior(t);
  const EpsMeanCoefficients model = schedule_->eps_mean(t);
  const at::Tensor distance = rows("transition", x0, x0.sizes()) * posterior.on_x0 +
                              x * (posterior.on_xt - model.on_xt) -
                              rows("transition", eps, x0.sizes()) * model.on_eps;
  return distance.square().sum(1) / (2 * variance(t)) + constant(t, static_cast<double>(x.size(1)));
}

at::Tensor VariationalBound::reconstruction(const at::Tensor& x0, const at::Tensor& x_1,
                                            const at::Tensor& eps) const {
  const at::Tensor x = rows("reconstruction", x0, x0.sizes());
  const EpsMeanCoefficients model = schedule_->eps_mean(1);
  const at::Tensor distance = x - rows("reconstruction", x_1, x0.sizes()) * model.on_xt -
                              rows("reconstruction", eps, x0.sizes()) * model.on_eps;
  const double spread = variance(1);
  return distance.square().sum(1) / (2 * spread) +
         static_cast<double>(x.size(1)) / 2 * std::log(2 * std::numbers::pi * spread);
}

}  // namespace tinta::process
