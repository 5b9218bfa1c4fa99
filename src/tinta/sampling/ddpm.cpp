#include <array>
#include <string>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/sampling/sampler.h"
#include "tinta/sampling/walk.h"

namespace tinta::sampling {
namespace {

enum class Variance { posterior, beta };

Variance variance_from(const std::string& name) {
  static const std::array<std::string, 2> known = {"posterior", "beta"};
  if (name == known[0]) return Variance::posterior;
  if (name == known[1]) return Variance::beta;
  throw ArgumentError("[ddpm] expected a known variance, got \"" + name + "\"" +
                      suggestion(name, known));
}

}  // namespace

at::Tensor ddpm(const Chain& chain, const config::SamplingConfig& config,
                const std::vector<int>& ts, at::Tensor x) {
  const Variance variance = variance_from(config.variance);
  return walk(chain, ts, std::move(x), [&](const at::Tensor& x_t, int t, int s) {
    process::PosteriorCoefficients q = chain.schedule.posterior(s, t);
    // x_0 is where the chain ends: noise added to it would stay in the picture.
    if (variance == Variance::beta && s > 0) q.variance = chain.schedule.transition(s, t).variance;
    return draw(chain, config, q, x_t, t);
  });
}

}  // namespace tinta::sampling
