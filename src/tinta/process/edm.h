#pragma once

#include <cstdint>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/process/schedule.h"

namespace tinta::process {

/// EDM's preconditioning (Karras et al. 2022, arXiv:2206.00364, section 5 and table 1) of
/// x_t = a x_0 + s eps, for pictures of standard deviation `data` (sigma_data). With
/// d = sqrt(a^2 data^2 + s^2), the standard deviation of x_t:
///
///   E[x_0 | x_t] = c_skip x_t + c_out F(c_in x_t, time),
///   c_skip = a data^2 / d^2,  c_out = s data / d,  c_in = 1 / d,
///   target of F: (s x_0 - a data^2 eps) / (data d).
///
/// The network's input and its target both have unit variance, and c_out is the least that a target
/// of unit variance allows (eq. 117 ff.). a = 1 is EDM's table; a^2 + s^2 = 1 with data = 1 makes F
/// the negative of v. The loss |F - target|^2 is EDM's lambda(sigma) |D - x_0|^2 with
/// lambda = 1 / c_out^2 = (sigma^2 + data^2) / (sigma data)^2.
struct Preconditioning {
  double c_skip = 0;
  double c_out = 1;
  double c_in = 1;
  double on_x0 = 0;   ///< of the target
  double on_eps = 0;  ///< of the target; not positive
};

/// @throws ArgumentError unless data > 0, s >= 0 and a and s are not both 0
Preconditioning preconditioning(const NoiseLevel& level);

/// EDM's process, a = 1 and s = sigma: noise is added and nothing shrinks.
///
/// The T steps are spread as Karras et al. 2022, eq. 5 has them: with i = T - t,
/// sigma_t = (sigma_max^(1/rho) + i / (T - 1) (sigma_min^(1/rho) - sigma_max^(1/rho)))^rho, and
/// sigma_0 = 0; a single step is at sigma_max. The network's time is c_noise = ln(sigma) / 4.
///
/// Training draws ln(sigma) ~ N(log_sigma_mean, log_sigma_std^2): level k of K = 2^30 is the
/// quantile (k - 1/2) / K, so finely spaced that neighbours are one number in single precision.
class EdmSchedule : public Schedule {
 public:
  /// T = config.steps. @throws ArgumentError as the config's rules say
  explicit EdmSchedule(const config::ProcessConfig& config);

  [[nodiscard]] int steps() const noexcept override { return static_cast<int>(sigma_.size()) - 1; }
  [[nodiscard]] double sigma(int t) const;  ///< t in 0..T
  [[nodiscard]] NoiseLevel level(int t) const override;
  [[nodiscard]] double alpha_bar(int t) const override;
  [[nodiscard]] Transition transition(int s, int t) const override;
  [[nodiscard]] PosteriorCoefficients posterior(int s, int t) const override;
  [[nodiscard]] double prior_deviation() const override { return sigma_.back(); }
  [[nodiscard]] int training_levels() const noexcept override { return kTrainingLevels; }
  [[nodiscard]] NoiseLevel training_level(int k) const override;

  static constexpr int kTrainingLevels = 1 << 30;

 private:
  [[nodiscard]] NoiseLevel level_of(double sigma) const;

  config::ProcessConfig config_;
  std::vector<double> sigma_;  // index t, size T + 1
};

}  // namespace tinta::process
