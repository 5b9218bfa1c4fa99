#include <ATen/ATen.h>

#include "tinta/kernels/adamw.h"

namespace tinta::kernels {

void adamw_step_reference(AdamwState& state, const at::Tensor& gradient, const AdamwStep& step) {
  const at::Tensor g = gradient.to(at::kDouble) * step.gradient_scale;
  const at::Tensor old = state.master.to(at::kDouble);
  const at::Tensor m = step.beta1 * state.m.to(at::kDouble) + (1.0 - step.beta1) * g;
  const at::Tensor v = step.beta2 * state.v.to(at::kDouble) + (1.0 - step.beta2) * g * g;
  const at::Tensor direction = (m / step.correction1) / ((v / step.correction2).sqrt() + step.eps);
  const at::Tensor master = old - step.learning_rate * (direction + step.weight_decay * old);
  const at::Tensor ema = state.ema.to(at::kDouble);
  state.m.copy_(m);
  state.v.copy_(v);
  state.master.copy_(master);
  state.ema.copy_(ema + (1.0 - step.ema_decay) * (master - ema));
  state.weight.copy_(master);
}

}  // namespace tinta::kernels
