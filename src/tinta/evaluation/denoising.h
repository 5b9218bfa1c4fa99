#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tinta/core/sink.h"
#include "tinta/dist/group.h"
#include "tinta/evaluation/wiener.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"

namespace tinta::evaluation {

/// What to measure.
struct DenoiseConfig {
  std::vector<std::int64_t> t = {50, 100, 200, 400};  ///< noise levels, each in 1..T
  std::int64_t chain_images = 256;  ///< pictures that the reverse chain restores; 0: none
  std::int64_t batch = 256;         ///< pictures at a time, at least 1; does not change the noise
  std::uint64_t seed = 0;
  std::int64_t keep = 8;         ///< pictures returned of every kind: the first ones of the set
  at::Device device = at::kCPU;  ///< where the denoiser wants its input
};

/// Every broken rule at once, each as "key: expected ..., got ...".
std::vector<std::string> problems(const DenoiseConfig& config, const process::Schedule& schedule);

/// What is measured.
struct DenoiseTask {
  const process::Denoiser& denoiser;  ///< knows no labels: for a class-conditional network the
                                      ///< null class (process::NetworkDenoiser without labels)
  const process::Schedule& schedule;
  at::Tensor images;                     ///< held-out x_0, [N,C,H,W] float32 in [-1, 1] on the CPU,
                                         ///< H and W at least 11
  const PcaWiener* classical = nullptr;  ///< the baseline; nullptr: none
  Sinks sinks = {};                      ///< progress counts pictures through the denoiser
  StopRequested stop = {};               ///< asked before each batch and each step of a chain
  dist::Group& group = dist::Group::alone();  ///< all call denoise(), and each does some batches
};

/// A mean over pictures and its standard error (NaN where there is one picture only).
struct Score {
  double mean = 0;
  double standard_error = 0;
};

/// How near pictures of one kind are to the clean ones.
struct Quality {
  Score psnr = {};  ///< dB, peak 2; +inf where a picture is restored exactly
  Score ssim = {};
  at::Tensor pictures = {};  ///< [K,C,H,W] float32 in [-1, 1], the kept ones
};

/// One noise level.
struct DenoiseRow {
  int t = 0;
  at::Tensor x_t = {};                ///< [K,C,H,W] float32, the kept ones
  Quality noisy = {};                 ///< x_t / sqrt(alpha_bar_t), clipped to [-1, 1]
  Quality restored = {};              ///< the one-shot estimate E[x_0 | x_t], clipped
  std::optional<Quality> chain = {};  ///< the reverse chain, from the first pictures only, clipped
  std::optional<Quality> classical = {};  ///< PcaWiener
};

/// The whole table, lab exercise 6.
struct DenoiseReport {
  std::int64_t images = 0;        ///< pictures behind every mean but the chain's
  std::int64_t chain_images = 0;  ///< pictures behind the chain's means
  std::uint64_t seed = 0;
  at::Tensor x0 = {};                 ///< [K,C,H,W] float32, the kept ones
  std::vector<DenoiseRow> rows = {};  ///< in the order of DenoiseConfig::t
};

/// Takes held-out pictures through the forward process and restores them (lab exercise 6): the
/// one-shot estimate of every picture, and the reverse chain x_t -> x_0 in all t steps (Ho et al.
/// 2020, algorithm 2, started at t) of the first ones. Picture i is noised with key (seed,
/// denoise_forward, i, t) and its chain with (seed, denoise_chain, i, t_start 2^16 + t): a row does
/// not depend on the other rows, the batch or how many pictures there are.
/// @return the same on every rank; nothing when `stop` answered true on one
/// @throws ArgumentError on a bad config (all problems) or images of another shape or dtype
[[nodiscard]] std::optional<DenoiseReport> denoise(const DenoiseTask& task,
                                                   const DenoiseConfig& config);

}  // namespace tinta::evaluation
