#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tinta/core/error.h"
#include "tinta/kernels/random.h"
#include "tinta/stepper/baoab.h"
#include "tinta/stepper/first_order.h"

namespace tinta::stepper {
namespace {

using Method = at::Tensor (*)(const Force&, const at::Tensor&, const FirstOrderStep&,
                              const at::Tensor&);

at::Tensor harmonic(const at::Tensor& x) { return -x; }

at::Tensor point(double value) { return at::full({1, 1}, value, at::kDouble); }

// The order p of an error that falls as h^p, from its values at h and h / 2.
double order(const std::function<double(int steps)>& error, int steps) {
  return std::log2(error(steps) / error(2 * steps));
}

TEST(FirstOrder, EulerConvergesWithOrderOneAndHeunWithOrderTwoWithoutNoise) {
  const auto error = [](Method method, int steps) {
    at::Tensor x = point(1);
    for (int n = 0; n < steps; ++n) {
      x = method(harmonic, x, FirstOrderStep{.drift = 1.0 / steps}, at::zeros_like(x));
    }
    return std::abs(x.item<double>() - std::exp(-1));
  };
  EXPECT_NEAR(order([&](int n) { return error(euler_maruyama, n); }, 64), 1, 0.02);
  EXPECT_NEAR(order([&](int n) { return error(heun, n); }, 64), 2, 0.02);
}

// The strong error of the Ornstein-Uhlenbeck process dx = -x dt + dW: coarse paths against a fine
// one that feels the same Wiener process. With additive noise Euler-Maruyama and Heun have order 1.
// The mean over 2000 paths is deterministic; a tenth allows for the next order.
TEST(FirstOrder, StrongOrderOneWithAdditiveNoise) {
  constexpr int kFine = 1024;
  constexpr std::int64_t kPaths = 2000;
  const at::Tensor wiener =
      kernels::normal({kFine, kPaths}, {.seed = 5, .stream = Stream::test}).to(at::kDouble);
  const auto run = [&](Method method, int steps) {
    const at::Tensor sums = wiener.view({steps, kFine / steps, kPaths}).sum(1);
    at::Tensor x = at::zeros({kPaths}, at::kDouble);
    for (int n = 0; n < steps; ++n) {
      x = method(harmonic, x,
                 FirstOrderStep{.drift = 1.0 / steps, .amplitude = std::sqrt(1.0 / kFine)},
                 sums[n]);
    }
    return x;
  };
  const at::Tensor exact = run(heun, kFine);
  const auto order_of = [&](Method method) {
    return order([&](int n) { return (run(method, n) - exact).abs().mean().item<double>(); }, 16);
  };
  EXPECT_NEAR(order_of(euler_maruyama), 1, 0.1);
  EXPECT_NEAR(order_of(heun), 1, 0.1);
}

// A linear scheme x' = a x + b r on the quadratic well has the stationary variance b^2 / (1 - a^2).
// a and b are read off the scheme itself, by steps from x = 1 without noise and from 0 with
// noise 1.
TEST(FirstOrder, StationaryVarianceOnTheQuadraticWellIsTheSchemesOwn) {
  constexpr double kT = 0.7;
  for (const double h : {0.1, 0.5, 1.5}) {
    const FirstOrderStep step{.drift = h, .amplitude = std::sqrt(2 * kT * h)};
    const auto variance = [&](Method method) {
      const double a = method(harmonic, point(1), step, point(0)).item<double>();
      const double b = method(harmonic, point(0), step, point(1)).item<double>();
      return b * b / (1 - a * a);
    };
    EXPECT_NEAR(variance(euler_maruyama), kT / (1 - h / 2), 1e-12);
    const double a = 1 - h + h * h / 2;
    EXPECT_NEAR(variance(heun), 2 * kT * h * (1 - h / 2) * (1 - h / 2) / (1 - a * a), 1e-12);
  }
}

// Leimkuhler-Matthews: with y = x - s r / 2 the scheme is y' = (1 - h) y + s (2 - h) / 2 r, and the
// variance of x = y + s r / 2 is exactly kT.
TEST(FirstOrder, LeimkuhlerMatthewsIsExactOnTheQuadraticWell) {
  constexpr double kT = 0.7;
  for (const double h : {0.1, 0.5, 1.5}) {
    const FirstOrderStep step{.drift = h, .amplitude = std::sqrt(2 * kT * h)};
    const auto next = [&](double x, double r, double r_next) {
      return leimkuhler_matthews(harmonic, point(x), step, point(r), point(r_next)).item<double>();
    };
    const double decay = next(1, 0, 0);
    const double first = next(0, 1, 0);
    const double second = next(0, 0, 1);
    // x_{n+1} = decay x_n + first r_n + second r_{n+1}; Cov(x_n, r_n) = second.
    const double variance =
        (first * first + second * second + 2 * decay * first * second) / (1 - decay * decay);
    EXPECT_NEAR(variance, kT, 1e-12) << h;
  }
}

TEST(FirstOrder, RefusesNoiseOfAnotherShape) {
  EXPECT_THROW(euler_maruyama(harmonic, point(0), {}, at::zeros({2, 1})), ArgumentError);
}

TEST(Baoab, ConvergesWithOrderTwoOnTheOscillator) {
  const auto error = [](int steps) {
    PhaseState state{point(1), point(0)};
    for (int n = 0; n < steps; ++n) {
      state = baoab(harmonic, state, {.time_step = 2.0 / steps, .friction = 0}, point(0));
    }
    return std::abs(state.x.item<double>() - std::cos(2));
  };
  EXPECT_NEAR(order(error, 64), 2, 0.02);
}

// (x, v)' = A (x, v) + b r on the quadratic well; the covariance C = A C A^T + b b^T is found by
// iteration. Positions are exact at any step below 2, velocities are not.
TEST(Baoab, PositionsAreExactOnTheQuadraticWell) {
  constexpr double kT = 0.7;
  for (const double h : {0.2, 1.0, 1.9}) {
    const SecondOrderStep step{.time_step = h, .mass = 1.5, .friction = 0.8, .temperature = kT};
    const auto column = [&](double x, double v, double r) {
      const PhaseState next = baoab(harmonic, {point(x), point(v)}, step, point(r));
      return at::cat({next.x, next.v});
    };
    const at::Tensor a = at::cat({column(1, 0, 0), column(0, 1, 0)}, 1);
    const at::Tensor b = column(0, 0, 1);
    at::Tensor covariance = b.matmul(b.t());
    at::Tensor power = a;
    for (int doubling = 0; doubling < 30; ++doubling) {
      covariance = covariance + power.matmul(covariance).matmul(power.t());
      power = power.matmul(power);
    }
    EXPECT_NEAR(covariance[0][0].item<double>(), kT, 1e-10) << h;
    EXPECT_NEAR(covariance[0][1].item<double>(), 0, 1e-10) << h;
  }
}

// The O part alone, by a step without force: variance kT / m whatever the step.
TEST(Baoab, KeepsMaxwellsDistributionOfAFreeParticle) {
  const auto free = [](const at::Tensor& x) { return at::zeros_like(x); };
  const SecondOrderStep step{.time_step = 3, .mass = 2, .friction = 0.7, .temperature = 1.1};
  const double decay = baoab(free, {point(0), point(1)}, step, point(0)).v.item<double>();
  const double spread = baoab(free, {point(0), point(0)}, step, point(1)).v.item<double>();
  EXPECT_NEAR(decay, std::exp(-2.1), 1e-15);
  EXPECT_NEAR(spread * spread / (1 - decay * decay), 1.1 / 2, 1e-14);
}

TEST(Baoab, WallsActAfterEachDrift) {
  int calls = 0;
  const auto count = [&](PhaseState&) { ++calls; };
  baoab(harmonic, {point(0), point(1)}, {.time_step = 0.1}, point(0), count);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace tinta::stepper
