#include <ATen/ATen.h>

#include <string>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/sampling/sampler.h"
#include "tinta/sampling/walk.h"

namespace tinta::sampling {
namespace {

/// dy / dsigma: the noise that explains x_t together with the (clamped) estimate of x_0.
at::Tensor slope(const Chain& chain, const config::SamplingConfig& config, const at::Tensor& x_t,
                 const process::NoiseLevel& level) {
  if (!config.clip_x0) return chain.denoiser.eps(x_t, level);
  const at::Tensor x0 = chain.denoiser.x0(x_t, level).clamp(-1, 1);
  return (x_t - x0 * level.a) / level.s;
}

double sigma_of(const process::NoiseLevel& level) {
  if (!(level.a > 0)) {
    throw ArgumentError("[heun] expected a > 0 at every step, got " + shortest(level.a));
  }
  return level.s / level.a;
}

}  // namespace

at::Tensor heun(const Chain& chain, const config::SamplingConfig& config,
                const std::vector<int>& ts, at::Tensor x) {
  return walk(chain, ts, std::move(x), [&](const at::Tensor& x_t, int t, int s) {
    const process::NoiseLevel from = chain.schedule.level(t), to = chain.schedule.level(s);
    const double h = sigma_of(to) - sigma_of(from);
    const at::Tensor y = x_t / from.a;
    const at::Tensor first = slope(chain, config, x_t, from);
    const at::Tensor euler = y + first * h;
    if (s == 0) return euler;  // a_0 = 1
    const at::Tensor second = slope(chain, config, euler * to.a, to);
    return (y + (first + second) * (h / 2)) * to.a;
  });
}

}  // namespace tinta::sampling
