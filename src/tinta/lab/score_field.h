#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/lab/row.h"
#include "tinta/process/denoiser.h"
#include "tinta/process/schedule.h"

namespace tinta::lab {

/// A score of a denoiser at points of the plane, [N,2] double -> [N,2] double.
using ScoreOf = at::Tensor (*)(const process::Denoiser& denoiser, const process::NoiseLevel& level,
                               const at::Tensor& points);

/// The row with another form of the score: what its checks must catch.
Result score_field_by(const Context& context, ScoreOf score);

}  // namespace tinta::lab
