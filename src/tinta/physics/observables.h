#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "tinta/physics/ensemble.h"

namespace tinta::physics {

/// A mean and its standard error.
struct Estimate {
  double value = 0;
  double error = 0;
};

/// Mean of independent values. @param values any shape, floating
Estimate mean_of(const at::Tensor& values);
/// Mean of values along one trajectory, which are correlated: the error is by blocking (Flyvbjerg
/// and Petersen 1989).
Estimate mean_of_series(const std::vector<double>& values);
/// Integrated autocorrelation time of a series, in samples; 1/2 for independent ones. The sum over
/// lags stops at six times itself (Sokal 1997), which loses about exp(-6) of it.
Estimate correlation_time(const std::vector<double>& values);
/// Least-squares slope of y on t with its standard error; `errors` are the standard errors of y,
/// taken as independent of each other.
Estimate slope(const std::vector<double>& t, const std::vector<double>& y,
               const std::vector<double>& errors);

/// |x - start|^2 of each particle. @return [N] double
at::Tensor square_displacement(const Ensemble& ensemble, const at::Tensor& start);
/// m v^2 / 2 of each particle. @return [N] double
at::Tensor kinetic_energy(const Ensemble& ensemble, double mass);

struct Histogram {
  std::vector<double> edges;    ///< n + 1
  std::vector<double> density;  ///< n; integrates to the share of values inside
  std::vector<double> error;    ///< n, binomial standard error of each density
  std::int64_t outside = 0;     ///< values beyond the edges
  std::int64_t count = 0;       ///< values in all
};
Histogram histogram(const at::Tensor& values, double low, double high, std::int64_t bins);

/// Counts on a grid in the plane. @param x [N,2] @return [rows,columns] int64, row 0 at y_low
at::Tensor histogram2d(const at::Tensor& x, double x_low, double x_high, double y_low,
                       double y_high, std::int64_t columns, std::int64_t rows);

/// Net number of particles that crossed the plane x_axis = where, from below, between two moments.
std::int64_t flux(const at::Tensor& before, const at::Tensor& after, std::int64_t axis,
                  double where);

}  // namespace tinta::physics
