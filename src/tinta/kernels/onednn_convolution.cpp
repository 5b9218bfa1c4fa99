#include "tinta/kernels/onednn_convolution.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <optional>
#include <vector>

#include "tinta/kernels/isa.h"

namespace tinta::kernels {
namespace {

constexpr const char* kName = "mkldnn::_convolution_pointwise";

const std::optional<c10::OperatorHandle>& alone() {
  static const auto found = c10::Dispatcher::singleton().findSchema({kName, ""});
  return found;
}
const std::optional<c10::OperatorHandle>& with_plus() {
  static const auto found = c10::Dispatcher::singleton().findSchema({kName, "binary"});
  return found;
}

}  // namespace

bool has_onednn_convolution(const at::Tensor& x) {
  const at::ScalarType dtype = x.scalar_type();
  return x.is_cpu() && x.numel() > 0 && alone() && with_plus() &&
         (dtype == at::kFloat || (dtype == at::kBFloat16 && has_bf16()));
}

at::Tensor onednn_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              std::int64_t padding, const at::Tensor& plus) {
  const at::Tensor dense = x.contiguous(at::MemoryFormat::ChannelsLast);
  const std::vector<std::int64_t> pads{padding, padding};
  const std::vector<std::int64_t> ones{1, 1};
  const c10::List<std::optional<at::Scalar>> scalars;
  const c10::IValue none;
  torch::jit::Stack stack;
  if (plus.defined()) {
    torch::jit::push(stack, dense, plus.contiguous(at::MemoryFormat::ChannelsLast), weight, bias,
                     pads, ones, ones, 1, "add", none, none, scalars, none);
    with_plus()->callBoxed(stack);
  } else {
    torch::jit::push(stack, dense, weight, bias, pads, ones, ones, 1, "none", scalars, "");
    alone()->callBoxed(stack);
  }
  return torch::jit::pop(stack).toTensor();
}

}  // namespace tinta::kernels
