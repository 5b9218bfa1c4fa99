#include "tinta/stepper/first_order.h"

#include <ATen/ATen.h>

#include "tinta/core/error.h"

namespace tinta::stepper {
namespace {

void require_alike(const at::Tensor& x, const at::Tensor& noise, const char* where) {
  if (x.sizes() != noise.sizes() || !x.is_floating_point()) {
    throw ArgumentError(std::string("[") + where +
                        "] expected floating positions and noise of their shape");
  }
}

}  // namespace

at::Tensor euler_maruyama(const Force& force, const at::Tensor& x, const FirstOrderStep& step,
                          const at::Tensor& noise) {
  require_alike(x, noise, "euler_maruyama");
  return x + step.drift * force(x) + step.amplitude * noise;
}

at::Tensor heun(const Force& force, const at::Tensor& x, const FirstOrderStep& step,
                const at::Tensor& noise) {
  require_alike(x, noise, "heun");
  const at::Tensor here = force(x);
  const at::Tensor kick = step.amplitude * noise;
  const at::Tensor there = force(x + step.drift * here + kick);
  return x + step.drift / 2 * (here + there) + kick;
}

at::Tensor leimkuhler_matthews(const Force& force, const at::Tensor& x, const FirstOrderStep& step,
                               const at::Tensor& noise, const at::Tensor& next_noise) {
  require_alike(x, noise, "leimkuhler_matthews");
  require_alike(x, next_noise, "leimkuhler_matthews");
  return x + step.drift * force(x) + step.amplitude / 2 * (noise + next_noise);
}

}  // namespace tinta::stepper
