#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tinta/evaluation/wiener.h"
#include "tinta/lab/row.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"

namespace tinta::lab {

/// The classical denoisers that a model is held against.
struct Classical {
  evaluation::PcaWiener wiener;
  at::Tensor tuning;  ///< pictures on which the strength of non-local means is chosen
};

/// Fits them on training pictures. @param train [N,C,H,W] float32 in [-1, 1], C H W at most 4096
Classical fit_classical(const at::Tensor& train);

/// Held-out pictures at one level of the forward process, and what is made of them. Pictures are
/// [N,C,H,W] float32; all but x_t are clipped to [-1, 1].
struct Denoised {
  int t = 0;
  at::Tensor x_t{};
  at::Tensor noisy{};     ///< x_t / a
  at::Tensor restored{};  ///< the model's E[x_0 | x_t]
  at::Tensor wiener{};    ///< PCA-Wiener, tuned
  at::Tensor nlm{};       ///< non-local means, tuned
};

/// Takes pictures through q(x_t | x_0), with the noise that `tinta denoise` takes, and back.
Denoised denoise_at(const process::Denoiser& denoiser, const process::VpSchedule& schedule,
                    const Classical& classical, const at::Tensor& x0, int t, std::uint64_t seed);

/// A check that the mean of paired differences, one a picture, reaches a margin.
Check gain_check(const std::string& what, const at::Tensor& gains, double margin,
                 std::vector<std::string> arrays);

/// Mean squared error of a predicted noise, a number, of each picture: [N] double.
struct NoiseErrors {
  at::Tensor model;
  at::Tensor gaussian;  ///< of who knows only the data's mean and covariance, and the range of x_0
};

/// The noise of pictures at level t, as predicted by the model, and by the posterior mean under a
/// Gaussian of the data's mean and covariance: eps_hat = (x_t - a x0_hat) / s.
NoiseErrors noise_errors(const process::Denoiser& denoiser, const process::VpSchedule& schedule,
                         const Classical& classical, const at::Tensor& x0, int t,
                         std::uint64_t seed);

}  // namespace tinta::lab
