#include <algorithm>
#include <cmath>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/sampling/sampler.h"
#include "tinta/sampling/walk.h"

namespace tinta::sampling {
namespace {

/// Song et al. 2021, eq. 12, x_s = a_s x_0 + sqrt(s_s^2 - sigma^2) eps + sigma z, with
/// eps = (x_t - a_t x_0) / s_t put in: a member of their family q_sigma(x_s | x_t, x_0), eq. 7.
process::PosteriorCoefficients ddim_coefficients(const process::Schedule& schedule, double eta,
                                                 int s, int t) {
  const process::NoiseLevel from = schedule.level(t);
  const process::NoiseLevel to = schedule.level(s);
  const double variance = eta * eta * schedule.posterior(s, t).variance;  // eq. 16
  // Where nothing is left of x_0 at t the variance is s_s^2 itself, to rounding.
  const double on_xt = std::sqrt(std::max(to.s * to.s - variance, 0.0)) / from.s;
  return {.on_x0 = to.a - on_xt * from.a, .on_xt = on_xt, .variance = variance};
}

}  // namespace

at::Tensor ddim(const Chain& chain, const config::SamplingConfig& config,
                const std::vector<int>& ts, at::Tensor x) {
  if (!(config.eta >= 0 && config.eta <= 1)) {
    throw ArgumentError("[ddim] expected eta in 0..1, got " + shortest(config.eta));
  }
  return walk(chain, ts, std::move(x), [&](const at::Tensor& x_t, int t, int s) {
    return draw(chain, config, ddim_coefficients(chain.schedule, config.eta, s, t), x_t, t);
  });
}

}  // namespace tinta::sampling
