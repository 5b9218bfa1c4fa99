#include "tinta/kernels/convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/amx_weight_gradient.h"
#include "tinta/kernels/constant_weights.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/weight_gradient_cpu.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(WeightGradientKernels, weight_gradient)

namespace {

namespace autograd = torch::autograd;

// Tasks that the work is split into, about: a number of the shape alone, so that results do not
// depend on the number of threads.
constexpr std::int64_t kTasks = 16;

template <class T>
void add_gradients(const ConvolutionShape& shape, const GradientArrays<T>& arrays,
                   std::int64_t shares, std::int64_t inputs, WeightGradient<T> run,
                   GradientScratch scratch_words) {
  const std::int64_t blocks = shape.in / inputs;
  const std::int64_t weights = shape.out * shape.kernel * shape.kernel * shape.in;
  at::parallel_for(0, shares * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::uint32_t> scratch(static_cast<std::size_t>(scratch_words(shape)));
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t share = task / blocks;
      GradientArrays<T> own = arrays;
      own.weight += share * weights;
      own.bias += share * shape.out;
      run(shape,
          {.first = shape.pictures * share / shares,
           .last = shape.pictures * (share + 1) / shares,
           .channel = task % blocks * inputs},
          own, scratch.data());
    }
  });
}

void require(bool condition, const char* expected, const at::Tensor& got) {
  if (condition) return;
  throw ArgumentError(c10::str("[convolution] expected ", expected, ", got ", got.sizes(), " ",
                               c10::toString(got.scalar_type())));
}

void require_inputs(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  require(x.dim() == 4 && at::isFloatingType(x.scalar_type()), "x [B,I,H,W] floating", x);
  require(weight.dim() == 4 && weight.size(1) == x.size(1) && weight.size(2) == weight.size(3) &&
              weight.scalar_type() == x.scalar_type(),
          "weight [O,I,k,k] of x's dtype", weight);
  require(
      bias.dim() == 1 && bias.size(0) == weight.size(0) && bias.scalar_type() == x.scalar_type(),
      "bias [O] of x's dtype", bias);
}

at::Tensor plain_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             std::int64_t padding) {
  return at::conv2d(x, weight, bias, {1, 1}, at::IntArrayRef({padding, padding}));
}

class ConvolutionFunction : public autograd::Function<ConvolutionFunction> {
 public:
  static at::Tensor forward(autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias,
                            std::int64_t padding) {
    context->save_for_backward({x, weight});
    context->saved_data["padding"] = padding;
    return plain_convolution(x, weight, bias, padding);
  }

  static autograd::variable_list backward(autograd::AutogradContext* context,
                                          const autograd::variable_list& upstream) {
    const autograd::variable_list kept = context->get_saved_variables();
    const at::Tensor& x = kept[0];
    const at::Tensor& weight = kept[1];
    const std::int64_t padding = context->saved_data["padding"].toInt();
    const at::Tensor dy =
        upstream[0].to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const bool of_x = context->needs_input_grad(0);
    const bool of_weight = context->needs_input_grad(1);
    const bool of_bias = context->needs_input_grad(2);
    // A graph of the gradients themselves is LibTorch's to make.
    const bool own = !at::GradMode::is_enabled();
    auto [dx, dweight, dbias] =
        at::convolution_backward(dy, x, weight, at::IntArrayRef({weight.size(0)}), {1, 1},
                                 at::IntArrayRef({padding, padding}), {1, 1}, false, {0, 0}, 1,
                                 {of_x, !own && of_weight, !own && of_bias});
    if (own && (of_weight || of_bias)) {
      ConvolutionGradients gradients = weight_gradient(x, dy, weight.size(2), padding);
      dweight = std::move(gradients.weight);
      dbias = std::move(gradients.bias);
    }
    return {dx, dweight, dbias, {}};
  }
};

}  // namespace

bool can_take(const at::Tensor& x, std::int64_t out, std::int64_t kernel, std::int64_t padding) {
  if (has_amx_weight_gradient(x, out, kernel, padding)) return true;
  const bool known =
      x.scalar_type() == at::kFloat || (x.scalar_type() == at::kBFloat16 && has_bf16() &&
                                        weight_gradient_kernels().run_bf16 != nullptr);
  constexpr std::int64_t kWidest = 4096;  // a row is laid out whole
  return known && x.is_cpu() && x.dim() == 4 && x.size(3) <= kWidest &&
         (kernel == 1 || kernel == 3) && padding == kernel / 2 && out % kGradientOutputs == 0 &&
         x.size(1) % weight_gradient_kernels().inputs == 0;
}

