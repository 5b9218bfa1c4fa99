#include "tinta/kernels/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(AdamwKernels, adamw)

namespace {

constexpr std::int64_t kChunk = 16384;  // values per task: a multiple of every vector width

void require_alike(const at::Tensor& weight, const at::Tensor& other, at::ScalarType dtype,
                   const char* what) {
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

void adamw_step(AdamwState& state, const at::Tensor& gradient, const AdamwStep& step) {
  if (!state.weight.is_cpu()) return adamw_step_reference(state, gradient, step);
  const at::ScalarType dtype = state.weight.scalar_type();
  const bool bf16 = dtype == at::kBFloat16;
  if (!bf16 && dtype != at::kFloat) {
    throw ArgumentError(std::string("[adamw_step] expected float32 or bfloat16 weights, got ") +
                        c10::toString(dtype));
  }
  require_alike(state.weight, state.weight, dtype, "weight");
  if (gradient.sizes() != state.weight.sizes() || gradient.scalar_type() != dtype) {
    throw ArgumentError("[adamw_step] expected a gradient of the weight's shape and dtype");
  }
  require_alike(state.weight, state.master, at::kFloat, "master");
  require_alike(state.weight, state.m, at::kFloat, "m");
  require_alike(state.weight, state.v, at::kFloat, "v");
  require_alike(state.weight, state.ema, at::kFloat, "ema");
  // A library may return a gradient in another layout than the weight's.
  const bool alike = gradient.strides() == state.weight.strides() ||
                     (gradient.is_contiguous() && state.weight.is_contiguous());
  const at::Tensor g = alike ? gradient : at::empty_like(state.weight).copy_(gradient);
  if (bf16) {
    run<std::uint16_t>(state, g, step, adamw_kernels().step_bf16);
  } else {
    run<float>(state, g, step, adamw_kernels().step_f32);
  }
}

double square_sum(const at::Tensor& x) {
  if (!x.is_cpu()) return x.to(at::kDouble).square().sum().item<double>();
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

}  // namespace tinta::kernels
