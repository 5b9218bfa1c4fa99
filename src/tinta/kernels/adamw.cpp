#include "tinta/kernels/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/adamw_cpu.h"
#include "tinta/kernels/adamw_gpu.h"
#include "tinta/kernels/gpu.h"
#include "tinta/kernels/isa.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(AdamwKernels, adamw)

namespace {

constexpr std::int64_t kChunk = 16384;  // values per task, at least

void require_alike(const at::Tensor& weight, const at::Tensor& other, at::ScalarType dtype,
                   const char* what) {
  require_same_device("adamw_step", weight, other, what);
  if (other.scalar_type() != dtype || other.sizes() != weight.sizes() ||
      other.strides() != weight.strides() || !other.is_non_overlapping_and_dense()) {
    throw ArgumentError(std::string("[adamw_step] expected ") + what +
                        " dense, of the weight's shape and layout and of type " +
                        c10::toString(dtype) + ", got type " + c10::toString(other.scalar_type()));
  }
}

template <class T, class Step>
void run(AdamwState& state, const at::Tensor& gradient, const AdamwStep& step, Step kernel) {
  const auto* g = static_cast<const T*>(gradient.const_data_ptr());
  auto* weight = static_cast<T*>(state.weight.mutable_data_ptr());
  auto* master = state.master.mutable_data_ptr<float>();
  auto* m = state.m.mutable_data_ptr<float>();
  auto* v = state.v.mutable_data_ptr<float>();
  auto* ema = state.ema.mutable_data_ptr<float>();
  at::parallel_for(0, gradient.numel(), kChunk, [&](std::int64_t begin, std::int64_t end) {
    kernel({.count = end - begin,
            .gradient = g + begin,
            .master = master + begin,
            .m = m + begin,
            .v = v + begin,
            .ema = ema + begin,
            .weight = weight + begin},
           step);
  });
}

}  // namespace

at::Tensor checked_gradient(const AdamwState& state, const at::Tensor& gradient) {
  const at::Tensor& weight = state.weight;
  const at::ScalarType dtype = weight.scalar_type();
  if (dtype != at::kBFloat16 && dtype != at::kFloat && dtype != at::kHalf) {
    throw ArgumentError(
        std::string("[adamw_step] expected float32, bfloat16 or float16 weights, got ") +
        c10::toString(dtype));
  }
  require_alike(weight, weight, dtype, "weight");
  require_alike(weight, state.master, at::kFloat, "master");
  require_alike(weight, state.m, at::kFloat, "m");
  require_alike(weight, state.v, at::kFloat, "v");
  require_alike(weight, state.ema, at::kFloat, "ema");
  if (!gradient.defined()) return gradient;
  if (gradient.sizes() != weight.sizes() || gradient.scalar_type() != dtype) {
    throw ArgumentError("[adamw_step] expected a gradient of the weight's shape and dtype");
  }
  require_same_device("adamw_step", weight, gradient, "the gradient");
  // A library may return a gradient in another layout than the weight's.
  const bool alike = gradient.strides() == weight.strides() ||
                     (gradient.is_contiguous() && weight.is_contiguous());
  return alike ? gradient : at::empty_like(weight).copy_(gradient);
}

void adamw_step(AdamwState& state, const at::Tensor& gradient, const AdamwStep& step) {
  if (kernels_for(state.weight) != nullptr) return adamw_on_gpu({state}, {gradient}, step, nullptr);
  if (!state.weight.is_cpu()) return adamw_step_reference(state, gradient, step);
  const at::Tensor g = checked_gradient(state, gradient);
  if (state.weight.scalar_type() == at::kHalf) {
    // No CPU trains in float16; this is what a GPU does, for tests.
    AdamwState wide = state;
    wide.weight = state.weight.to(at::kFloat);
    run<float>(wide, g.to(at::kFloat), step, adamw_kernels().step_f32);
    state.weight.copy_(wide.weight);
  } else if (state.weight.scalar_type() == at::kBFloat16) {
    run<std::uint16_t>(state, g, step, adamw_kernels().step_bf16);
  } else {
    run<float>(state, g, step, adamw_kernels().step_f32);
  }
}

void adamw_steps(std::vector<AdamwState>& states, const std::vector<at::Tensor>& gradients,
                 const AdamwStep& step) {
  if (states.size() != gradients.size()) {
    throw ArgumentError("[adamw_steps] expected " + std::to_string(states.size()) +
                        " gradients, got " + std::to_string(gradients.size()));
  }
  if (!states.empty() && kernels_for(states.front().weight) != nullptr) {
    return adamw_on_gpu(states, gradients, step, nullptr);
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    const at::Tensor gradient =
        gradients[i].defined() ? gradients[i] : at::zeros_like(states[i].weight);
    adamw_step(states[i], gradient, step);
  }
}

double square_sum(const at::Tensor& x) {
  if (kernels_for(x) != nullptr) return square_sum_on_gpu({x}).item<double>();
  if (!x.is_cpu()) return x.to(at::kDouble).square().sum().item<double>();
  if (x.scalar_type() == at::kHalf) return square_sum(x.to(at::kFloat));
  const at::Tensor dense = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  const std::int64_t count = dense.numel();
  const std::int64_t chunks = (count + kChunk - 1) / kChunk;
  std::vector<double> partial(static_cast<std::size_t>(chunks));
  at::parallel_for(0, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t length = std::min(kChunk, count - i * kChunk);
      auto& sum = partial[static_cast<std::size_t>(i)];
      if (dense.scalar_type() == at::kBFloat16) {
        const auto* values = static_cast<const std::uint16_t*>(dense.const_data_ptr());
        sum = adamw_kernels().square_sum_bf16(values + i * kChunk, length);
      } else {
        sum = adamw_kernels().square_sum_f32(dense.const_data_ptr<float>() + i * kChunk, length);
      }
    }
  });
  double total = 0;
  for (const double sum : partial) total += sum;
  return total;
}

double square_sum(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> defined;
  for (const at::Tensor& x : tensors) {
    if (x.defined()) defined.push_back(x);
  }
  if (!defined.empty() && kernels_for(defined.front()) != nullptr) {
    return square_sum_on_gpu(defined).item<double>();
  }
  double total = 0;
  for (const at::Tensor& x : defined) total += square_sum(x);
  return total;
}

}  // namespace tinta::kernels
