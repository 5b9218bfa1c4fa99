#include "tinta/physics/observables.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tinta/core/error.h"

namespace tinta::physics {
namespace {

[[noreturn]] void refuse(const char* where, const std::string& what) {
  throw ArgumentError(std::string("[") + where + "] expected " + what);
}

// The cell of `value` among `count` equal ones from low to high, or -1 outside; high itself is in
// the last.
std::int64_t cell(double value, double low, double high, std::int64_t count) {
  if (!(value >= low && value <= high)) return -1;
  const double place = (value - low) / (high - low) * static_cast<double>(count);
  return std::min(count - 1, static_cast<std::int64_t>(place));
}

void require_cells(double low, double high, std::int64_t count, const char* where) {
  if (!(high > low) || !std::isfinite(high - low) || count < 1) {
    refuse(where, "low < high and at least one cell, got " + std::to_string(low) + ", " +
                      std::to_string(high) + " and " + std::to_string(count));
  }
}

}  // namespace

at::Tensor square_displacement(const Ensemble& ensemble, const at::Tensor& start) {
  if (!start.sizes().equals(ensemble.x.sizes())) {
    refuse("square_displacement", "starting positions of the ensemble's shape");
  }
  return (ensemble.x.to(at::kDouble) - start.to(at::kDouble)).square().sum(1);
}

at::Tensor kinetic_energy(const Ensemble& ensemble, double mass) {
  if (!ensemble.v.defined()) refuse("kinetic_energy", "an ensemble with velocities");
  return ensemble.v.to(at::kDouble).square().sum(1) * (mass / 2);
}

Histogram histogram(const at::Tensor& values, double low, double high, std::int64_t bins) {
  require_cells(low, high, bins, "histogram");
  const at::Tensor flat = values.to(at::kCPU, at::kDouble).contiguous().flatten();
  const auto* data = flat.const_data_ptr<double>();
  Histogram result;
  result.count = flat.numel();
  std::vector<std::int64_t> counts(static_cast<std::size_t>(bins));
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const std::int64_t at = cell(data[i], low, high, bins);
    if (at < 0) {
      ++result.outside;
    } else {
      ++counts[static_cast<std::size_t>(at)];
    }
  }
  const double width = (high - low) / static_cast<double>(bins);
  const double total = std::max<double>(1, static_cast<double>(result.count));
  for (std::int64_t b = 0; b <= bins; ++b) {
    result.edges.push_back(low + width * static_cast<double>(b));
  }
  result.edges.back() = high;
  for (const std::int64_t n : counts) {
    const double share = static_cast<double>(n) / total;
    result.density.push_back(share / width);
    result.error.push_back(std::sqrt(share * (1 - share) / total) / width);
  }
  return result;
}

at::Tensor histogram2d(const at::Tensor& x, double x_low, double x_high, double y_low,
                       double y_high, std::int64_t columns, std::int64_t rows) {
  require_cells(x_low, x_high, columns, "histogram2d");
  require_cells(y_low, y_high, rows, "histogram2d");
  if (x.dim() != 2 || x.size(1) != 2) refuse("histogram2d", "points [N,2]");
  const at::Tensor points = x.to(at::kCPU, at::kDouble).contiguous();
  const auto* data = points.const_data_ptr<double>();
  at::Tensor counts = at::zeros({rows, columns}, at::kLong);
  auto* cells = counts.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < points.size(0); ++i) {
    const std::int64_t column = cell(data[2 * i], x_low, x_high, columns);
    const std::int64_t row = cell(data[2 * i + 1], y_low, y_high, rows);
    if (column >= 0 && row >= 0) ++cells[row * columns + column];
  }
  return counts;
}

std::int64_t flux(const at::Tensor& before, const at::Tensor& after, std::int64_t axis,
                  double where) {
  if (before.dim() != 2 || !before.sizes().equals(after.sizes()) || axis < 0 ||
      axis >= before.size(1)) {
    refuse("flux", "positions [N,D] of one shape and an axis below D");
  }
  const at::Tensor was = (before.select(1, axis) >= where).to(at::kLong);
  const at::Tensor is = (after.select(1, axis) >= where).to(at::kLong);
  return (is - was).sum().item<std::int64_t>();
}

}  // namespace tinta::physics
