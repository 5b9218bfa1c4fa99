#include "tinta/kernels/particles.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/random.h"

namespace tinta::kernels {
namespace {

constexpr std::uint64_t kSeed = 0x0123456789ABCDEF;

at::Tensor drawn(std::int64_t count, std::int64_t dimensions, std::uint32_t step) {
  return normal({count, dimensions},
                {.seed = 3, .stream = Stream::test, .sample = 0, .step = step});
}

enum class Landscape { free, bowl, wells, double_well };
enum class Scheme { euler_maruyama, leimkuhler_matthews, baoab };

struct Case {
  Scheme scheme;
  Landscape landscape;
  Walls::Kind walls;
  std::int64_t dimensions;
  std::int64_t count;
  double tolerance;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << "scheme " << static_cast<int>(c.scheme) << " landscape " << static_cast<int>(c.landscape)
       << " walls " << static_cast<int>(c.walls) << " D " << c.dimensions << " N " << c.count;
}

std::vector<double> repeated(std::int64_t dimensions, double first, double change) {
  std::vector<double> values;
  for (std::int64_t d = 0; d < dimensions; ++d) {
    values.push_back(first + change * static_cast<double>(d));
  }
  return values;
}

std::vector<PotentialTerm> terms_of(Landscape landscape, std::int64_t dimensions) {
  using Kind = PotentialTerm::Kind;
  const int last = static_cast<int>(dimensions) - 1;
  std::vector<bool> others(static_cast<std::size_t>(last) + 1, true);
  others.back() = false;
  switch (landscape) {
    case Landscape::free:
      return {};
    case Landscape::bowl:
      return {{.strength = 2, .center = repeated(dimensions, 0.5, 0.25)}, {.strength = 0.5}};
    case Landscape::wells:
      return {{.strength = 0.3},
              {.kind = Kind::gaussian_well,
               .strength = 2,
               .width = 0.7,
               .center = repeated(dimensions, -0.5, 0.1)},
              {.kind = Kind::gaussian_well, .strength = -1, .width = 1.1}};
    case Landscape::double_well:
      return {{.kind = Kind::double_well, .strength = 1.5, .width = 1.2, .axis = last},
              {.strength = 2, .coordinates = others}};
  }
  return {};
}

// Sixty steps from step 11 on, so that blocks of four normals and steps begin apart; temperatures
// change, and some are 0.
ParticleSteps steps_of(const Case& c) {
  ParticleSteps steps{.terms = terms_of(c.landscape, c.dimensions),
                      .mass = 1.3,
                      .friction = 0.8,
                      .time_step = 0.02,
                      .seed = kSeed,
                      .first_step = 11};
  if (c.walls != Walls::Kind::none) {
    steps.walls = {.kind = c.walls,
                   .low = repeated(c.dimensions, -0.25, -0.125),
                   .high = repeated(c.dimensions, 0.5, 0.25)};
  }
  for (int n = 0; n < 60; ++n) steps.temperature.push_back(n % 7 == 3 ? 0 : 0.5 + 0.02 * n);
  return steps;
}

struct Phase {
  at::Tensor x;
  at::Tensor v;
  at::Tensor turned{};
};

Phase start(const Case& c) {
  Phase phase{drawn(c.count, c.dimensions, 0), drawn(c.count, c.dimensions, 1)};
  at::Tensor none;
  if (c.walls != Walls::Kind::none) confine(phase.x, none, steps_of(c).walls);
  return phase;
}

void advance(const Case& c, const ParticleSteps& steps, Phase& phase) {
  if (c.scheme == Scheme::baoab) return langevin_steps(phase.x, phase.v, steps);
  overdamped_steps(phase.x, phase.turned, steps,
                   c.scheme == Scheme::euler_maruyama ? OverdampedScheme::euler_maruyama
                                                      : OverdampedScheme::leimkuhler_matthews);
}

void advance_reference(const Case& c, const ParticleSteps& steps, Phase& phase) {
  if (c.scheme == Scheme::baoab) return langevin_steps_reference(phase.x, phase.v, steps);
  overdamped_steps_reference(phase.x, steps,
                             c.scheme == Scheme::euler_maruyama
                                 ? OverdampedScheme::euler_maruyama
                                 : OverdampedScheme::leimkuhler_matthews);
}

// |a - b|, across the border where space is periodic.
double distance(const Case& c, const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0;
  at::Tensor apart = (a.to(at::kDouble) - b).abs();
  if (c.walls == Walls::Kind::periodic) {
    const Walls walls = steps_of(c).walls;
    const at::Tensor span =
        at::tensor(walls.high, at::kDouble) - at::tensor(walls.low, at::kDouble);
    apart = at::minimum(apart, span - apart);
  }
  return apart.max().item<double>();
}

class FusedParticles : public testing::TestWithParam<Case> {
 protected:
  void TearDown() override { force_isa(best_isa()); }
};

// Rounding of 60 steps in single precision, and what the landscape makes of it.
TEST_P(FusedParticles, AgreeWithTheReferenceInDouble) {
  const Case c = GetParam();
  Phase exact = start(c);
  exact.x = exact.x.to(at::kDouble);
  exact.v = exact.v.to(at::kDouble);
  advance_reference(c, steps_of(c), exact);
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa()) continue;
    force_isa(isa);
    Phase fused = start(c);
    advance(c, steps_of(c), fused);
    EXPECT_LE(distance(c, fused.x, exact.x), c.tolerance) << to_string(isa);
    // At a wall that only one of the two touched the velocity has the other sign.
    if (c.scheme == Scheme::baoab && c.walls == Walls::Kind::none && c.count > 0) {
      EXPECT_LE((fused.v - exact.v).abs().max().item<double>(), 2 * c.tolerance);
    }
  }
}

