#include "tinta/lab/series.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstddef>

namespace tinta::lab {

at::Tensor without_first(const std::vector<double>& values) {
  return at::tensor(std::vector<double>(values.begin() + 1, values.end()), at::kDouble);
}

double greatest(const std::vector<double>& values) {
  double most = 0;
  for (std::size_t t = 1; t < values.size(); ++t) {
    if (std::isnan(values[t])) return values[t];
    if (std::abs(values[t]) > most) most = std::abs(values[t]);
  }
  return most;
}

}  // namespace tinta::lab
