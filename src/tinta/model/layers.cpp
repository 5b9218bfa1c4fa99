#include "tinta/model/layers.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include "tinta/kernels/convolution.h"

namespace tinta::model {

Linear::Linear(std::int64_t in, std::int64_t out, Init how, Bias with)
    : weight(register_parameter("weight", at::zeros({out, in}))),
      bias(with == Bias::yes ? register_parameter("bias", at::zeros({out})) : at::Tensor()),
      init(how) {}

at::Tensor Linear::forward(const at::Tensor& x) { return at::linear(x, weight, bias); }

Conv2d::Conv2d(const Conv2dOptions& given)
    : weight(register_parameter("weight",
                                at::zeros({given.out, given.in, given.kernel, given.kernel}))),
      bias(register_parameter("bias", at::zeros({given.out}))),
      options(given) {}

at::Tensor Conv2d::forward(const at::Tensor& x) {
  if (options.stride == 1 && 2 * options.padding + 1 == options.kernel) {
    return kernels::convolution(x, weight, bias);
  }
  return at::conv2d(x, weight, bias, options.stride, options.padding);
}

at::Tensor Conv2d::forward(const at::Tensor& x, const at::Tensor& plus) {
  return kernels::convolution_plus(x, weight, bias, plus);
}

std::int64_t Conv2d::multiply_adds() const { return weight.numel(); }

GroupNorm::GroupNorm(std::int64_t channels, const kernels::GroupNormOptions& given)
    : weight(register_parameter("weight", at::ones({channels}))),
      bias(register_parameter("bias", at::zeros({channels}))),
      options(given) {}

at::Tensor GroupNorm::forward(const at::Tensor& x) {
  RECORD_USER_SCOPE("tinta::group_norm");
  return kernels::group_norm(x, {}, weight, bias, options);
}

kernels::NormedAndInput GroupNorm::beside(const at::Tensor& x) {
  RECORD_USER_SCOPE("tinta::group_norm");
  return kernels::group_norm_beside(x, weight, bias, options);
}

Embedding::Embedding(std::int64_t count, std::int64_t dim)
    : weight(register_parameter("weight", at::zeros({count, dim}))) {}

at::Tensor Embedding::forward(const at::Tensor& indices) { return at::embedding(weight, indices); }

}  // namespace tinta::model
