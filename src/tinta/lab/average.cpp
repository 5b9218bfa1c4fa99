#include "tinta/lab/average.h"

#include <ATen/ATen.h>

#include <cmath>

namespace tinta::lab {

double mean_of(const at::Tensor& values) { return values.mean().item<double>(); }

double error_of(const at::Tensor& values) {
  return values.std(/*unbiased=*/true).item<double>() /
         std::sqrt(static_cast<double>(values.numel()));
}

}  // namespace tinta::lab
