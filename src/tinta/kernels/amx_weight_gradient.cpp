#include "tinta/kernels/amx_weight_gradient.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "tinta/core/error.h"
#include "tinta/kernels/amx_weight_gradient_cpu.h"
#include "tinta/kernels/isa.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(AmxKernels, amx)

namespace {

constexpr auto kDense = at::MemoryFormat::ChannelsLast;

// Tasks that the work is split into, about, and how much memory their sums may take: by the shape
// alone, so that results do not depend on the number of threads.
constexpr std::int64_t kTasks = 16;
constexpr std::int64_t kMostSums = std::int64_t{4} << 20;

std::int64_t ceiling(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

const std::uint16_t* halves(const at::Tensor& tensor) {
  return static_cast<const std::uint16_t*>(tensor.const_data_ptr());
}

/// How the work is split: shares of the pictures have sums of their own; outputs are split where
/// those would be many.
struct Split {
  std::int64_t shares, groups;

  explicit Split(const AmxShape& shape)
      : shares(std::min(shape.pictures,
                        std::clamp<std::int64_t>(kMostSums / (shape.out * shape.taps() * shape.in),
                                                 2, kTasks))),
        groups(shares == 0 ? 0 : std::min(shape.out / kAmxChannels, ceiling(kTasks, shares))) {}
};

/// A share of the pictures in pieces, of which what is laid out fits into the L2 cache.
class Pieces {
 public:
  Pieces(const AmxShape& shape, std::int64_t first, std::int64_t last)
      : rows_(shape.out_height()), first_(first), last_(last), height_(rows_) {
    constexpr std::int64_t kBytes = 96 << 10;  // of x, which takes three times that
    const std::int64_t row = (shape.width + shape.padding) * shape.in * 2;
    const std::int64_t picture = (shape.height + shape.padding) * row;
    if (picture <= kBytes) {
      pictures_ = std::clamp<std::int64_t>(kBytes / picture, 1, last - first);
    } else {
      const std::int64_t fit = std::max<std::int64_t>(kBytes / row - shape.kernel, 4);
      rows_ = ceiling(height_, ceiling(height_, fit));
    }
  }

  [[nodiscard]] AmxPiece largest() const { return {.pictures = pictures_, .rows = rows_}; }

  template <class Visit>
  void each(const Visit& visit) const {
    for (std::int64_t n = first_; n < last_; n += pictures_) {
      for (std::int64_t top = 0; top < height_; top += rows_) {
        visit(AmxPiece{.first = n,
                       .pictures = std::min(pictures_, last_ - n),
                       .top = top,
                       .rows = std::min(rows_, height_ - top)});
      }
    }
  }

 private:
  std::int64_t pictures_ = 1;
  std::int64_t rows_;
  std::int64_t first_, last_, height_;
};

/// Memory of a task's own, on a cache line.
class Scratch {
 public:
  explicit Scratch(std::int64_t bytes)
      : memory_(new(kLine) std::byte[static_cast<std::size_t>(bytes)]) {}
  [[nodiscard]] std::byte* get() const { return memory_.get(); }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete[](memory, kLine); }
  };
  std::unique_ptr<std::byte[], Free> memory_;
};

void add_all(const AmxShape& shape, const Split& split, const AmxArrays& arrays) {
  const AmxKernels& kernels = amx_kernels();
  const std::int64_t blocks = shape.out / kAmxChannels;
  at::parallel_for(0, split.shares * split.groups, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t share = task / split.groups;
      const std::int64_t group = task % split.groups;
      const AmxOutputs outputs{.first = blocks * group / split.groups * kAmxChannels,
                               .last = blocks * (group + 1) / split.groups * kAmxChannels};
      AmxArrays own = arrays;
      own.weight += share * shape.out * shape.taps() * shape.in;
      own.bias += share * shape.out;
      const Pieces pieces(shape, shape.pictures * share / split.shares,
                          shape.pictures * (share + 1) / split.shares);
      const Scratch scratch(kernels.scratch(shape, pieces.largest()));
      pieces.each(
          [&](const AmxPiece& piece) { kernels.add(shape, piece, outputs, own, scratch.get()); });
    }
  });
}

void require(bool condition, const char* expected, const at::Tensor& got) {
  if (condition) return;
  throw ArgumentError(c10::str("[amx_weight_gradient] expected ", expected, ", got ", got.sizes(),
                               " ", c10::toString(got.scalar_type())));
}

}  // namespace

bool has_amx_weight_gradient(const at::Tensor& x, std::int64_t out, std::int64_t kernel,
                             std::int64_t padding) {
  constexpr std::int64_t kWidest = 4096;  // a row is laid out whole
  return has_amx() && amx_kernels().add != nullptr && x.is_cpu() && x.dim() == 4 &&
         x.scalar_type() == at::kBFloat16 && kernel >= 1 && kernel <= 3 && padding >= 0 &&
         padding < kernel && x.size(2) + 2 * padding >= kernel && x.size(3) <= kWidest &&
         x.size(3) + 2 * padding >= kernel && x.size(1) % kAmxChannels == 0 &&
         out % kAmxChannels == 0;
}

ConvolutionGradients amx_weight_gradient(const at::Tensor& x, const at::Tensor& dy,
                                         std::int64_t kernel, std::int64_t padding) {
  require(dy.dim() == 4 && has_amx_weight_gradient(x, dy.size(1), kernel, padding),
          "what has_amx_weight_gradient() takes", x);
  const AmxShape shape{.pictures = x.size(0),
                       .height = x.size(2),
                       .width = x.size(3),
                       .in = x.size(1),
                       .out = dy.size(1),
                       .kernel = kernel,
                       .padding = padding};
  require(dy.size(0) == shape.pictures && dy.size(2) == shape.out_height() &&
              dy.size(3) == shape.out_width() && dy.scalar_type() == x.scalar_type() && dy.is_cpu(),
          "dy of the convolution's result", dy);
  const at::Tensor dense_x = x.contiguous(kDense);
  const at::Tensor dense_dy = dy.contiguous(kDense);
  const std::int64_t weights = shape.out * shape.taps() * shape.in;
  const Split split(shape);
  const at::TensorOptions floats = x.options().dtype(at::kFloat);
  const at::Tensor weight_sums = at::zeros({split.shares, weights}, floats);
  const at::Tensor bias_sums = at::zeros({split.shares, shape.out}, floats);
  const AmxArrays arrays{.x = halves(dense_x),
                         .dy = halves(dense_dy),
                         .weight = weight_sums.mutable_data_ptr<float>(),
                         .bias = bias_sums.mutable_data_ptr<float>()};
  add_all(shape, split, arrays);
  const at::Tensor weight = at::empty({shape.out, kernel, kernel, shape.in}, x.options());
  const at::Tensor bias = at::empty({shape.out}, x.options());
  const AmxGradients gradients{.weight = static_cast<std::uint16_t*>(weight.mutable_data_ptr()),
                               .bias = static_cast<std::uint16_t*>(bias.mutable_data_ptr())};
  at::parallel_for(0, shape.out / kAmxChannels, 1, [&](std::int64_t begin, std::int64_t end) {
    amx_kernels().finish(shape, {begin * kAmxChannels, end * kAmxChannels}, split.shares, arrays,
                         gradients);
  });
  return {.weight = weight.permute({0, 3, 1, 2}), .bias = bias};
}

}  // namespace tinta::kernels
