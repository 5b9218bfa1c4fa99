#include "tinta/kernels/upsampled_convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tinta/core/error.h"
#include "tinta/kernels/constant_weights.h"
#include "tinta/kernels/convolution.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/phase_weights_cpu.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(PhaseWeightKernels, phase_weight)

namespace {

namespace autograd = torch::autograd;

constexpr auto kDense = at::MemoryFormat::ChannelsLast;
constexpr std::int64_t kPhases = 4;

// [O,I,3,3] -> [4 O,I,2,2], phase by phase.
at::Tensor fold(const at::Tensor& weight) {
  const at::Tensor dense = weight.contiguous(kDense);
  const std::int64_t out = weight.size(0);
  const std::int64_t in = weight.size(1);
  at::Tensor folded = at::empty({kPhases * out, in, 2, 2}, weight.options(), kDense);
  const auto run = [&](auto zero, auto kernel) {
    using T = decltype(zero);
    const auto* nine = static_cast<const T*>(dense.const_data_ptr());
    auto* phases = static_cast<T*>(folded.mutable_data_ptr());
    at::parallel_for(0, out, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) {
        kernel(nine + o * 9 * in, in, phases + o * 4 * in, out * 4 * in);
      }
    });
  };
  if (weight.scalar_type() == at::kFloat) {
    run(float{}, phase_weight_kernels().fold_f32);
  } else {
    run(std::uint16_t{}, phase_weight_kernels().fold_bf16);
  }
  return folded;
}

// The transposed map: [4 O,I,2,2] -> [O,I,3,3].
at::Tensor unfold(const at::Tensor& gradient) {
  const at::Tensor dense = gradient.contiguous(kDense);
  const std::int64_t out = gradient.size(0) / kPhases;
  const std::int64_t in = gradient.size(1);
  at::Tensor unfolded = at::empty({out, in, 3, 3}, gradient.options(), kDense);
  const auto run = [&](auto zero, auto kernel) {
    using T = decltype(zero);
    const auto* phases = static_cast<const T*>(dense.const_data_ptr());
    auto* nine = static_cast<T*>(unfolded.mutable_data_ptr());
    at::parallel_for(0, out, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) {
        kernel(phases + o * 4 * in, out * 4 * in, in, nine + o * 9 * in);
      }
    });
  };
  if (gradient.scalar_type() == at::kFloat) {
    run(float{}, phase_weight_kernels().unfold_f32);
  } else {
    run(std::uint16_t{}, phase_weight_kernels().unfold_bf16);
  }
  return unfolded;
}

/// Pictures of phases [B,4 C,H + 1,W + 1] and the doubled picture [B,C,2 H,2 W], channels fastest,
/// as bytes.
struct PhaseLayout {
  std::int64_t pictures;
  std::int64_t height;  ///< H
  std::int64_t width;   ///< W
  std::size_t run;      ///< bytes of a place's C channels

  /// Where phase (a, b) of place (row, column) of the phases' picture begins.
  [[nodiscard]] std::size_t phase(std::int64_t picture, std::int64_t row, std::int64_t column,
                                  std::int64_t a, std::int64_t b) const {
    const std::int64_t place = (picture * (height + 1) + row) * (width + 1) + column;
    return static_cast<std::size_t>(place * kPhases + 2 * a + b) * run;
  }
  [[nodiscard]] std::size_t doubled(std::int64_t picture, std::int64_t row,
                                    std::int64_t column) const {
    return static_cast<std::size_t>((picture * 2 * height + row) * 2 * width + column) * run;
  }
};

// y[2 i + a][2 j + b] = z_ab[i + a][j + b].
at::Tensor join(const at::Tensor& phases) {
  const at::Tensor dense = phases.contiguous(kDense);
  const std::int64_t channels = phases.size(1) / kPhases;
  const PhaseLayout layout{.pictures = phases.size(0),
                           .height = phases.size(2) - 1,
                           .width = phases.size(3) - 1,
                           .run = static_cast<std::size_t>(channels) * phases.element_size()};
  at::Tensor joined = at::empty({layout.pictures, channels, 2 * layout.height, 2 * layout.width},
                                phases.options(), kDense);
  const auto* from = static_cast<const std::byte*>(dense.const_data_ptr());
  auto* to = static_cast<std::byte*>(joined.mutable_data_ptr());
  const std::int64_t rows = 2 * layout.height;
  at::parallel_for(0, layout.pictures * rows, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t job = begin; job < end; ++job) {
      const std::int64_t picture = job / rows;
      const std::int64_t y = job % rows;
      for (std::int64_t x = 0; x < 2 * layout.width; ++x) {
        const std::int64_t a = y % 2;
        const std::int64_t b = x % 2;
        std::memcpy(to + layout.doubled(picture, y, x),
                    from + layout.phase(picture, y / 2 + a, x / 2 + b, a, b), layout.run);
      }
    }
  });
  return joined;
}

