#include "tinta/training/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tinta/core/error.h"
#include "tinta/kernels/adamw.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

TEST(EmaDecay, RisesAsOnePlusNOverTenPlusNUpToItsLimit) {
  EXPECT_DOUBLE_EQ(ema_decay_at(1, 0.9999), 2.0 / 11);
  EXPECT_DOUBLE_EQ(ema_decay_at(90, 0.9999), 0.91);
  EXPECT_LT(ema_decay_at(79, 0.9), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay_at(80, 0.9), 0.9);  // 81 / 90
  EXPECT_DOUBLE_EQ(ema_decay_at(1000000, 0.9), 0.9);
  EXPECT_EQ(ema_decay_at(1, 0), 0);
}

// The closed form against the recursion that defines it, across the turn to the limit: for 0.9999
// at step 89990. A hundred thousand sums keep twelve digits.
TEST(EmaAge, FollowsTheDecayStepByStep) {
  for (const double limit : {0.0, 0.05, 0.3, 0.9, 0.999, 0.9999}) {
    double age = 0;
    for (std::uint64_t step = 1; step <= 200000; ++step) {
      age = ema_decay_at(step, limit) * (age + 1);
      if (step < 50 || step % 9973 == 0 || (step > 89980 && step < 90000)) {
        ASSERT_NEAR(ema_age_at(step, limit), age, 1e-11 * (1 + age)) << limit << ", " << step;
      }
    }
  }
  EXPECT_EQ(ema_age_at(0, 0.9999), 0);
  EXPECT_NEAR(ema_age_at(10'000'000, 0.9999), 9999, 1e-6);
}

TEST(LearningRate, RisesLinearlyThenStays) {
  const config::TrainingConfig config{
      .learning_rate = 0.08, .warmup_steps = 4, .decay = "constant"};
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 1, 0.1), 0.02);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 2, 0.2), 0.04);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 3, 0.3), 0.06);
  for (const std::uint64_t step : {4u, 5u, 100000u}) {
    EXPECT_DOUBLE_EQ(learning_rate_at(config, step, 0.99), 0.08) << step;
  }
}

TEST(LearningRate, WithoutWarmUpIsWholeFromTheFirstStep) {
  const config::TrainingConfig config{.learning_rate = 0.08, .warmup_steps = 0};
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 1, 0), 0.08);
}

TEST(LearningRate, CosineFallsToZeroAtTheEndOfTheBudget) {
  const config::TrainingConfig config{.learning_rate = 0.08, .warmup_steps = 2, .decay = "cosine"};
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 10, 0), 0.08);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 10, 0.25), 0.04 * (1 + std::sqrt(0.5)));
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 10, 0.5), 0.04);
  EXPECT_NEAR(learning_rate_at(config, 10, 2.0 / 3), 0.02, 1e-15);
  EXPECT_NEAR(learning_rate_at(config, 10, 1), 0, 1e-17);
  EXPECT_NEAR(learning_rate_at(config, 10, 1.5), 0, 1e-17);  // a budget of time may be overrun
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 1, 0.5), 0.02);  // warm-up and decay together
}

TEST(LearningRate, InverseSquareRootFallsFromTheReferenceOn) {
  const config::TrainingConfig config{
      .learning_rate = 0.08, .warmup_steps = 0, .decay = "inverse-sqrt", .reference_steps = 100};
  for (const std::uint64_t step : {1u, 50u, 100u}) {
    EXPECT_DOUBLE_EQ(learning_rate_at(config, step, 0.9), 0.08) << step;
  }
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 400, 0.9), 0.04);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 10000, 0.9), 0.008);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 250, 0), 0.08 / std::sqrt(2.5));
}

TEST(LearningRate, TheRampIsCountedInPictures) {
  config::TrainingConfig config{
      .batch = 8, .learning_rate = 0.08, .warmup_steps = 0, .ramp_images = 100};
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 1, 0), 0.08 * 8 / 100);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 12, 0), 0.08 * 96 / 100);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 13, 0), 0.08);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 1000000, 0), 0.08);
  config.batch = 16;  // as many pictures in half the steps
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 6, 0), 0.08 * 96 / 100);
}