TEST_P(FusedParticles, AreTheSameBitsForAnyThreadsInstructionSetAndSplit) {
  const Case c = GetParam();
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  Phase best = start(c);
  advance(c, steps_of(c), best);
  at::set_num_threads(1);
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa()) continue;
    force_isa(isa);
    Phase split = start(c);
    ParticleSteps first = steps_of(c);
    ParticleSteps second = first;
    first.temperature.resize(23);
    second.temperature.erase(second.temperature.begin(), second.temperature.begin() + 23);
    second.first_step += 23;
    advance(c, first, split);
    advance(c, second, split);
    EXPECT_TRUE(at::equal(split.x, best.x)) << to_string(isa);
    EXPECT_TRUE(at::equal(split.v, best.v)) << to_string(isa);
  }
  at::set_num_threads(threads);
}

TEST_P(FusedParticles, DoNotDependOnHowManyThereAre) {
  const Case c = GetParam();
  Phase all = start(c);
  Phase few{all.x.slice(0, 0, c.count / 3).clone(), all.v.slice(0, 0, c.count / 3).clone()};
  advance(c, steps_of(c), all);
  advance(c, steps_of(c), few);
  EXPECT_TRUE(at::equal(few.x, all.x.slice(0, 0, c.count / 3)));
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Scheme scheme : {Scheme::euler_maruyama, Scheme::leimkuhler_matthews, Scheme::baoab}) {
    for (const Landscape landscape :
         {Landscape::free, Landscape::bowl, Landscape::wells, Landscape::double_well}) {
      for (const std::int64_t dimensions : {1, 2, 3, 7}) {
        all.push_back({scheme, landscape, Walls::Kind::none, dimensions, 77, 1e-5});
      }
    }
    for (const std::int64_t count : {0, 1, 1001}) {
      all.push_back({scheme, Landscape::bowl, Walls::Kind::none, 2, count, 1e-5});
    }
    for (const std::int64_t dimensions : {1, 2, 7}) {
      all.push_back({scheme, Landscape::free, Walls::Kind::reflecting, dimensions, 77, 1e-5});
      all.push_back({scheme, Landscape::wells, Walls::Kind::reflecting, dimensions, 33, 1e-5});
      all.push_back({scheme, Landscape::free, Walls::Kind::periodic, dimensions, 77, 1e-5});
    }
    all.push_back({scheme, Landscape::wells, Walls::Kind::none, 200, 5, 3e-5});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Particles, FusedParticles, testing::ValuesIn(cases()));