bool has_own_weight_gradient(const at::Tensor& x, const at::Tensor& weight, std::int64_t padding) {
  const std::int64_t out = weight.size(0);
  const std::int64_t kernel = weight.size(2);
  if (weight.size(3) != kernel || !can_take(x, out, kernel, padding)) return false;
  // oneDNN has AMX too: what our tiles do not take, and wide layers without them, are its own.
  if (has_amx_weight_gradient(x, out, kernel, padding)) return true;
  if (x.scalar_type() == at::kBFloat16 && has_amx()) return false;
  constexpr std::int64_t kNarrow = 64 * 128;
  constexpr std::int64_t kSmall = 64;
  return active_isa() != Isa::portable &&
         (out * weight.size(1) <= kNarrow || x.size(2) * x.size(3) <= kSmall);
}

ConvolutionGradients weight_gradient(const at::Tensor& x, const at::Tensor& dy, std::int64_t kernel,
                                     std::int64_t padding) {
  RECORD_USER_SCOPE("tinta::weight_gradient");
  require(dy.dim() == 4 && can_take(x, dy.size(1), kernel, padding), "what can_take() takes", x);
  if (has_amx_weight_gradient(x, dy.size(1), kernel, padding)) {
    return amx_weight_gradient(x, dy, kernel, padding);
  }
  require(dy.size(0) == x.size(0) && dy.size(2) == x.size(2) && dy.size(3) == x.size(3) &&
              dy.scalar_type() == x.scalar_type() && dy.is_cpu(),
          "dy of x's pictures and dtype", dy);
  const ConvolutionShape shape{.pictures = x.size(0),
                               .height = x.size(2),
                               .width = x.size(3),
                               .in = x.size(1),
                               .out = dy.size(1),
                               .kernel = kernel};
  const WeightGradientKernels& kernels = weight_gradient_kernels();
  const std::int64_t blocks = shape.in / kernels.inputs;
  const std::int64_t shares = std::clamp<std::int64_t>((kTasks + blocks - 1) / blocks, 1,
                                                       std::max<std::int64_t>(shape.pictures, 1));
  const at::TensorOptions floats = x.options().dtype(at::kFloat);
  at::Tensor weight = at::zeros({shares, shape.out, kernel, kernel, shape.in}, floats);
  at::Tensor bias = at::zeros({shares, shape.out}, floats);
  if (x.numel() > 0) {
    const at::Tensor dense_x = x.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor dense_dy = dy.contiguous(at::MemoryFormat::ChannelsLast);
    const auto add = [&](auto zero, auto run, GradientScratch words) {
      using T = decltype(zero);
      add_gradients<T>(shape,
                       {.x = static_cast<const T*>(dense_x.const_data_ptr()),
                        .dy = static_cast<const T*>(dense_dy.const_data_ptr()),
                        .weight = weight.mutable_data_ptr<float>(),
                        .bias = bias.mutable_data_ptr<float>()},
                       shares, kernels.inputs, run, words);
    };
    if (x.scalar_type() == at::kFloat) {
      add(float{}, kernels.run_f32, kernels.scratch_f32);
    } else {
      add(std::uint16_t{}, kernels.run_bf16, kernels.scratch_bf16);
    }
  }
  return {.weight = weight.sum(0).to(dy.scalar_type()).permute({0, 3, 1, 2}),
          .bias = bias.sum(0).to(dy.scalar_type())};
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  require_inputs(x, weight, bias);
  require(weight.size(2) % 2 == 1, "weight [O,I,k,k], k odd", weight);
  return padded_convolution(x, weight, bias, weight.size(2) / 2);
}

at::Tensor padded_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              std::int64_t padding) {
  require_inputs(x, weight, bias);
  if (ConstantWeights* constant = ConstantWeights::active()) {
    return constant->convolution(x, weight, bias, padding);
  }
  if (at::GradMode::is_enabled() && weight.requires_grad() &&
      has_own_weight_gradient(x, weight, padding)) {
    return ConvolutionFunction::apply(x, weight, bias, padding);
  }
  return plain_convolution(x, weight, bias, padding);
}

at::Tensor convolution_plus(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& plus) {
  require_inputs(x, weight, bias);
  require(plus.dim() == 4 && plus.size(0) == x.size(0) && plus.size(1) == weight.size(0) &&
              plus.size(2) == x.size(2) && plus.size(3) == x.size(3) &&
              plus.scalar_type() == x.scalar_type(),
          "plus [B,O,H,W] of x's dtype", plus);
  if (ConstantWeights* constant = ConstantWeights::active()) {
    return constant->convolution(x, weight, bias, weight.size(2) / 2, plus);
  }
  return convolution(x, weight, bias) + plus;
}

}  // namespace tinta::kernels
