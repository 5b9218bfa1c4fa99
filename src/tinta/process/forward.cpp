#include "tinta/process/forward.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tinta/core/error.h"

namespace tinta::process {
namespace {

void require_alike(const char* where, const at::Tensor& x, const at::Tensor& noise) {
  if (!at::isFloatingType(x.scalar_type())) {
    throw ArgumentError(c10::str("[", where, "] expected a floating dtype, got ", x.scalar_type()));
  }
  if (noise.sizes() != x.sizes() || noise.scalar_type() != x.scalar_type()) {
    throw ArgumentError(c10::str("[", where, "] expected noise of sizes ", x.sizes(), " and dtype ",
                                 x.scalar_type(), ", got ", noise.sizes(), " and ",
                                 noise.scalar_type()));
  }
}

}  // namespace

at::Tensor add_noise(const VpSchedule& schedule, const at::Tensor& x0, const at::Tensor& t,
                     const at::Tensor& noise) {
  require_alike("add_noise", x0, noise);
  if (x0.dim() < 1 || t.dim() != 1 || t.size(0) != x0.size(0) || t.scalar_type() != at::kLong ||
      !t.is_cpu()) {
    throw ArgumentError(c10::str("[add_noise] expected t of sizes [B] and dtype Long on the CPU ",
                                 "for x0 of sizes ", x0.sizes(), ", got ", t.sizes(), " ",
                                 t.scalar_type(), " on ", t.device()));
  }
  // Broadcasts over everything but the batch.
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(x0.dim()), 1);
  sizes[0] = x0.size(0);
  at::Tensor a = at::empty(sizes, at::kDouble);
  at::Tensor s = at::empty(sizes, at::kDouble);
  const at::Tensor steps = t.contiguous();
  for (std::int64_t i = 0; i < steps.size(0); ++i) {
    const std::int64_t step = steps.const_data_ptr<std::int64_t>()[i];
    if (step < 0 || step > schedule.steps()) {
      throw ArgumentError("[add_noise] expected t in 0.." + std::to_string(schedule.steps()) +
                          ", got " + std::to_string(step) + " at " + std::to_string(i));
    }
    const NoiseLevel level = schedule.level(static_cast<int>(step));
    a.mutable_data_ptr<double>()[i] = level.a;
    s.mutable_data_ptr<double>()[i] = level.s;
  }
  return x0 * a.to(x0.options()) + noise * s.to(x0.options());
}

at::Tensor forward_step(const VpSchedule& schedule, const at::Tensor& x_previous, int t,
                        const at::Tensor& noise) {
  require_alike("forward_step", x_previous, noise);
  return x_previous * std::sqrt(schedule.alpha(t)) + noise * std::sqrt(schedule.beta(t));
}

at::Tensor add_noise(const NoiseLevel& level, const at::Tensor& x0, const at::Tensor& noise) {
  require_alike("add_noise", x0, noise);
  return x0 * level.a + noise * level.s;
}

}  // namespace tinta::process
