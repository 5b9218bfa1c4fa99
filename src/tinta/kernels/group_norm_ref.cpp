#include <ATen/ops/silu.h>

#include "tinta/kernels/group_norm.h"

namespace tinta::kernels {

at::Tensor group_norm_reference(const at::Tensor& x, const at::Tensor& shift,
                                const at::Tensor& gamma, const at::Tensor& beta,
                                const GroupNormOptions& options) {
  at::Tensor h = shift.defined() ? x + shift.unsqueeze(-1).unsqueeze(-1) : x;
  const at::Tensor grouped =
      h.reshape({h.size(0), options.groups, h.size(1) / options.groups * h.size(2) * h.size(3)});
  const at::Tensor mean = grouped.mean(-1, /*keepdim=*/true);
  const at::Tensor variance = (grouped - mean).square().mean(-1, /*keepdim=*/true);
  h = ((grouped - mean) * (variance + options.eps).rsqrt()).reshape(x.sizes());
  h = h * gamma.unsqueeze(-1).unsqueeze(-1) + beta.unsqueeze(-1).unsqueeze(-1);
  return options.activation == Activation::silu ? at::silu(h) : h;
}

}  // namespace tinta::kernels
