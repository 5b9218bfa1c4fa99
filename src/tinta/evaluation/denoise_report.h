#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "tinta/evaluation/denoising.h"

namespace tinta::evaluation {

/// The report as text: a line for each noise level, PSNR in dB and SSIM of each kind of picture,
/// "-" for a kind that was not made. Ends in a newline.
std::string table(const DenoiseReport& report);

/// The report as one JSON object. Arrays with one value per noise level: `t`, `psnr_KIND`,
/// `ssim_KIND` and their standard errors `psnr_KIND_se`, `ssim_KIND_se`, with KIND noisy, restored,
/// chain, classical; null where a kind was not made or a number is not finite. Numbers: `images`,
/// `chain_images`, `seed`. Ends in a newline.
std::string json(const DenoiseReport& report);

/// The kept pictures as arrays for an npz, enough to compute every mean again where all were kept:
/// `t` [R] int64, `index` [K] and `chain_index` [M] int64 (places in the set), `x0` [K,C,H,W], and
/// `x_t`, `restored`, `classical` [R,K,C,H,W], `chain` [R,M,C,H,W], all float32 as they were
/// measured; what was not made is absent. noisy is clip(x_t / sqrt(alpha_bar_t), -1, 1), with
/// `alpha_bar` [R] float64.
/// @param schedule the one that the report was made with
std::map<std::string, at::Tensor> arrays(const DenoiseReport& report,
                                         const process::Schedule& schedule);

/// The kept pictures side by side, one a column: x_0, then for each noise level rows of noisy,
/// restored, chain and classical, as far as they were made.
/// @param most columns at the most
/// @return [C,H',W'] uint8
/// @throws ArgumentError when no pictures were kept
at::Tensor picture(const DenoiseReport& report, std::int64_t most = 12);

}  // namespace tinta::evaluation
