#include <ATen/ops/conv2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "tinta/kernels/upsampled_convolution.h"

namespace tinta::kernels {

at::Tensor upsampled_convolution_reference(const at::Tensor& x, const at::Tensor& weight,
                                           const at::Tensor& bias) {
  const at::Tensor doubled = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  return at::conv2d(doubled, weight, bias, {1, 1}, at::IntArrayRef({1, 1}));
}

}  // namespace tinta::kernels
