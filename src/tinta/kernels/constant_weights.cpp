#include "tinta/kernels/constant_weights.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/stack.h>

#include <optional>

#include "tinta/kernels/isa.h"

namespace tinta::kernels {
namespace {

ConstantWeights*& of_thread() {
  static thread_local ConstantWeights* one = nullptr;
  return one;
}

// LibTorch's convolution with weights that are in oneDNN's order, without a header of its own; none
// where LibTorch was built without oneDNN.
const std::optional<c10::OperatorHandle>& reordered_convolution() {
  static const auto found =
      c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", ""});
  return found;
}

bool can_reorder(const at::Tensor& x, const at::Tensor& weight) {
  const at::ScalarType dtype = x.scalar_type();
  return x.is_cpu() && weight.is_cpu() && x.numel() > 0 && reordered_convolution() &&
         (dtype == at::kFloat || (dtype == at::kBFloat16 && has_bf16()));
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
                                        const at::Tensor& bias, std::int64_t padding) {
  const std::vector<std::int64_t> pads{padding, padding};
  const std::vector<std::int64_t> ones{1, 1};
  if (!can_reorder(x, weight)) return at::conv2d(x, weight, bias, ones, at::IntArrayRef(pads));
  Entry& entry = entries_[{weight.unsafeGetTensorImpl(), x.sizes().vec(), padding}];
  if (!entry.made.defined()) {
    entry = {weight, at::mkldnn_reorder_conv2d_weight(weight.detach().to_mkldnn(), pads, ones, ones,
                                                      1, x.sizes())};
  }
  torch::jit::Stack stack;
  torch::jit::push(stack, x.contiguous(at::MemoryFormat::ChannelsLast), entry.made, bias, pads,
                   ones, ones, 1, "none", c10::List<std::optional<at::Scalar>>(), "");
  reordered_convolution()->callBoxed(stack);
  return torch::jit::pop(stack).toTensor();
}

at::Tensor ConstantWeights::made_of(const at::Tensor& weight,
                                    const std::function<at::Tensor()>& make) {
  Entry& entry = entries_[{weight.unsafeGetTensorImpl(), {}, 0}];
  if (!entry.made.defined()) entry = {weight, make()};
  return entry.made;
}

}  // namespace tinta::kernels
