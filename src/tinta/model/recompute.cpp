#include "tinta/model/recompute.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstdint>
#include <utility>

namespace tinta::model {
namespace {

namespace autograd = torch::autograd;

constexpr const char* kHeld = "held";

/// What the backward pass needs besides tensors.
struct Held : torch::CustomClassHolder {
  Held(Segment given, std::size_t count) : segment(std::move(given)), inputs(count) {}
  Segment segment;
  std::size_t inputs;  // the tensors that follow are parameters
};

class Recomputed : public autograd::Function<Recomputed> {
 public:
  static at::Tensor forward(autograd::AutogradContext* context, const Segment& segment,
                            const std::size_t& inputs, const at::TensorList& tensors) {
    context->save_for_backward(tensors.vec());
    context->saved_data[kHeld] =
        at::IValue::make_capsule(c10::make_intrusive<Held>(segment, inputs));
    return segment(tensors.slice(0, inputs).vec());
  }

  static autograd::variable_list backward(autograd::AutogradContext* context,
                                          const autograd::variable_list& upstream) {
    const auto capsule = context->saved_data[kHeld].toCapsule();
    const auto& held = static_cast<const Held&>(*capsule);
    autograd::variable_list tensors = context->get_saved_variables();
    const at::AutoGradMode recording(true);
    for (std::size_t i = 0; i < held.inputs; ++i) {
      tensors[i] = tensors[i].detach().requires_grad_(tensors[i].requires_grad());
    }
    const at::Tensor again = held.segment({tensors.begin(), tensors.begin() + held.inputs});
    autograd::variable_list wanted;
    for (const at::Tensor& tensor : tensors) {
      if (tensor.requires_grad()) wanted.push_back(tensor);
    }
    const autograd::variable_list found =
        autograd::grad({again}, wanted, upstream, /*retain_graph=*/false, /*create_graph=*/false,
                       /*allow_unused=*/true);
    autograd::variable_list gradients(2);  // of the segment and the count: none
    auto next = found.begin();
    for (const at::Tensor& tensor : tensors) {
      gradients.push_back(tensor.requires_grad() ? *next++ : at::Tensor());
    }
    return gradients;
  }
};

}  // namespace

at::Tensor recomputed(const Segment& segment, const std::vector<at::Tensor>& inputs,
                      const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> tensors = inputs;
  tensors.insert(tensors.end(), parameters.begin(), parameters.end());
  return Recomputed::apply(segment, inputs.size(), at::TensorList(tensors));
}

}  // namespace tinta::model