// EDM2's own schedule: a ramp in pictures, then the inverse square root.
TEST(LearningRate, RampAndDecayMultiply) {
  const config::TrainingConfig config{.batch = 10,
                                      .learning_rate = 1,
                                      .warmup_steps = 0,
                                      .ramp_images = 1000,
                                      .decay = "inverse-sqrt",
                                      .reference_steps = 25};
  for (int step = 1; step < 200; ++step) {
    const double ramp = step < 100 ? step * 10 / 1000.0 : 1;
    const double decay = step > 25 ? std::sqrt(25.0 / step) : 1;
    EXPECT_NEAR(learning_rate_at(config, static_cast<std::uint64_t>(step), 0), ramp * decay, 1e-15);
  }
}

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return kernels::normal(sizes, {.seed = 5, .stream = Stream::test, .sample = 0, .step = step});
}

double square_norm(const at::Tensor& x) { return x.to(at::kDouble).square().sum().item<double>(); }

kernels::AdamwState doubles_of(const ParameterState& p) {
  const auto copied = [](const at::Tensor& x) { return x.to(at::kDouble, false, /*copy=*/true); };
  return {copied(p.master), copied(p.master), copied(p.m), copied(p.v), copied(p.ema)};
}

void expect_near(const at::Tensor& got, const at::Tensor& wanted, double tolerance) {
  EXPECT_LE((got.to(at::kDouble) - wanted).abs().max().item<double>(), tolerance);
}

// Gradients alternate between a tenth of the norm that clips and about three times it. Single
// precision rounds each step to 6e-8 of values around 1; 12 of them stay under 2e-6.
TEST(Optimizer, AgreesWithTheReferenceInDoubleOverManySteps) {
  const config::TrainingConfig config{.beta1 = 0.8,
                                      .beta2 = 0.95,
                                      .adam_eps = 1e-3,
                                      .weight_decay = 0.1,
                                      .clip_norm = 1,
                                      .ema_decay = 0.4};
  Line network(process::Prediction::eps, 6);
  TrainingState state = TrainingState::fresh(network.named_parameters());
  Optimizer optimizer(network, state);
  kernels::AdamwState scale = doubles_of(state.parameters[0]);
  kernels::AdamwState offset = doubles_of(state.parameters[1]);
  double power1 = 1;
  double power2 = 1;
  int clipped = 0;
  for (std::uint32_t n = 1; n <= 12; ++n) {
    const double size = n % 2 == 0 ? 0.03 : 1.1;
    network.scale.mutable_grad() = drawn({1}, 2 * n) * size;
    network.offset.mutable_grad() = drawn({7}, 2 * n + 1) * size;
    const double norm =
        std::sqrt(square_norm(network.scale.grad()) + square_norm(network.offset.grad()));
    ASSERT_NEAR(optimizer.gradient_norm(), norm, 1e-6 * norm);
    clipped += norm > 1 ? 1 : 0;
    power1 *= 0.8;
    power2 *= 0.95;
    const kernels::AdamwStep numbers{
        .learning_rate = 0.02f,
        .beta1 = 0.8f,
        .beta2 = 0.95f,
        .eps = 1e-3f,
        .weight_decay = 0.1f,
        .correction1 = static_cast<float>(1 - power1),
        .correction2 = static_cast<float>(1 - power2),
        .gradient_scale = static_cast<float>(norm > 1 ? 1 / norm : 1),
        .ema_decay = static_cast<float>(std::min(0.4, (1.0 + n) / (10.0 + n)))};
    kernels::adamw_step_reference(scale, network.scale.grad(), numbers);
    kernels::adamw_step_reference(offset, network.offset.grad(), numbers);
    optimizer.step(config, 0.02, optimizer.gradient_norm());
    EXPECT_EQ(state.step, n);
    for (const auto& [got, wanted] :
         {std::pair(state.parameters[0], scale), {state.parameters[1], offset}}) {
      expect_near(got.master, wanted.master, 2e-6);
      expect_near(got.m, wanted.m, 1e-6);
      expect_near(got.v, wanted.v, 1e-6);
      expect_near(got.ema, wanted.ema, 2e-6);
    }
    EXPECT_TRUE(same_bits(network.scale, state.parameters[0].master));
    EXPECT_TRUE(same_bits(network.offset, state.parameters[1].master));
  }
  EXPECT_GT(clipped, 2);
  EXPECT_LT(clipped, 10);
}

