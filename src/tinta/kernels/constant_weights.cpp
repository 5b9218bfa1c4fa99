#include "tinta/kernels/constant_weights.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "tinta/kernels/onednn_convolution.h"

namespace tinta::kernels {
namespace {

ConstantWeights*& of_thread() {
  static thread_local ConstantWeights* one = nullptr;
  return one;
}

}  // namespace

ConstantWeights::ConstantWeights() : outermost_(of_thread() == nullptr) {
  if (outermost_) of_thread() = this;
}

ConstantWeights::~ConstantWeights() {
  if (outermost_) of_thread() = nullptr;
}

ConstantWeights* ConstantWeights::active() {
  return at::GradMode::is_enabled() ? nullptr : of_thread();
}

at::Tensor ConstantWeights::convolution(const at::Tensor& x, const at::Tensor& weight,
                                        const at::Tensor& bias, std::int64_t padding,
                                        const at::Tensor& plus) {
  const std::vector<std::int64_t> pads{padding, padding};
  const std::vector<std::int64_t> ones{1, 1};
  if (!weight.is_cpu() || !has_onednn_convolution(x)) {
    const at::Tensor y = at::conv2d(x, weight, bias, ones, at::IntArrayRef(pads));
    return plus.defined() ? y + plus : y;
  }
  Entry& entry = entries_[{weight.unsafeGetTensorImpl(), x.sizes().vec(), padding}];
  if (!entry.made.defined()) {
    entry = {weight, at::mkldnn_reorder_conv2d_weight(weight.detach().to_mkldnn(), pads, ones, ones,
                                                      1, x.sizes())};
  }
  return onednn_convolution(x, entry.made, bias, padding, plus);
}

at::Tensor ConstantWeights::made_of(const at::Tensor& weight,
                                    const std::function<at::Tensor()>& make) {
  Entry& entry = entries_[{weight.unsafeGetTensorImpl(), {}, 0}];
  if (!entry.made.defined()) entry = {weight, make()};
  return entry.made;
}

}  // namespace tinta::kernels
