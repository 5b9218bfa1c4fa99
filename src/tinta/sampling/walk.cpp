#include "tinta/sampling/walk.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <cmath>
#include <cstddef>
#include <string>

#include "tinta/core/error.h"

namespace tinta::sampling {
namespace {

void require_walkable(const process::Schedule& schedule, const std::vector<int>& ts,
                      const at::Tensor& x) {
  if (ts.empty()) throw ArgumentError("[sampler] expected at least one time step, got none");
  for (std::size_t i = 0; i < ts.size(); ++i) {
    if (ts[i] < 0 || ts[i] > schedule.steps()) {
      throw ArgumentError("[sampler] expected time steps in 0.." +
                          std::to_string(schedule.steps()) + ", got " + std::to_string(ts[i]));
    }
    if (i > 0 && ts[i] >= ts[i - 1]) {
      throw ArgumentError("[sampler] expected strictly falling time steps, got " +
                          std::to_string(ts[i]) + " after " + std::to_string(ts[i - 1]));
    }
  }
  if (!x.defined() || x.dim() < 1 || !at::isFloatingType(x.scalar_type())) {
    throw ArgumentError("[sampler] expected x of sizes [B,...] and a floating dtype, got " +
                        (x.defined() ? c10::str(x.sizes(), " and ", x.scalar_type())
                                     : std::string("an undefined tensor")));
  }
}

at::Tensor noise_of(const Chain& chain, int t) {
  RECORD_USER_SCOPE("tinta::noise");
  return chain.noise(static_cast<std::uint32_t>(t));
}

}  // namespace

at::Tensor walk(const Chain& chain, const std::vector<int>& ts, at::Tensor x, const Step& step) {
  require_walkable(chain.schedule, ts, x);
  const int total = static_cast<int>(ts.size()) - 1;
  for (int i = 0; i < total; ++i) {
    if (chain.stop && chain.stop()) break;
    const auto from = static_cast<std::size_t>(i);
    {
      RECORD_USER_SCOPE(kStepScope);
      x = step(x, ts[from], ts[from + 1]);
    }
    if (chain.progress) chain.progress(i + 1, total);
  }
  return x;
}

at::Tensor draw(const Chain& chain, const config::SamplingConfig& config,
                const process::PosteriorCoefficients& coefficients, const at::Tensor& x_t, int t) {
  at::Tensor x0 = chain.denoiser.x0(x_t, chain.schedule.level(t));
  if (config.clip_x0) x0 = x0.clamp(-1, 1);
  const at::Tensor mean = x0 * coefficients.on_x0 + x_t * coefficients.on_xt;
  if (coefficients.variance == 0) return mean;
  const at::Tensor z = noise_of(chain, t);
  if (z.sizes() != x_t.sizes()) {
    throw ArgumentError(
        c10::str("[sampler] expected noise of sizes ", x_t.sizes(), ", got ", z.sizes()));
  }
  return mean + z.to(x_t.options()) * std::sqrt(coefficients.variance);
}

}  // namespace tinta::sampling