// The transposed map: zero where join() does not look.
at::Tensor split(const at::Tensor& joined) {
  const at::Tensor dense = joined.contiguous(kDense);
  const std::int64_t channels = joined.size(1);
  const PhaseLayout layout{.pictures = joined.size(0),
                           .height = joined.size(2) / 2,
                           .width = joined.size(3) / 2,
                           .run = static_cast<std::size_t>(channels) * joined.element_size()};
  at::Tensor phases =
      at::empty({layout.pictures, kPhases * channels, layout.height + 1, layout.width + 1},
                joined.options(), kDense);
  const auto* from = static_cast<const std::byte*>(dense.const_data_ptr());
  auto* to = static_cast<std::byte*>(phases.mutable_data_ptr());
  const std::int64_t rows = layout.height + 1;
  const auto copy = [&](std::int64_t picture, std::int64_t row, std::int64_t column,
                        std::int64_t phase) {
    const std::int64_t a = phase / 2;
    const std::int64_t b = phase % 2;
    std::byte* out = to + layout.phase(picture, row, column, a, b);
    const std::int64_t i = row - a;
    const std::int64_t j = column - b;
    if (i < 0 || i >= layout.height || j < 0 || j >= layout.width) {
      std::memset(out, 0, layout.run);
    } else {
      std::memcpy(out, from + layout.doubled(picture, 2 * i + a, 2 * j + b), layout.run);
    }
  };
  at::parallel_for(0, layout.pictures * rows, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t job = begin; job < end; ++job) {
      for (std::int64_t column = 0; column <= layout.width; ++column) {
        for (std::int64_t phase = 0; phase < kPhases; ++phase) {
          copy(job / rows, job % rows, column, phase);
        }
      }
    }
  });
  return phases;
}

using LinearMap = at::Tensor (*)(const at::Tensor&);

/// A linear map whose gradient is its transpose, and the other way round: to any order.
template <LinearMap kMap, LinearMap kTransposed>
class PhasesFunction : public autograd::Function<PhasesFunction<kMap, kTransposed>> {
 public:
  static at::Tensor forward(autograd::AutogradContext* /*context*/, const at::Tensor& x) {
    return kMap(x);
  }
  static autograd::variable_list backward(autograd::AutogradContext* /*context*/,
                                          const autograd::variable_list& upstream) {
    return {PhasesFunction<kTransposed, kMap>::apply(upstream[0])};
  }
};

void require(bool condition, const char* expected, const at::Tensor& got) {
  if (condition) return;
  throw ArgumentError(c10::str("[upsampled_convolution] expected ", expected, ", got ", got.sizes(),
                               " ", c10::toString(got.scalar_type())));
}

void require_shapes(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  require(x.dim() == 4 && at::isFloatingType(x.scalar_type()), "x [B,I,H,W] floating", x);
  require(weight.dim() == 4 && weight.size(1) == x.size(1) && weight.size(2) == 3 &&
              weight.size(3) == 3 && weight.scalar_type() == x.scalar_type(),
          "weight [O,I,3,3] of x's dtype", weight);
  require(
      bias.dim() == 1 && bias.size(0) == weight.size(0) && bias.scalar_type() == x.scalar_type(),
      "bias [O] of x's dtype", bias);
}

bool can_fold(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

}  // namespace

bool has_phases(const at::Tensor& x) {
  const std::int64_t places = x.size(2) * x.size(3);
  constexpr std::int64_t kFewest = 16;
  constexpr std::int64_t kFewestOfAll = 512;
  return can_fold(x) && places >= kFewest && x.size(0) * places >= kFewestOfAll;
}

at::Tensor convolution_by_phases(const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& bias) {
  require_shapes(x, weight, bias);
  require(can_fold(x), "float32 or bfloat16 on the CPU", x);
  ConstantWeights* constant = ConstantWeights::active();
  const auto folded = [&] {
    RECORD_USER_SCOPE("tinta::phases");
    return PhasesFunction<fold, unfold>::apply(weight);
  };
  const at::Tensor biases = bias.repeat({kPhases});
  const at::Tensor phases = padded_convolution(
      x, constant != nullptr ? constant->made_of(weight, folded) : folded(), biases, 1);
  RECORD_USER_SCOPE("tinta::phases");
  return PhasesFunction<join, split>::apply(phases);
}

at::Tensor upsampled_convolution(const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& bias) {
  require_shapes(x, weight, bias);
  if (has_phases(x)) return convolution_by_phases(x, weight, bias);
  return convolution(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}), weight, bias);
}

}  // namespace tinta::kernels