TEST(Optimizer, ClipsOnlyAboveTheNormAndNotAtAllAtZero) {
  for (const auto& [clip_norm, expected] :
       {std::pair(0.0, 8.0), {4.0, 4.0}, {8.0, 8.0}, {9.0, 8.0}}) {
    const config::TrainingConfig config{.beta1 = 0.5, .clip_norm = clip_norm};
    Line network;
    TrainingState state = TrainingState::fresh(network.named_parameters());
    Optimizer optimizer(network, state);
    network.scale.mutable_grad() = at::tensor({8.0f});
    optimizer.step(config, 1e-3, optimizer.gradient_norm());
    EXPECT_FLOAT_EQ(state.parameters[0].m.item<float>(), static_cast<float>(0.5 * expected))
        << clip_norm;
  }
}

// AdamW's first step is the learning rate; 1 - 0.999 in single precision is off by 1.3e-5 of
// itself, of which the step has half.
TEST(Optimizer, AParameterWithoutAGradientHasOneOfZero) {
  Line network;
  TrainingState state = TrainingState::fresh(network.named_parameters());
  Optimizer optimizer(network, state);
  network.scale.mutable_grad() = at::tensor({3.0f});
  EXPECT_DOUBLE_EQ(optimizer.gradient_norm(), 3);
  optimizer.step({.weight_decay = 0}, 0.1, 3);
  EXPECT_NEAR(network.scale.item<float>(), 0.2f, 1e-6);
  EXPECT_FLOAT_EQ(network.offset.item<float>(), 0.1f);
  EXPECT_EQ(state.parameters[1].m.item<float>(), 0);
}

TEST(Optimizer, AStepLeavesNoGradientBehind) {
  Line network;
  TrainingState state = TrainingState::fresh(network.named_parameters());
  Optimizer optimizer(network, state);
  network.scale.mutable_grad() = at::tensor({1.0f});
  optimizer.step({}, 0.1, 1);
  EXPECT_FALSE(network.scale.grad().defined());
  network.offset.mutable_grad() = at::tensor({1.0f});
  optimizer.clear_gradients();
  EXPECT_FALSE(network.offset.grad().defined());
  EXPECT_EQ(optimizer.gradient_norm(), 0);
}

TEST(Optimizer, AGradientThatIsNotFiniteShowsInTheNorm) {
  Line network(process::Prediction::eps, 3);
  TrainingState state = TrainingState::fresh(network.named_parameters());
  const Optimizer optimizer(network, state);
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    network.offset.mutable_grad() = at::tensor({0.0f, 1.0f, bad, 2.0f});
    EXPECT_FALSE(std::isfinite(optimizer.gradient_norm())) << bad;
  }
}

// Between 0.25 and 0.5 bfloat16 has steps of 2^-9 = 0.002: no single update of 0.0002 would move
// it.
TEST(Optimizer, SmallStepsAddUpInTheMastersOfABfloat16Network) {
  Line network(process::Prediction::eps, 0, at::kBFloat16);
  TrainingState state = TrainingState::fresh(network.named_parameters());
  Optimizer optimizer(network, state);
  const float start = network.scale.to(at::kFloat).item<float>();
  for (int i = 0; i < 30; ++i) {
    network.scale.mutable_grad() = at::full({1}, 1.0, at::kBFloat16);
    optimizer.step({}, 2e-4, optimizer.gradient_norm());
    ASSERT_TRUE(same_bits(network.scale, state.parameters[0].master.to(at::kBFloat16)));
    ASSERT_EQ(network.scale.scalar_type(), at::kBFloat16);
  }
  EXPECT_NEAR(state.parameters[0].master.item<float>(), start - 30 * 2e-4, 1e-5);
  EXPECT_LT(network.scale.to(at::kFloat).item<float>(), start - 0.0055f);
}

TEST(Optimizer, PutsTheStatesMastersIntoTheNetworkAtItsStart) {
  Line network;
  TrainingState state = TrainingState::fresh(network.named_parameters());
  state.parameters[1].master.fill_(0.75f);
  const Optimizer optimizer(network, state);
  EXPECT_EQ(network.offset.item<float>(), 0.75f);
}

TEST(Optimizer, RefusesAStateOfAnotherNetwork) {
  Line network;
  Line other(process::Prediction::eps, 3);
  TrainingState shape = TrainingState::fresh(other.named_parameters());
  EXPECT_THROW(Optimizer(network, shape), ArgumentError);
  TrainingState name = TrainingState::fresh(network.named_parameters());
  name.parameters[0].name = "slope";
  EXPECT_THROW(Optimizer(network, name), ArgumentError);
  TrainingState fewer = TrainingState::fresh({{"scale", network.scale}});
  EXPECT_THROW(Optimizer(network, fewer), ArgumentError);
}

}  // namespace
}  // namespace tinta::training
