#include "tinta/bench/kernel_rates.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>

#include "tinta/experiment/machine.h"
#include "tinta/kernels/adamw.h"
#include "tinta/kernels/convolution.h"
#include "tinta/kernels/dropout.h"
#include "tinta/kernels/group_norm.h"
#include "tinta/kernels/group_norm_dropout.h"
#include "tinta/kernels/particles.h"
#include "tinta/kernels/random.h"
#include "tinta/kernels/upsampled_convolution.h"

namespace tinta::bench {
namespace {

std::int64_t scaled(std::int64_t count, double scale) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(count) * scale));
}

// Forward: reads x, writes y. Backward: reads x and dy, writes dx.
std::vector<KernelRate> group_norm_rates(at::Device device, at::ScalarType dtype,
                                         const Effort& effort, double scale) {
  constexpr std::int64_t kChannels = 128;
  const kernels::GroupNormOptions options{.groups = 32, .activation = kernels::Activation::silu};
  const at::Tensor x =
      kernels::normal({scaled(128, scale), kChannels, 32, 32}, {.seed = 0, .stream = Stream::test})
          .to(device, dtype)
          .contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor gamma = at::ones({kChannels}, x.options());
  const at::Tensor beta = at::zeros({kChannels}, x.options());
  const auto width = static_cast<double>(x.element_size());
  const auto values = static_cast<double>(x.numel());
  const auto rate = [&](const char* name, double arrays, const std::function<void()>& work) {
    return KernelRate{.name = name,
                      .precision = experiment::precision_name(dtype),
                      .items = seconds_of(work, device, effort).over(values),
                      .item = "value",
                      .bytes_per_item = arrays * width,
                      .bound = Bound::triad};
  };
  std::vector<KernelRate> rates;
  rates.push_back(rate("group norm + SiLU, forward", 2, [&] {
    const at::NoGradGuard no_grad;
    kernels::group_norm(x, {}, gamma, beta, options);
  }));
  rates.push_back(rate("group norm + SiLU + dropout, forward", 2, [&] {
    const at::NoGradGuard no_grad;
    kernels::group_norm({x, {}, gamma, beta}, options, {.p = 0.1, .first = {.seed = 0}});
  }));
  const at::Tensor input = x.detach().set_requires_grad(true);
  const at::Tensor y = kernels::group_norm(input, {}, gamma, beta, options);
  const at::Tensor upstream = at::ones_like(y);
  rates.push_back(rate("group norm + SiLU, backward", 3, [&] {
    y.backward(upstream, /*retain_graph=*/true);
    input.mutable_grad() = at::Tensor();
  }));
  return rates;
}

// Forward and both gradients, counted as the plain form's multiply-adds in both forms: the ratio of
// the two rates is the ratio of times.
std::vector<KernelRate> upsampled_convolution_rates(at::Device device, at::ScalarType dtype,
                                                    const Effort& effort, double scale) {
  constexpr std::int64_t kChannels = 256;
  const auto drawn = [&](std::vector<std::int64_t> sizes) {
    return kernels::normal(sizes, {.seed = 0, .stream = Stream::test})
        .to(device, dtype)
        .contiguous(at::MemoryFormat::ChannelsLast)
        .set_requires_grad(true);
  };
  const at::Tensor x = drawn({scaled(8, scale), kChannels, 16, 16});
  const at::Tensor weight = drawn({kChannels, kChannels, 3, 3});
  const at::Tensor bias = at::zeros({kChannels}, x.options()).set_requires_grad(true);
  const auto places = static_cast<double>(4 * x.size(0) * x.size(2) * x.size(3));
  const auto rate = [&](const char* name, auto form) {
    const Spread seconds = seconds_of(
        [&] {
          const at::Tensor y = form(x, weight, bias);
          y.backward(y.detach());
          for (const at::Tensor& each : {x, weight, bias}) each.mutable_grad() = at::Tensor();
        },
        device, effort);
    return KernelRate{.name = name,
                      .precision = experiment::precision_name(dtype),
                      .items = seconds.over(3 * places * static_cast<double>(weight.numel())),
                      .item = "plain multiply-add"};
  };
  return {rate("doubling, then 3x3 convolution, trained", kernels::upsampled_convolution_reference),
          rate("the same in one, trained", kernels::upsampled_convolution)};
}

