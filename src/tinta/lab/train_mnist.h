#pragma once

#include "tinta/lab/digits_model.h"
#include "tinta/lab/row.h"
#include "tinta/process/denoiser.h"

namespace tinta::lab {

/// How well a denoiser restores pictures that the model has not seen: the row train-mnist, whatever
/// answers for the model. @return {} when asked to stop
Result denoising_row(const Context& context, const DigitsModel& model,
                     const process::Denoiser& denoiser);

}  // namespace tinta::lab
