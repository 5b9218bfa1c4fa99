#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tinta/lab/digits_model.h"
#include "tinta/lab/row.h"

namespace tinta::lab {

/// Who says what a picture shows.
struct Judge {
  std::function<at::Tensor(const at::Tensor& pictures)> classify;  ///< [N,C,H,W] uint8 -> [N] int64
  std::vector<std::string> class_names{};  ///< empty where they are not known
  std::string origin;                      ///< words for a reading
};

/// What a run's loss was.
struct LossCurve {
  std::vector<double> epochs;  ///< over the training pictures
  std::vector<double> loss;
};

/// The row, with the model, its judge and its losses given. @return {} when asked to stop
Result cifar10_row(const Context& context, const DigitsModel& model, const Judge& judge,
                   const LossCurve& curve);

}  // namespace tinta::lab
