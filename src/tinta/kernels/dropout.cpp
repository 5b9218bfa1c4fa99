#include "tinta/kernels/dropout.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "tinta/core/error.h"
#include "tinta/kernels/dropout_cpu.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/row_keys.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(DropoutKernels, dropout)

namespace {

namespace autograd = torch::autograd;

at::Tensor apply(const at::Tensor& x, const at::Tensor& kept, double scale) {
  const at::Tensor dense = x.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor y = at::empty_like(dense, at::MemoryFormat::ChannelsLast);
  if (x.numel() == 0) return y;
  const std::int64_t length = x.numel() / x.size(0);
  const auto* bits = reinterpret_cast<const std::uint64_t*>(kept.const_data_ptr<std::int64_t>());
  const auto run = [&](auto zero, auto row) {
    using T = decltype(zero);
    const auto* from = static_cast<const T*>(dense.const_data_ptr());
    auto* to = static_cast<T*>(y.mutable_data_ptr());
    at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        row(from + i * length, to + i * length, length, bits + i * kept.size(1),
            static_cast<float>(scale));
      }
    });
  };
  if (x.scalar_type() == at::kFloat) {
    run(float{}, dropout_kernels().apply_f32);
  } else {
    run(std::uint16_t{}, dropout_kernels().apply_bf16);
  }
  return y;
}

/// Its own transpose: the gradient is the same map.
class DropoutFunction : public autograd::Function<DropoutFunction> {
 public:
  static at::Tensor forward(autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& kept, double scale) {
    context->save_for_backward({kept});
    context->saved_data["scale"] = scale;
    return tinta::kernels::apply(x, kept, scale);
  }
  static autograd::variable_list backward(autograd::AutogradContext* context,
                                          const autograd::variable_list& upstream) {
    const at::Tensor kept = context->get_saved_variables().front();
    return {
        DropoutFunction::apply(upstream[0], kept, context->saved_data["scale"].toDouble()), {}, {}};
  }
};

}  // namespace

float dropout_scale(double p) { return static_cast<float>(1 / (1 - p)); }

at::Tensor dropout_bits(std::int64_t rows, std::int64_t places, const Dropout& which) {
  if (!(which.p >= 0 && which.p < 1)) {
    throw ArgumentError(c10::str("[dropout] expected a probability in [0, 1), got ", which.p));
  }
  const at::Tensor& samples = which.samples;
  if (samples.defined() && (samples.scalar_type() != at::kLong || samples.dim() != 1 ||
                            samples.size(0) != rows || !samples.is_cpu())) {
    throw ArgumentError(c10::str("[dropout] expected samples [B] int64 on the CPU with B = ", rows,
                                 ", got ", samples.sizes(), " ",
                                 c10::toString(samples.scalar_type())));
  }
  const RowKeys keys{which.first, samples.defined() ? samples.contiguous() : at::Tensor()};
  const auto threshold = static_cast<std::uint32_t>(which.p * 0x1p32);
  const std::int64_t words = places / 64 + 2;  // one more, for whoever reads past a row's end
  at::Tensor kept = at::empty({rows, words}, at::kLong);
  auto* bits = reinterpret_cast<std::uint64_t*>(kept.mutable_data_ptr<std::int64_t>());
  at::parallel_for(0, rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      dropout_kernels().bits_row(bits + row * words, words, keys.at(row), threshold);
    }
  });
  return kept;
}

at::Tensor dropout(const at::Tensor& x, const Dropout& which) {
  if (x.dim() != 4 || !at::isFloatingType(x.scalar_type())) {
    throw ArgumentError(c10::str("[dropout] expected x [B,C,H,W] floating, got ", x.sizes(), " ",
                                 c10::toString(x.scalar_type())));
  }
  const bool fused =
      x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
  if (!fused) return dropout_reference(x, which);
  const std::int64_t places = x.size(0) == 0 ? 0 : x.numel() / x.size(0);
  return DropoutFunction::apply(x, dropout_bits(x.size(0), places, which),
                                static_cast<double>(dropout_scale(which.p)));
}

}  // namespace tinta::kernels
