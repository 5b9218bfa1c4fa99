#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/philox.h"
#include "tinta/core/sink.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"

namespace tinta::sampling {

/// Standard normal noise of one step, [B,...] like the state; an argument, so that a sampler is a
/// deterministic function. Samplers ask at most once per step, and not at all where they would
/// multiply by zero. @param step the t that the step leaves from: unique within a chain
using NoiseSource = std::function<at::Tensor(std::uint32_t step)>;

/// Noise for pictures first_sample .. first_sample + B - 1, keyed by (seed, stream, sample, step):
/// the same for any split into batches and any order of calls.
/// @param sizes [B,...] @return float32 on `device`, drawn there
NoiseSource philox_noise(at::IntArrayRef sizes, std::uint64_t seed, std::uint64_t first_sample,
                         Stream stream = Stream::sample_step, const at::Device& device = at::kCPU);

/// The steps a sampler visits, from t_start down to 0, both included: t_start = ts[0] > ... > ts[n]
/// = 0. Spread evenly ("trailing": ts[i] = round(t_start (n - i) / n)), so that the first network
/// call is at t_start itself. @throws ArgumentError unless 1 <= count <= t_start
std::vector<int> time_steps(int t_start, int count);

/// Everything a sampler needs.
struct Chain {
  const process::Schedule& schedule;
  const process::Denoiser& denoiser;
  NoiseSource noise;
  std::function<void(int done, int total)> progress = {};  ///< after each step
  StopRequested stop = {};  ///< asked before each step; true returns x as it is by then
};

/// What a step of any sampler is called in a trace (experiment/trace.h).
inline constexpr const char* kStepScope = "tinta::sampling_step";

/// Takes x at ts[0] to x at ts.back(). Every sampler starts a step from the denoiser's estimate of
/// x_0, clamped to [-1, 1] where config.clip_x0 says so; what it needs of eps follows from the
/// clamped estimate, eps = (x_t - a x_0) / s, so that the two always explain x_t together.
/// @param ts strictly falling, within 0..T
/// @param x  [B,...] floating, at noise level ts[0]
/// @throws ArgumentError on a bad ts, config or x
using SampleFunction = at::Tensor (*)(const Chain& chain, const config::SamplingConfig& config,
                                      const std::vector<int>& ts, at::Tensor x);

/// Ancestral sampling (Ho et al. 2020, algorithm 2; thesis algorithm 2.3.3 corrected:
/// sqrt(1 - alpha_bar_t), no noise at the last step). Skipped steps use the posterior of the jump.
/// config.variance: "posterior" is beta-tilde_t, "beta" is beta_t (of the jump).
at::Tensor ddpm(const Chain& chain, const config::SamplingConfig& config,
                const std::vector<int>& ts, at::Tensor x);

/// DDIM (Song et al. 2021, arXiv:2010.02502, eqs. 12 and 16); config.eta in 0..1: 0 deterministic,
/// 1 ancestral (the same step as ddpm's with the posterior's variance).
at::Tensor ddim(const Chain& chain, const config::SamplingConfig& config,
                const std::vector<int>& ts, at::Tensor x);

/// Heun's second-order method on the probability-flow ODE (Karras et al. 2022, algorithm 1 with
/// rho's spacing and no churn) in y = x / a and sigma = s / a, where dy / dsigma = eps. A step
/// takes two evaluations, the last one, to t = 0, a single one: 2 n - 1 in all, and 35 for EDM's 18
/// steps. Draws no noise. Needs a > 0 at every step.
at::Tensor heun(const Chain& chain, const config::SamplingConfig& config,
                const std::vector<int>& ts, at::Tensor x);

/// The registered sampler of that name. @throws ArgumentError, nearest suggested
SampleFunction sampler(const std::string& name);

/// Every registered name, in order.
std::vector<std::string> sampler_names();

}  // namespace tinta::sampling
