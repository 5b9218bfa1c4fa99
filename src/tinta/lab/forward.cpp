#include "tinta/lab/forward.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <span>

#include "tinta/core/statistics.h"
#include "tinta/kernels/random.h"
#include "tinta/process/forward.h"

namespace tinta::lab {

ForwardFormulas forward_formulas() {
  return {.step = process::forward_step,
          .jump = [](const process::VpSchedule& schedule, const at::Tensor& x0, int t,
                     const at::Tensor& noise) {
            return process::add_noise(schedule.level(t), x0, noise);
          }};
}

at::Tensor residuals(const process::VpSchedule& schedule, const at::Tensor& x0,
                     const at::Tensor& x_t, int t) {
  const process::NoiseLevel level = schedule.level(t);
  return (x_t.to(at::kDouble) - x0.to(at::kDouble) * level.a) / level.s;
}

Walk walk(const Context& context, const WalkTask& task) {
  const int steps = task.schedule.steps();
  const auto size = static_cast<std::size_t>(steps) + 1;
  Walk walk{std::vector<double>(size), std::vector<double>(size), std::vector<double>(size), {}};
  const at::Tensor clean = task.x0.to(at::kDouble);
  const double square = clean.square().sum().item<double>();
  at::Tensor x = task.x0.unsqueeze(0);
  if (task.keep.contains(0)) walk.kept[0] = task.x0;
  for (int t = 1; t <= steps && !context.stopped(); ++t) {
    const at::Tensor noise = kernels::normal(x.sizes(), {.seed = context.seed,
                                                         .stream = Stream::lab,
                                                         .sample = task.sample,
                                                         .step = static_cast<std::uint32_t>(t)});
    x = task.formulas.step(task.schedule, x, t, noise);
    const at::Tensor r = residuals(task.schedule, clean, x.squeeze(0), t);
    const process::NoiseLevel level = task.schedule.level(t);
    const auto i = static_cast<std::size_t>(t);
    // From the residual, which is of order one: x_t itself hides a small error at small t.
    walk.amplitude[i] = level.a + level.s * (r * clean).sum().item<double>() / square;
    walk.residual_mean[i] = r.mean().item<double>();
    walk.residual_variance[i] = r.square().mean().item<double>();
    if (task.keep.contains(t)) walk.kept[t] = x.squeeze(0);
  }
  return walk;
}

double distance_from_normal(const at::Tensor& values) {
  const at::Tensor sorted = std::get<0>(values.to(at::kDouble).flatten().sort());
  return ks_distance(std::span<const double>(sorted.const_data_ptr<double>(),
                                             static_cast<std::size_t>(sorted.numel())),
                     normal_cdf);
}

}  // namespace tinta::lab
