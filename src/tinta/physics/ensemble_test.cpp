#include "tinta/physics/ensemble.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/random.h"

namespace tinta::physics {
namespace {

// The same landscape without its closed form.
PotentialPtr opaque(const PotentialPtr& potential) {
  return from_functions([=](const at::Tensor& x) { return potential->energy(x); },
                        [=](const at::Tensor& x) { return potential->force(x); },
                        potential->curvature());
}

Ensemble scattered(std::int64_t count, std::int64_t dimensions) {
  return {.x = 0.4 * kernels::normal({count, dimensions}, {.seed = 4, .stream = Stream::test})};
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

// 40 steps in single precision, in another order of operations.
TEST(Advance, FusedAndStepByStepAgree) {
  const PotentialPtr potential =
      sum({quadratic({0.5, 0, 0}, 1), gaussian_well({0, 0.5, 0}, 2, 0.6), double_well(1, 2, 1, 2)});
  for (const Walls::Kind walls : {Walls::Kind::none, Walls::Kind::reflecting}) {
    Motion motion{.mass = 1.2, .friction = 0.9, .temperature = 0.8, .time_step = 0.01, .seed = 9};
    if (walls != Walls::Kind::none) {
      motion.walls = {.kind = walls, .low = {-9, -2, -1.875}, .high = {9, 1.875, 2}};
    }
    motion.schedule = [](std::uint64_t step) { return step < 10 ? 0.0 : 0.5; };
    for (const Overdamped scheme : {Overdamped::euler_maruyama, Overdamped::leimkuhler_matthews}) {
      Ensemble fused = scattered(101, 3);
      Ensemble plain = scattered(101, 3);
      advance_overdamped(fused, *potential, motion, scheme, 40);
      advance_overdamped(plain, *opaque(potential), motion, scheme, 40);
      EXPECT_LT((fused.x - plain.x).abs().max().item<double>(), 1e-5);
      EXPECT_EQ(fused.step, 40u);
      EXPECT_EQ(plain.step, 40u);
    }
    Ensemble fused = scattered(101, 3);
    Ensemble plain = scattered(101, 3);
    fused.v = at::ones({101, 3});
    plain.v = fused.v.clone();
    advance_langevin(fused, *potential, motion, 40);
    advance_langevin(plain, *opaque(potential), motion, 40);
    EXPECT_LT((fused.x - plain.x).abs().max().item<double>(), 1e-5);
  }
}

TEST(Advance, IsTheSameBitsInOneCallOrInMany) {
  const Motion motion{.time_step = 0.05, .seed = 3};
  Ensemble whole = scattered(50, 2);
  Ensemble split = scattered(50, 2);
  advance_langevin(whole, *quadratic({}, 1), motion, 100);
  for (int i = 0; i < 10; ++i) advance_langevin(split, *quadratic({}, 1), motion, 10);
  EXPECT_TRUE(at::equal(whole.x, split.x));
  EXPECT_TRUE(at::equal(whole.v, split.v));
}

TEST(Advance, AnySizeAndDimension) {
  for (const std::int64_t count : {0, 1, 65}) {
    for (const std::int64_t dimensions : {1, 4, 100}) {
      Ensemble ensemble = scattered(count, dimensions);
      advance_overdamped(ensemble, *free_space(), {}, Overdamped::euler_maruyama, 3);
      advance_langevin(ensemble, *quadratic({}, 1), {}, 3);
      EXPECT_EQ(ensemble.x.sizes(), (at::IntArrayRef{count, dimensions}));
      EXPECT_TRUE(ensemble.x.isfinite().all().item<bool>());
    }
  }
}

TEST(Advance, WithoutTemperatureItFollowsTheForceAlone) {
  Ensemble ensemble = at_point(3, {1, -2});
  advance_overdamped(ensemble, *quadratic({}, 1), {.temperature = 0, .time_step = 0.5},
                     Overdamped::leimkuhler_matthews, 2);
  EXPECT_TRUE(at::allclose(ensemble.x, at_point(3, {0.25, -0.5}).x));
}

// Heating: the variance on the quadratic well follows s' = (1 - h)^2 s + 2 kT_n h under
// Euler-Maruyama, here to 5 standard errors, sqrt(2 / N) s each: a correct program fails one of
// the ten comparisons with probability 6e-6 over seeds.
TEST(Advance, HeatingFollowsTheRecursionOfTheVariance) {
  constexpr std::int64_t kCount = 50'000;
  constexpr double kStep = 0.05;
  const auto schedule = [](std::uint64_t step) { return 0.1 + 0.02 * static_cast<double>(step); };
  const Motion motion{.time_step = kStep, .seed = 1, .schedule = schedule};
  Ensemble ensemble = at_point(kCount, {0, 0});
  double variance = 0;
  for (int block = 0; block < 10; ++block) {
    for (int n = 0; n < 20; ++n) {
      variance = (1 - kStep) * (1 - kStep) * variance +
                 2 * schedule(static_cast<std::uint64_t>(20 * block + n)) * kStep;
    }
    advance_overdamped(ensemble, *quadratic({}, 1), motion, Overdamped::euler_maruyama, 20);
    const double got = ensemble.x.to(at::kDouble).square().mean().item<double>();
    EXPECT_NEAR(got / variance, 1, 5 * std::sqrt(1.0 / kCount)) << block;
  }
}

TEST(Advance, RefusesStepsBeyondStabilityAndNamesTheLimit) {
  Ensemble ensemble = at_point(3, {0});
  const Motion slow{.mass = 2, .friction = 3, .time_step = 0.6};
  EXPECT_EQ(overdamped_limit(*quadratic({}, 20), slow), 0.6);
  const std::string overdamped = refusal([&] {
    advance_overdamped(ensemble, *quadratic({}, 20), slow, Overdamped::euler_maruyama, 1);
  });
  EXPECT_NE(overdamped.find("below 0.6 (2 m gamma / curvature), got 0.6"), std::string::npos)
      << overdamped;
  const std::string langevin = refusal(
      [&] { advance_langevin(ensemble, *quadratic({}, 8), {.mass = 2, .time_step = 1.5}, 1); });
  EXPECT_NE(langevin.find("below 1.0 (2 sqrt(m / curvature)), got 1.5"), std::string::npos)
      << langevin;
  EXPECT_TRUE(std::isinf(langevin_limit(*free_space(), {})));
  const PotentialPtr unknown = from_functions([](const at::Tensor& x) { return x.sum(1); },
                                              [](const at::Tensor& x) { return -at::ones_like(x); },
                                              std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isinf(overdamped_limit(*unknown, {})));
}

TEST(Advance, RefusesImpossiblePhysics) {
  Ensemble ensemble = at_point(3, {0, 5});
  const auto refused = [&](const Motion& motion) {
    return refusal([&] {
      advance_overdamped(ensemble, *free_space(), motion, Overdamped::euler_maruyama, 1);
    });
  };
  EXPECT_NE(refused({.temperature = -1}).find("temperature of at least 0, got -1"),
            std::string::npos);
  EXPECT_NE(refused({.mass = 0}).find("mass above 0"), std::string::npos);
  EXPECT_NE(refused({.friction = -2}).find("friction above 0"), std::string::npos);
  EXPECT_NE(refused({.time_step = std::nan("")}).find("time_step above 0"), std::string::npos);
  EXPECT_NE(refused({.noise_factor = -1}).find("noise_factor"), std::string::npos);
  const std::string outside =
      refused({.walls = {.kind = Walls::Kind::reflecting, .low = {-1, -1}, .high = {1, 1}}});
  EXPECT_NE(outside.find("within the walls, -1.0 to 1.0 on axis 1, got positions from 5.0 to 5.0"),
            std::string::npos)
      << outside;
  const std::string schedule = refused({.schedule = [](std::uint64_t) { return -0.5; }});
  EXPECT_NE(schedule.find("schedule at step 0"), std::string::npos) << schedule;
  EXPECT_THROW(advance_langevin(ensemble, *free_space(), {}, -1), ArgumentError);
  EXPECT_THROW(at_point(-1, {0}), ArgumentError);
}

}  // namespace
}  // namespace tinta::physics
