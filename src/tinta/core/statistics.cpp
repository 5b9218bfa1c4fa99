#include "tinta/core/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta {
namespace {

constexpr double kTiny = std::numeric_limits<double>::min();
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// `holds` is written so that a NaN fails it.
void require(bool holds, const char* where, const char* expected, double got) {
  if (!holds) {
    throw ArgumentError("[" + std::string(where) + "] expected " + expected + ", got " +
                        shortest(got));
  }
}

void require_interval(const char* where, double low, double high) {
  require(std::isfinite(low), where, "a finite lower end", low);
  require(std::isfinite(high), where, "a finite upper end", high);
}

/// The lower half's quantile. Abramowitz and Stegun 26.2.23 is right to 4.5e-4; each of Halley's
/// steps on log(normal_cdf), which is nearly a parabola, triples the digits.
double lower_quantile(double p) {
  const double t = std::sqrt(-2 * std::log(p));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) /
                 (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
             t;
  for (int step = 0; step < 3; ++step) {
    const double cdf = normal_cdf(x);
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    if (!(density > 0)) break;
    const double newton = (cdf - p) / density;
    x -= newton / (1 + x * newton / 2);
  }
  return x;
}

/// x^a e^-x / Gamma(a + 1)
double gamma_term(double a, double x) { return std::exp(a * std::log(x) - x - std::lgamma(a + 1)); }

/// P(a, x) by DLMF 8.7.1, which converges fast for x < a + 1.
double lower_gamma_series(double a, double x) {
  double term = 1, sum = 1;
  for (double n = 1; term > sum * kEpsilon / 4; ++n) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * gamma_term(a, x);
}

/// Q(a, x) by the continued fraction DLMF 8.9.2 in its even form, evaluated from the front (Lentz),
/// which converges fast for x > a + 1.
double upper_gamma_fraction(double a, double x) {
  double b = x + 1 - a;
  double c = 1 / kTiny;
  double d = 1 / b;
  double value = d;
  for (double n = 1;; ++n) {
    const double numerator = -n * (n - a);
    b += 2;
    d = numerator * d + b;
    if (std::abs(d) < kTiny) d = kTiny;
    c = b + numerator / c;
    if (std::abs(c) < kTiny) c = kTiny;
    d = 1 / d;
    value *= d * c;
    if (std::abs(d * c - 1) < 2 * kEpsilon) break;
  }
  return value * gamma_term(a, x) * a;
}

}  // namespace

double normal_cdf(double x) {
  require(!std::isnan(x), "normal_cdf", "a number", x);
  return std::erfc(-x / std::numbers::sqrt2) / 2;
}

double normal_quantile(double p) {
  require(p > 0 && p < 1, "normal_quantile", "p in (0, 1)", p);
  return p <= 0.5 ? lower_quantile(p) : -lower_quantile(1 - p);
}

double two_sided_error(double deviations) {
  require(deviations >= 0, "two_sided_error", "deviations >= 0", deviations);
  return std::erfc(deviations / std::numbers::sqrt2);
}

double critical_deviations(double error_rate, std::size_t count) {
  require(error_rate > 0 && error_rate < 1, "critical_deviations", "an error rate in (0, 1)",
          error_rate);
  require(count >= 1, "critical_deviations", "count >= 1", static_cast<double>(count));
  return -normal_quantile(error_rate / (2 * static_cast<double>(count)));
}

double chi_square_survival(double x, double dof) {
  require(x >= 0, "chi_square_survival", "x >= 0", x);
  require(dof > 0 && std::isfinite(dof), "chi_square_survival", "finite dof > 0", dof);
  if (x == 0) return 1;
  if (std::isinf(x)) return 0;
  const double a = dof / 2, half = x / 2;
  return half < a + 1 ? 1 - lower_gamma_series(a, half) : upper_gamma_fraction(a, half);
}

double chi_square_deviations(double x, double dof) {
  require(x >= 0, "chi_square_deviations", "x >= 0", x);
  require(dof > 0 && std::isfinite(dof), "chi_square_deviations", "finite dof > 0", dof);
  const double variance = 2 / (9 * dof);
  return (std::cbrt(x / dof) - (1 - variance)) / std::sqrt(variance);
}

double ks_distance(std::span<const double> sorted, const std::function<double(double)>& cdf) {
  require(!sorted.empty(), "ks_distance", "at least one value, as many as", 0);
  const auto count = static_cast<double>(sorted.size());
  double distance = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    require(i == 0 ? !std::isnan(sorted[0]) : sorted[i] >= sorted[i - 1], "ks_distance",
            "rising values", sorted[i]);
    const double exact = cdf(sorted[i]);
    const auto below = static_cast<double>(i);
    distance = std::max({distance, (below + 1) / count - exact, exact - below / count});
  }
  return distance;
}

double ks_critical(std::size_t count, double error_rate) {
  require(count >= 1, "ks_critical", "count >= 1", static_cast<double>(count));
  require(error_rate > 0 && error_rate < 1, "ks_critical", "an error rate in (0, 1)", error_rate);
  return std::sqrt(std::log(2 / error_rate) / (2 * static_cast<double>(count)));
}

void CompensatedSum::add(double term) noexcept {
  const double next = sum_ + term;
  lost_ += std::abs(sum_) >= std::abs(term) ? (sum_ - next) + term : (term - next) + sum_;
  sum_ = next;
}

double trapezoid(const std::function<double(double)>& f, double low, double high,
                 std::size_t intervals) {
  require_interval("trapezoid", low, high);
  require(intervals >= 1, "trapezoid", "at least 1 interval", static_cast<double>(intervals));
  const double step = (high - low) / static_cast<double>(intervals);
  CompensatedSum sum;
  sum.add(f(low) / 2);
  sum.add(f(high) / 2);
  for (std::size_t i = 1; i < intervals; ++i) sum.add(f(low + static_cast<double>(i) * step));
  return sum.value() * step;
}

double simpson(const std::function<double(double)>& f, double low, double high,
               std::size_t intervals) {
  require_interval("simpson", low, high);
  require(intervals >= 2 && intervals % 2 == 0, "simpson", "an even number of intervals",
          static_cast<double>(intervals));
  const double step = (high - low) / static_cast<double>(intervals);
  CompensatedSum sum;
  sum.add(f(low));
  sum.add(f(high));
  for (std::size_t i = 1; i < intervals; ++i) {
    sum.add(f(low + static_cast<double>(i) * step) * (i % 2 == 1 ? 4 : 2));
  }
  return sum.value() * step / 3;
}

}  // namespace tinta