TEST(ParticleNoise, IsNumberNDPlusJOfEachParticlesSequence) {
  for (const std::int64_t dimensions : {1, 2, 3, 7}) {
    for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{1} << 40}) {
      const at::Tensor fused = particle_noise(37, dimensions, kSeed, step);
      const at::Tensor exact = particle_noise_reference(37, dimensions, kSeed, step);
      EXPECT_LT((fused - exact).abs().max().item<double>(), 1e-5);
    }
  }
  // Two steps of a plane are one of four dimensions.
  const at::Tensor four = particle_noise(9, 4, kSeed, 3);
  EXPECT_TRUE(at::equal(four.slice(1, 0, 2), particle_noise(9, 2, kSeed, 6)));
  EXPECT_TRUE(at::equal(four.slice(1, 2, 4), particle_noise(9, 2, kSeed, 7)));
}

// The two words of a block's number meet: blocks 2^32 - 1 and 2^32 are made in one sweep.
TEST(ParticleNoise, GoesOnAcrossTheLowWordOfTheBlock) {
  const std::uint64_t last = (std::uint64_t{1} << 32) - 1;
  at::Tensor x = at::zeros({3, 4});
  ParticleSteps steps{.mass = 1,
                      .friction = 1,
                      .time_step = 0.5,
                      .temperature = {1, 1},
                      .seed = kSeed,
                      .first_step = last};
  overdamped_steps(x, steps, OverdampedScheme::euler_maruyama);
  const at::Tensor sum =
      particle_noise_reference(3, 4, kSeed, last) + particle_noise_reference(3, 4, kSeed, last + 1);
  EXPECT_LT((x - sum).abs().max().item<double>(), 1e-5);
}

