#include "tinta/lab/denoised.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "tinta/core/text.h"
#include "tinta/evaluation/non_local_means.h"
#include "tinta/kernels/random.h"
#include "tinta/lab/average.h"
#include "tinta/process/forward.h"

namespace tinta::lab {
namespace {

at::Tensor noise_at(const at::Tensor& x0, int t, std::uint64_t seed) {
  return kernels::normal(
      x0.sizes(),
      {.seed = seed, .stream = Stream::denoise_forward, .step = static_cast<std::uint32_t>(t)});
}

// A network's features of many pictures at once would not fit the caches, nor small machines.
at::Tensor in_batches(const at::Tensor& x, const std::function<at::Tensor(const at::Tensor&)>& f) {
  constexpr std::int64_t kBatch = 64;
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < x.size(0); first += kBatch) {
    parts.push_back(f(x.slice(0, first, std::min(first + kBatch, x.size(0)))));
  }
  return at::cat(parts);
}

}  // namespace

Classical fit_classical(const at::Tensor& train) {
  constexpr std::int64_t kTuning = 24;
  return {.wiener = evaluation::PcaWiener(train),
          .tuning = train.slice(0, 0, std::min(kTuning, train.size(0)))};
}

Denoised denoise_at(const process::Denoiser& denoiser, const process::VpSchedule& schedule,
                    const Classical& classical, const at::Tensor& x0, int t, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  const process::NoiseLevel level = schedule.level(t);
  const double sigma = level.s / level.a;
  Denoised out{.t = t};
  out.x_t = process::add_noise(level, x0, noise_at(x0, t, seed));
  const at::Tensor observed = out.x_t / level.a;
  out.noisy = observed.clamp(-1, 1);
  out.restored = in_batches(out.x_t, [&](const at::Tensor& x_t) {
                   return denoiser.x0(x_t, level);
                 }).clamp(-1, 1);
  out.wiener = classical.wiener.denoise(observed, sigma);
  out.nlm = evaluation::non_local_means(observed, sigma,
                                        evaluation::tuned_non_local_means(classical.tuning, sigma));
  return out;
}

Check gain_check(const std::string& what, const at::Tensor& gains, double margin,
                 std::vector<std::string> arrays) {
  return {.what = what,
          .value = mean_of(gains),
          .expected = margin,
          .comparison = Comparison::at_least,
          .basis =
              "a margin that smaller samples and shorter training lower; the standard error of "
              "the mean over pictures is " +
              fixed(error_of(gains), 3),
          .arrays = std::move(arrays)};
}

NoiseErrors noise_errors(const process::Denoiser& denoiser, const process::VpSchedule& schedule,
                         const Classical& classical, const at::Tensor& x0, int t,
                         std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  const process::NoiseLevel level = schedule.level(t);
  const at::Tensor eps = noise_at(x0, t, seed);
  const at::Tensor x_t = process::add_noise(level, x0, eps);
  const at::Tensor predicted =
      in_batches(x_t, [&](const at::Tensor& part) { return denoiser.eps(part, level); });
  const at::Tensor mean = classical.wiener.denoise(x_t / level.a, level.s / level.a, /*gain=*/1);
  const auto error = [&](const at::Tensor& other) {
    return (other - eps).to(at::kDouble).square().mean({1, 2, 3});
  };
  return {.model = error(predicted), .gaussian = error((x_t - mean * level.a) / level.s)};
}

}  // namespace tinta::lab
