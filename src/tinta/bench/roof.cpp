#include "tinta/bench/roof.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <utility>

#include "tinta/kernels/random.h"

namespace tinta::bench {
namespace {

// Values as a network's are, so that a processor that saves power on zeros does not.
at::Tensor drawn(at::IntArrayRef sizes, at::Device device, at::ScalarType dtype) {
  return kernels::normal(sizes, {.seed = 0, .stream = Stream::test}).to(device, dtype);
}

void keep_faster(Peak& best, Peak&& next) {
  if (next.flops.median > best.flops.median) best = std::move(next);
}

}  // namespace

Peak convolution_peak(at::Device device, at::ScalarType dtype, const Effort& effort) {
  struct Shape {
    std::int64_t batch, channels, side;
  };
  const at::NoGradGuard no_grad;
  Peak best;
  for (const Shape& s : {Shape{16, 128, 32}, Shape{32, 256, 16}, Shape{16, 512, 16}}) {
    const at::Tensor x = drawn({s.batch, s.channels, s.side, s.side}, device, dtype)
                             .contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor weight = drawn({s.channels, s.channels, 3, 3}, device, dtype)
                                  .contiguous(at::MemoryFormat::ChannelsLast);
    const double work = 2.0 * 9 * static_cast<double>(s.channels * s.channels) *
                        static_cast<double>(s.batch * s.side * s.side);
    const Spread seconds = seconds_of([&] { at::conv2d(x, weight, {}, 1, 1); }, device, effort);
    keep_faster(best, {.shape = c10::str("3x3, ", s.channels, " to ", s.channels, " channels, [",
                                         s.batch, ",", s.channels, ",", s.side, ",", s.side, "]"),
                       .flops = seconds.over(work)});
  }
  return best;
}

Peak matrix_product_peak(at::Device device, at::ScalarType dtype, const Effort& effort) {
  const at::NoGradGuard no_grad;
  Peak best;
  for (const std::int64_t n : {std::int64_t{1024}, std::int64_t{2048}}) {
    const at::Tensor a = drawn({n, n}, device, dtype);
    const at::Tensor b = drawn({n, n}, device, dtype);
    at::Tensor c = at::empty_like(a);
    const Spread seconds = seconds_of([&] { at::mm_out(c, a, b); }, device, effort);
    const auto side = static_cast<double>(n);
    keep_faster(best, {.shape = c10::str("[", n, ",", n, "] by [", n, ",", n, "]"),
                       .flops = seconds.over(2 * side * side * side)});
  }
  return best;
}

std::vector<Bandwidth> memory_bandwidth(at::Device device, std::int64_t count,
                                        const Effort& effort) {
  const at::NoGradGuard no_grad;
  at::Tensor a = at::ones({count}, at::TensorOptions().device(device));
  const at::Tensor b = at::ones_like(a);
  const at::Tensor c = at::ones_like(a);
  const double array = 4.0 * static_cast<double>(count);
  const auto rate = [&](const char* name, double arrays, const std::function<void()>& work) {
    return Bandwidth{.name = name, .bytes = seconds_of(work, device, effort).over(arrays * array)};
  };
  return {rate("read", 1, [&] { b.sum(); }), rate("write", 1, [&] { a.fill_(2); }),
          rate("copy", 2, [&] { a.copy_(b); }), rate("triad", 3, [&] { at::add_out(a, b, c, 3); })};
}

}  // namespace tinta::bench
