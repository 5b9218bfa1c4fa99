#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "tinta/process/schedule.h"
#include "tinta/sampling/sampler.h"

// What samplers share; for this folder only.

namespace tinta::sampling {

/// Takes x_t, [B,...] at level t, to x_s with s < t.
using Step = std::function<at::Tensor(const at::Tensor& x_t, int t, int s)>;

/// Walks x down ts, one step at a time: checks ts and x, asks chain.stop, tells chain.progress.
/// @throws ArgumentError
at::Tensor walk(const Chain& chain, const std::vector<int>& ts, at::Tensor x, const Step& step);

/// Draws x_s ~ N(on_x0 * x_0 + on_xt * x_t, variance I) with the denoiser's estimate for x_0.
/// A variance of zero draws no noise. @return like x_t
at::Tensor draw(const Chain& chain, const config::SamplingConfig& config,
                const process::PosteriorCoefficients& coefficients, const at::Tensor& x_t, int t);

}  // namespace tinta::sampling
