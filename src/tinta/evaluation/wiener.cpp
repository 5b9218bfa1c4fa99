#include "tinta/evaluation/wiener.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <tuple>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/kernels/random.h"

namespace tinta::evaluation {
namespace {

constexpr std::int64_t kMostDimensions = 4096;
constexpr std::int64_t kTuningPictures = 512;
constexpr std::int64_t kChunk = 4096;  // pictures converted to double at a time

void require_sigma(double sigma) {
  if (!(sigma > 0) || !std::isfinite(sigma))
    throw ArgumentError("[PcaWiener] expected a positive, finite sigma, got " + shortest(sigma));
}

void require_training_set(const at::Tensor& train) {
  if (train.dim() == 4 && train.size(0) >= 2 && train.is_floating_point() && train.is_cpu() &&
      train[0].numel() >= 1 && train[0].numel() <= kMostDimensions) {
    return;
  }
  std::ostringstream message;
  message << "[PcaWiener] expected floating [N,C,H,W] on the CPU with N >= 2 and at most "
          << kMostDimensions << " numbers in a picture, got " << train.sizes() << " "
          << train.scalar_type() << " on " << train.device();
  throw ArgumentError(message.str());
}

// In chunks: the whole set in double would be twice its own size again.
at::Tensor covariance_of(const at::Tensor& flat, const at::Tensor& mean) {
  at::Tensor sum = at::zeros({flat.size(1), flat.size(1)}, at::kDouble);
  for (const at::Tensor& chunk : flat.split(kChunk)) {
    const at::Tensor centred = chunk.to(at::kDouble) - mean;
    sum.addmm_(centred.t(), centred);
  }
  return sum / flat.size(0);
}

at::Tensor mean_of(const at::Tensor& flat) {
  at::Tensor sum = at::zeros({flat.size(1)}, at::kDouble);
  for (const at::Tensor& chunk : flat.split(kChunk)) sum += chunk.to(at::kDouble).sum(0);
  return sum / flat.size(0);
}

}  // namespace

PcaWiener::PcaWiener(const at::Tensor& train) {
  require_training_set(train);
  const at::NoGradGuard no_grad;
  const at::Tensor flat = train.flatten(1);
  mean_ = mean_of(flat);
  std::tie(spectrum_, basis_) = at::linalg_eigh(covariance_of(flat, mean_));
  // Constant pixels (the border of MNIST) have variance 0, or a rounding error below it. A floor
  // far under anything visible keeps the shrinkage at gain 0 equal to one rather than 0 / 0.
  spectrum_.clamp_min_(1e-12);

  const std::int64_t count = std::min(flat.size(0), kTuningPictures);
  const at::Tensor chosen = at::floor_divide(at::arange(count, at::kLong) * flat.size(0), count);
  tuning_ = flat.index_select(0, chosen).to(at::kDouble);
  noise_ = kernels::normal({count, flat.size(1)}, {.stream = Stream::denoise_forward, .step = 0})
               .to(at::kDouble);
}

double PcaWiener::tuned_gain(double sigma) const {
  require_sigma(sigma);
  const at::NoGradGuard no_grad;
  const at::Tensor coefficients = (tuning_ + sigma * noise_ - mean_).matmul(basis_);
  const auto error = [&](double gain) {
    return (restore(coefficients, gain * sigma * sigma) - tuning_).square().mean().item<double>();
  };
  double best = 0, least = error(0);
  for (int half_octave = -6; half_octave <= 6; ++half_octave) {
    const double gain = std::exp2(half_octave / 2.0);
    const double now = error(gain);
    if (now < least) best = gain, least = now;
  }
  return best;
}

at::Tensor PcaWiener::denoise(const at::Tensor& y, double sigma, double gain) const {
  require_sigma(sigma);
  if (!(gain >= 0) || !std::isfinite(gain))
    throw ArgumentError("[PcaWiener] expected a finite gain of at least 0, got " + shortest(gain));
  if (y.dim() != 4 || !y.is_floating_point() || y.numel() != y.size(0) * mean_.size(0)) {
    std::ostringstream message;
    message << "[PcaWiener] expected floating [B,C,H,W] with " << mean_.size(0)
            << " numbers in a picture, got " << y.sizes() << " " << y.scalar_type();
    throw ArgumentError(message.str());
  }
  const at::NoGradGuard no_grad;
  const at::Tensor coefficients = (y.flatten(1).to(at::kCPU, at::kDouble) - mean_).matmul(basis_);
  return restore(coefficients, gain * sigma * sigma).view(y.sizes()).to(y.options());
}

at::Tensor PcaWiener::denoise(const at::Tensor& y, double sigma) const {
  return denoise(y, sigma, tuned_gain(sigma));
}

at::Tensor PcaWiener::restore(const at::Tensor& coefficients, double noise_variance) const {
  const at::Tensor shrinkage = spectrum_ / (spectrum_ + noise_variance);
  return (mean_ + (coefficients * shrinkage).matmul(basis_.t())).clamp(-1, 1);
}

}  // namespace tinta::evaluation