// 4e6 values, each bound 5 standard errors of a true normal's moment: a correct generator fails
// one of the four with probability 2e-6; the seed is fixed.
TEST(ParticleNoise, HasTheNormalsMoments) {
  const at::Tensor x = particle_noise(40'000, 100, 1, 0).to(at::kDouble);
  const auto n = static_cast<double>(x.numel());
  EXPECT_NEAR(x.mean().item<double>(), 0, 5 / std::sqrt(n));
  EXPECT_NEAR(x.square().mean().item<double>(), 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(x.pow(3).mean().item<double>(), 0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(x.pow(4).mean().item<double>(), 3, 5 * std::sqrt(96 / n));
  // Neighbours, which share a radius, are independent: cos^2 and sin^2 times one R^2.
  const at::Tensor even = x.slice(1, 0, 100, 2).square();
  const at::Tensor odd = x.slice(1, 1, 100, 2).square();
  EXPECT_NEAR((even * odd).mean().item<double>(), 1, 5 * std::sqrt(8 / (n / 2)));
}

TEST(Confine, BouncesAsOftenAsItTakes) {
  const Walls walls{.kind = Walls::Kind::reflecting, .low = {-1}, .high = {1}};
  at::Tensor x = at::tensor({0.5, 1.5, -1.25, 3.5, 6.0, -9.5}, at::kDouble).unsqueeze(1);
  at::Tensor v = at::ones({6, 1}, at::kDouble);
  confine(x, v, walls);
  EXPECT_TRUE(
      at::allclose(x.squeeze(1), at::tensor({0.5, 0.5, -0.75, -0.5, 0.0, -0.5}, at::kDouble)))
      << x;
  EXPECT_TRUE(at::equal(v.squeeze(1), at::tensor({1., -1., -1., 1., -1., -1.}, at::kDouble))) << v;
}

TEST(Confine, PeriodicSpaceKeepsVelocities) {
  const Walls walls{.kind = Walls::Kind::periodic, .low = {0}, .high = {2}};
  at::Tensor x = at::tensor({0.5, 2.0, -0.25, 7.5}, at::kDouble).unsqueeze(1);
  at::Tensor v = at::ones({4, 1}, at::kDouble);
  confine(x, v, walls);
  EXPECT_TRUE(at::allclose(x.squeeze(1), at::tensor({0.5, 0.0, 1.75, 1.5}, at::kDouble))) << x;
  EXPECT_TRUE(at::equal(v, at::ones({4, 1}, at::kDouble)));
}

TEST(Confine, AllowsOneWallOnly) {
  const double none = std::numeric_limits<double>::infinity();
  const Walls walls{.kind = Walls::Kind::reflecting, .low = {0}, .high = {none}};
  at::Tensor x = at::tensor({-3.0, 1e6}, at::kDouble).unsqueeze(1);
  at::Tensor v;
  confine(x, v, walls);
  EXPECT_TRUE(at::allclose(x.squeeze(1), at::tensor({3.0, 1e6}, at::kDouble)));
  at::Tensor fused = at::full({5, 1}, 0.1f);
  overdamped_steps(fused, {.walls = walls, .temperature = std::vector<double>(50, 1.0)},
                   OverdampedScheme::euler_maruyama);
  EXPECT_GE(fused.min().item<double>(), 0);
}

// Steps of a hundred box lengths: every landing place is inside, and they are spread evenly. Mean
// of 2e4 uniform values within 5 standard errors: missed once in 2e6 seeds.
TEST(FusedParticlesInABox, ManyBouncesInAStepLandInsideAndSpread) {
  for (const Walls::Kind kind : {Walls::Kind::reflecting, Walls::Kind::periodic}) {
    at::Tensor x = at::zeros({20'000, 1});
    overdamped_steps(x,
                     {.walls = {.kind = kind, .low = {-0.5}, .high = {0.5}},
                      .time_step = 5000,
                      .temperature = {1, 1, 1}},
                     OverdampedScheme::euler_maruyama);
    EXPECT_GE(x.min().item<double>(), -0.5);
    EXPECT_LE(x.max().item<double>(), 0.5);
    EXPECT_NEAR(x.mean().item<double>(), 0, 5 * std::sqrt(1.0 / 12 / 20'000));
    EXPECT_NEAR(x.square().mean().item<double>(), 1.0 / 12, 5 * std::sqrt(1.0 / 180 / 20'000));
  }
}

TEST(FusedParticlesAtRest, MoveByTheForceAloneWhereThereIsNoTemperature) {
  at::Tensor x = drawn(50, 2, 0);
  const at::Tensor before = x.clone();
  overdamped_steps(x, {.terms = {{.strength = 1}}, .time_step = 0.5, .temperature = {0, 0}},
                   OverdampedScheme::leimkuhler_matthews);
  EXPECT_TRUE(at::allclose(x, before / 4));
}

TEST(PotentialTerms, RefuseWhatDoesNotFit) {
  at::Tensor x = at::zeros({4, 2});
  const auto refused = [&](const ParticleSteps& steps) {
    EXPECT_THROW(overdamped_steps(x, steps, OverdampedScheme::euler_maruyama), ArgumentError);
  };
  refused({.terms = {{.center = {1, 2, 3}}}});
  refused({.terms = {{.coordinates = {true, true, false}}}});
  refused({.terms = {{.kind = PotentialTerm::Kind::double_well, .axis = 2}}});
  refused({.terms = {{.width = 0}}});
  refused({.walls = {.kind = Walls::Kind::reflecting, .low = {0}, .high = {1}}});
  refused({.walls = {.kind = Walls::Kind::reflecting, .low = {0, 1}, .high = {1, 1}}});
  at::Tensor wrong = at::zeros({4, 2}, at::kDouble);
  EXPECT_THROW(overdamped_steps(wrong, {}, OverdampedScheme::euler_maruyama), ArgumentError);
  at::Tensor v = at::zeros({3, 2});
  EXPECT_THROW(langevin_steps(x, v, {}), ArgumentError);
}

}  // namespace
}  // namespace tinta::kernels