// Of a narrow layer, where our own kernel is taken, beside LibTorch's.
std::vector<KernelRate> weight_gradient_rates(at::ScalarType dtype, const Effort& effort,
                                              double scale) {
  constexpr std::int64_t kChannels = 32;
  const auto drawn = [&](std::uint32_t step) {
    return kernels::normal({scaled(128, scale), kChannels, 28, 28},
                           {.seed = 0, .stream = Stream::test, .step = step})
        .to(dtype)
        .contiguous(at::MemoryFormat::ChannelsLast);
  };
  const at::Tensor x = drawn(0);
  const at::Tensor dy = drawn(1);
  const at::Tensor weight = at::zeros({kChannels, kChannels, 3, 3}, x.options())
                                .contiguous(at::MemoryFormat::ChannelsLast);
  if (!kernels::has_own_weight_gradient(x, weight, 1)) return {};
  const auto rate = [&](const char* name, const std::function<void()>& work) {
    const auto places = static_cast<double>(x.size(0) * x.size(2) * x.size(3));
    return KernelRate{
        .name = name,
        .precision = experiment::precision_name(dtype),
        .items =
            seconds_of(work, at::kCPU, effort).over(places * static_cast<double>(weight.numel())),
        .item = "multiply-add"};
  };
  return {rate("gradient of 32 to 32 channels' weights, LibTorch's",
               [&] {
                 at::convolution_backward(dy, x, weight, at::IntArrayRef{kChannels}, {1, 1}, {1, 1},
                                          {1, 1}, /*transposed=*/false, {0, 0}, /*groups=*/1,
                                          {false, true, true});
               }),
          rate("the same, our own", [&] { kernels::weight_gradient(x, dy, 3, 1); })};
}

// Reads gradient, master, m, v and ema; writes weight, master, m, v and ema.
KernelRate adamw_rate(at::Device device, at::ScalarType dtype, const Effort& effort, double scale) {
  const at::TensorOptions options = at::TensorOptions().device(device);
  const at::Tensor gradient =
      at::full({scaled(std::int64_t{1} << 24, scale)}, 1e-3, options).to(dtype);
  const auto zeros = [&] { return at::zeros(gradient.sizes(), options); };
  kernels::AdamwState state{.weight = at::zeros_like(gradient),
                            .master = zeros(),
                            .m = zeros(),
                            .v = zeros(),
                            .ema = zeros()};
  const kernels::AdamwStep step{.learning_rate = 1e-4F, .ema_decay = 0.999F};
  const Spread seconds =
      seconds_of([&] { kernels::adamw_step(state, gradient, step); }, device, effort);
  return {.name = "AdamW + moving average",
          .precision = experiment::precision_name(dtype),
          .items = seconds.over(static_cast<double>(gradient.numel())),
          .item = "parameter",
          .bytes_per_item = 32 + 2 * static_cast<double>(gradient.element_size()),
          .bound = Bound::triad};
}

}  // namespace

std::vector<KernelRate> kernel_rates(at::Device device, at::ScalarType dtype, const Effort& effort,
                                     double scale) {
  std::vector<KernelRate> rates = group_norm_rates(device, dtype, effort, scale);
  rates.push_back(adamw_rate(device, dtype, effort, scale));
  std::ranges::copy(upsampled_convolution_rates(device, dtype, effort, scale),
                    std::back_inserter(rates));
  if (device.is_cpu()) {
    std::ranges::copy(weight_gradient_rates(dtype, effort, scale), std::back_inserter(rates));
  }
  return rates;
}

std::vector<KernelRate> random_kernel_rates(const Effort& effort, double scale) {
  at::Tensor noise = at::empty({64, scaled(std::int64_t{1} << 18, scale)});
  const Spread noise_seconds = seconds_of(
      [&] { kernels::fill_normal(noise, {.seed = 0, .stream = Stream::test}); }, at::kCPU, effort);

  const std::int64_t places = scaled(std::int64_t{1} << 18, scale);
  const Spread dropout_seconds =
      seconds_of([&] { kernels::dropout_bits(64, places, {.p = 0.1, .first = {.seed = 0}}); },
                 at::kCPU, effort);

  constexpr std::int64_t kSteps = 100;
  at::Tensor x = at::zeros({scaled(100'000, scale), 2});
  kernels::ParticleSteps steps;
  steps.terms.emplace_back();
  steps.temperature.assign(kSteps, 1);
  const Spread particle_seconds = seconds_of(
      [&] { kernels::overdamped_steps(x, steps, kernels::OverdampedScheme::euler_maruyama); },
      at::kCPU, effort);
  return {{.name = "Gaussian noise",
           .precision = "fp32",
           .items = noise_seconds.over(static_cast<double>(noise.numel())),
           .item = "value",
           .bytes_per_item = 4,
           .bound = Bound::write},
          {.name = "dropout's bits",
           .precision = "fp32",
           .items = dropout_seconds.over(static_cast<double>(64 * places)),
           .item = "value"},
          {.name = "particles, overdamped, quadratic well in the plane",
           .precision = "fp32",
           .items = particle_seconds.over(static_cast<double>(x.size(0) * kSteps)),
           .item = "particle step"}};
}

}  // namespace tinta::bench
