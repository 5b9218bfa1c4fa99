#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tinta/config/config.h"

namespace tinta::process {

/// One point of the general forward process x_t = a x_0 + s eps, and what the network is told of
/// it.
struct NoiseLevel {
  double a = 1;     ///< signal's amplitude
  double s = 0;     ///< noise's standard deviation
  double time = 0;  ///< the network's conditioning input; t in 1..T for a discrete schedule
  double data = 1;  ///< the pictures' standard deviation that Prediction::edm takes for granted

  /// Signal-to-noise ratio a^2 / s^2 (Kingma et al. 2021, eq. 3); infinite at s = 0.
  [[nodiscard]] double snr() const noexcept { return a * a / (s * s); }
};

/// q(x_t | x_s) = N(scale x_s, variance I), s < t.
struct Transition {
  double scale = 1;
  double variance = 0;
};

/// q(x_{t-1} | x_t, x_0) = N(on_x0 * x_0 + on_xt * x_t, variance I).
struct PosteriorCoefficients {
  double on_x0 = 0;
  double on_xt = 0;
  double variance = 0;  ///< beta-tilde_t, zero at t = 1
};

/// The noise levels of a process x_t = a_t x_0 + s_t eps. Steps run 1..T; t = 0 is clean data.
/// Samplers walk down the steps. Training draws from levels of its own, which are the steps
/// themselves unless a schedule says otherwise. Immutable, double.
/// Every accessor throws ArgumentError when a step is out of its range.
class Schedule {
 public:
  virtual ~Schedule() = default;

  [[nodiscard]] virtual int steps() const noexcept = 0;     ///< T
  [[nodiscard]] virtual NoiseLevel level(int t) const = 0;  ///< t in 0..T
  [[nodiscard]] virtual double alpha_bar(int t) const = 0;  ///< a^2 / (a^2 + s^2), t in 0..T
  /// 0 <= s < t <= T
  [[nodiscard]] virtual Transition transition(int s, int t) const = 0;
  /// q(x_s | x_t, x_0); 0 <= s < t <= T
  [[nodiscard]] virtual PosteriorCoefficients posterior(int s, int t) const = 0;
  /// Standard deviation of the noise that a chain starts from at T, where a_T x_0 is lost in it.
  [[nodiscard]] virtual double prior_deviation() const = 0;

  /// K: training draws k uniformly from 1..K.
  [[nodiscard]] virtual int training_levels() const noexcept { return steps(); }
  /// Rising in noise. @param k in 1..K
  [[nodiscard]] virtual NoiseLevel training_level(int k) const { return level(k); }

