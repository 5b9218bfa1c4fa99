#pragma once

#include <cstddef>
#include <functional>
#include <span>

// The numbers behind a verdict: tails of the distributions that tests use, quadrature, sums that
// keep their digits. Doubles throughout. Every function throws ArgumentError on a NaN or on an
// argument outside of the range that it names.

namespace tinta {

/// P(z <= x) of a standard normal z. Relative error of a few ulp in the lower tail too.
double normal_cdf(double x);

/// The x with normal_cdf(x) = p. @param p in (0, 1)
double normal_quantile(double p);

/// P(|z| > deviations) of a standard normal z: 5.7e-7 at 5. @param deviations not negative
double two_sided_error(double deviations);

/// The deviations that the largest of `count` standard normals, whatever their correlation, exceeds
/// on either side with a probability of at most `error_rate` (Bonferroni's bound).
/// @param error_rate in (0, 1) @param count at least 1
double critical_deviations(double error_rate, std::size_t count = 1);

/// P(X > x) of a chi-square variable X: the regularised upper incomplete gamma function
/// Q(dof / 2, x / 2) (DLMF 8.2.4), by its series or its continued fraction.
/// @param x not negative @param dof positive
double chi_square_survival(double x, double dof);

/// The standard normal number that stands where x stands among chi-square variables: deviations of
/// a sum of `dof` squares from its mean, in standard errors, with its skewness taken out (Wilson
/// and Hilferty 1931). @param x not negative @param dof positive
double chi_square_deviations(double x, double dof);

/// Kolmogorov's distance: the greatest |empirical distribution - cdf|.
/// @param sorted rising, not empty
double ks_distance(std::span<const double> sorted, const std::function<double(double)>& cdf);

/// What ks_distance() of `count` independent values of the distribution exceeds with a probability
/// of at most `error_rate`, for every count: sqrt(log(2 / error_rate) / (2 count)) (Massart 1990,
/// "The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality").
/// @param count at least 1 @param error_rate in (0, 1)
double ks_critical(std::size_t count, double error_rate);

/// A sum whose rounding error does not grow with the number of terms (Neumaier 1974).
class CompensatedSum {
 public:
  void add(double term) noexcept;
  [[nodiscard]] double value() const noexcept { return sum_ + lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

/// The trapezoidal rule. On a smooth function that vanishes at both ends with all its derivatives
/// it converges faster than any power of the spacing: a Gaussian over 12 deviations each way, at
/// half a deviation a step, is exact to 1e-16.
/// @param low, high finite @param intervals at least 1
double trapezoid(const std::function<double(double)>& f, double low, double high,
                 std::size_t intervals);

/// Simpson's rule, of fourth order in the spacing, for functions that do not vanish at the ends.
/// @param low, high finite @param intervals even, at least 2
double simpson(const std::function<double(double)>& f, double low, double high,
               std::size_t intervals);

}  // namespace tinta