 protected:
  Schedule() = default;
  Schedule(const Schedule&) = default;
  Schedule(Schedule&&) = default;
  Schedule& operator=(const Schedule&) = default;
  Schedule& operator=(Schedule&&) = default;
};

/// Of 24 bytes each; beyond lies a typing error.
inline constexpr std::int64_t kMostSteps = 1'000'000;

/// The schedule that a config names. @throws ArgumentError, nearest suggested
std::unique_ptr<Schedule> make_schedule(const config::ProcessConfig& config);

/// The schedule whose steps a sampler walks that is to take `steps` of them: EDM's has as many,
/// spread anew; any other is as make_schedule() makes it, and the sampler skips some.
std::unique_ptr<Schedule> make_sampling_schedule(const config::ProcessConfig& config,
                                                 std::int64_t steps);

/// Linear beta_t from start at t = 1 to end at t = T.
struct LinearBeta {
  int steps = 1000;
  double start = 1e-4;
  double end = 0.02;
};

/// beta_t that makes alpha_bar_t = f(t) / f(0), f(t) = cos^2((t/T + offset) / (1 + offset) pi/2):
/// beta_t = 1 - f(t) / f(t-1), at most `highest`, which the last steps reach.
/// Source: Nichol and Dhariwal 2021 (arXiv:2102.09672), eq. 17 and below.
struct CosineBeta {
  int steps = 1000;
  double offset = 0.008;  ///< keeps beta_1 from nearly vanishing
  double highest = 0.999;
};

/// The posterior's mean with x_0 eliminated by x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t)
/// eps: on_xt * x_t + on_eps * eps = (x_t - beta_t / sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_t).
/// Source: lab eq. 6; thesis eqs. 2.17-2.18; Ho et al. 2020, eq. 11.
struct EpsMeanCoefficients {
  double on_xt = 0;
  double on_eps = 0;  ///< negative
};

/// A discrete variance-preserving noise schedule. Steps run 1..T; t = 0 is clean data.
/// q(x_t | x_0) = N(sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I).  Immutable, double.
/// Every accessor throws ArgumentError when a step is out of its range.
/// Source: Ho et al. 2020 (arXiv:2006.11239), eq. 4; thesis eqs. 2.5-2.7; lab eq. 5.
class VpSchedule : public Schedule {
 public:
  /// @throws ArgumentError unless 0 < start <= end < 1 and steps >= 1
  explicit VpSchedule(const LinearBeta& config);
  /// @throws ArgumentError unless offset >= 0, 0 < highest < 1 and steps >= 1
  explicit VpSchedule(const CosineBeta& config);
  /// @param betas beta_1..beta_T, each in (0, 1). @throws ArgumentError
  explicit VpSchedule(std::vector<double> betas);
  /// Linear, or cosine, which does not use beta_start and beta_end.
  /// @throws ArgumentError on an unknown schedule (nearest suggested) or as the others do
  explicit VpSchedule(const config::ProcessConfig& config);

  [[nodiscard]] int steps() const noexcept override { return static_cast<int>(beta_.size()) - 1; }
  [[nodiscard]] double beta(int t) const;   ///< t in 1..T
  [[nodiscard]] double alpha(int t) const;  ///< 1 - beta_t, t in 1..T; thesis eq. 2.5
  /// product of alpha_1..alpha_t, t in 0..T; thesis eq. 2.6
  [[nodiscard]] double alpha_bar(int t) const override;
  /// alpha_bar_t / (1 - alpha_bar_t), t in 1..T
  [[nodiscard]] double snr(int t) const;
  /// a = sqrt(alpha_bar_t), s = sqrt(1 - alpha_bar_t), time = t; t in 0..T
  [[nodiscard]] NoiseLevel level(int t) const override;
  /// Variance of the forward jump q(x_t | x_s), 1 - alpha_bar_t / alpha_bar_s; 0 <= s < t <= T.
  /// beta(t) is the case s = t - 1.
  [[nodiscard]] double beta(int s, int t) const;
  /// t in 1..T; Ho et al. eqs. 6-7; lab eq. 4 (thesis 2.11 as printed is wrong)
  [[nodiscard]] PosteriorCoefficients posterior(int t) const;
  /// q(x_s | x_t, x_0) for any s < t, of which posterior(t) is the case s = t - 1; 0 <= s < t <= T.
  [[nodiscard]] PosteriorCoefficients posterior(int s, int t) const override;
  /// scale sqrt(1 - beta(s, t)), variance beta(s, t)
  [[nodiscard]] Transition transition(int s, int t) const override;
  /// 1: q(x_T) is taken for N(0, I).
  [[nodiscard]] double prior_deviation() const override { return 1; }
  /// t in 1..T
  [[nodiscard]] EpsMeanCoefficients eps_mean(int t) const;

 private:
  /// q(x_t | x_s) = N(sqrt(alpha) x_s, beta I)
  struct Jump {
    double alpha = 1;
    double beta = 0;
  };

  void require(int t, int lowest) const;
  [[nodiscard]] Jump jump(int s, int t) const;

  std::vector<double> beta_;                 // index t, [0] unused
  std::vector<double> alpha_bar_;            // index t, size T + 1
  std::vector<double> one_minus_alpha_bar_;  // by its own recursion: no cancellation at small t
};

}  // namespace tinta::process
