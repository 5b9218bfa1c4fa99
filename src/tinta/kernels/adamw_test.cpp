#include "tinta/kernels/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/isa_testing.h"
#include "tinta/kernels/random.h"

namespace tinta::kernels {
namespace {

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  const RandomKey key{.seed = 3, .stream = Stream::test, .sample = 0, .step = step};
  return normal({1, c10::multiply_integers(sizes)}, key).view(sizes);  // one row is fastest
}

AdamwState fresh(at::IntArrayRef sizes, at::ScalarType dtype) {
  const at::Tensor start = drawn(sizes, 0);
  return {start.to(dtype, false, true), start.clone(), at::zeros(sizes), at::zeros(sizes),
          start.clone()};
}

AdamwStep numbers(int step, float gradient_scale = 0.7f) {
  return {.learning_rate = 1e-2f,
          .weight_decay = 0.1f,
          .correction1 = static_cast<float>(1 - std::pow(0.9, step)),
          .correction2 = static_cast<float>(1 - std::pow(0.999, step)),
          .gradient_scale = gradient_scale,
          .ema_decay = 0.95f};
}

void expect_equal(const AdamwState& got, const AdamwState& wanted) {
  EXPECT_TRUE(at::equal(got.weight, wanted.weight));
  EXPECT_TRUE(at::equal(got.master, wanted.master));
  EXPECT_TRUE(at::equal(got.m, wanted.m));
  EXPECT_TRUE(at::equal(got.v, wanted.v));
  EXPECT_TRUE(at::equal(got.ema, wanted.ema));
}

double error_of(const at::Tensor& got, const at::Tensor& wanted) {
  EXPECT_EQ(got.sizes(), wanted.sizes());
  if (wanted.numel() == 0) return 0;
  const double largest = std::max(wanted.abs().max().item<double>(), 1e-30);
  return (got - wanted).abs().max().item<double>() / largest;
}

struct Case {
  Isa isa;
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> sizes;
  double scale;          // of the gradients
  float gradient_scale;  // of the step
  double tolerance;      // relative to the largest value of each array
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << to_string(c.isa) << " " << c.name;
}

class AdamwOf : public OnIsa<Case> {};

TEST_P(AdamwOf, AgreesWithTheReferenceInDouble) {
  const Case& c = GetParam();
  AdamwState fused = fresh(c.sizes, c.dtype);
  AdamwState plain = fresh(c.sizes, c.dtype);
  for (int i = 1; i <= 20; ++i) {
    const at::Tensor gradient =
        (drawn(c.sizes, static_cast<std::uint32_t>(i)) * c.scale).to(c.dtype);
    adamw_step(fused, gradient, numbers(i, c.gradient_scale));
    adamw_step_reference(plain, gradient, numbers(i, c.gradient_scale));
  }
  EXPECT_LT(error_of(fused.master, plain.master), c.tolerance);
  EXPECT_LT(error_of(fused.m, plain.m), c.tolerance);
  EXPECT_LT(error_of(fused.v, plain.v), c.tolerance);
  EXPECT_LT(error_of(fused.ema, plain.ema), c.tolerance);
  EXPECT_TRUE(at::equal(fused.weight, fused.master.to(c.dtype)));
}

// The state is float32 whatever the weights are, and both sides see the same gradients: twenty
// steps of some roundings, 6e-8 each.
std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](Isa isa, const std::string& type, at::ScalarType dtype, double tolerance) {
    all.insert(all.end(), {{isa, type + "One", dtype, {1}, 1, 0.7f, tolerance},
                           {isa, type + "Odd", dtype, {17}, 1, 0.7f, tolerance},
                           {isa, type + "Kernel", dtype, {8, 4, 3, 3}, 1, 0.7f, tolerance},
                           {isa, type + "Chunks", dtype, {70001}, 1, 0.7f, tolerance},
                           {isa, type + "Empty", dtype, {0}, 1, 0.7f, tolerance},
                           {isa, type + "EmptyRows", dtype, {3, 0, 5}, 1, 0.7f, tolerance}});
    if (dtype == at::kHalf) return;  // holds neither of these
    all.insert(all.end(), {{isa, type + "Denormal", dtype, {33}, 1e-40, 0.7f, tolerance},
                           {isa, type + "Clipped", dtype, {33}, 1e30, 1e-30f, tolerance}});
  };
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    add(isa, "Fp32", at::kFloat, 2e-6);
    add(isa, "Bf16", at::kBFloat16, 2e-6);
    add(isa, "Fp16", at::kHalf, 2e-6);
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Shapes, AdamwOf, testing::ValuesIn(cases()), [](const auto& given) {
  return to_string(given.param.isa) + given.param.name;
});

struct Way {
  Isa isa;
  at::ScalarType dtype;
};
std::ostream& operator<<(std::ostream& out, const Way& way) {
  return out << to_string(way.isa) << " " << way.dtype;
}

class AdamwOn : public OnIsa<Way> {
 protected:
  static AdamwState after_three_steps() {
    const at::ScalarType dtype = GetParam().dtype;
    AdamwState state = fresh({50001}, dtype);
    for (int i = 1; i <= 3; ++i) {
      adamw_step(state, drawn({50001}, static_cast<std::uint32_t>(i)).to(dtype), numbers(i));
    }
    return state;
  }
};

TEST_P(AdamwOn, IsTheSameBitsForAnyThreadsAndInstructionSet) {
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  const AdamwState here = after_three_steps();
  at::set_num_threads(1);
  force_isa(Isa::portable);
  expect_equal(here, after_three_steps());
  at::set_num_threads(threads);
}

// In whole vectors and in the part of one at the end.
TEST_P(AdamwOn, WhatIsNotFiniteStaysWithItsParameterAsInTheReference) {
  const at::ScalarType dtype = GetParam().dtype;
  const at::Tensor harmless = drawn({41}, 1).to(dtype);
  at::Tensor gradient = harmless.clone();
  gradient[3] = NAN;
  gradient[20] = INFINITY;
  gradient[40] = -INFINITY;
  AdamwState fused = fresh({41}, dtype);
  AdamwState plain = fresh({41}, dtype);
  AdamwState without = fresh({41}, dtype);
  adamw_step(fused, gradient, numbers(1));
  adamw_step_reference(plain, gradient, numbers(1));
  adamw_step(without, harmless, numbers(1));
  const at::Tensor nan = fused.weight.isnan();
  EXPECT_EQ(nan.sum().item<std::int64_t>(), 3);
  EXPECT_TRUE(at::equal(nan, plain.weight.isnan()));
  EXPECT_TRUE(at::equal(fused.master.masked_select(nan.logical_not()),
                        without.master.masked_select(nan.logical_not())));
}

std::vector<Way> ways() {
  std::vector<Way> all;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
      all.push_back({isa, dtype});
    }
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Ways, AdamwOn, testing::ValuesIn(ways()), [](const auto& given) {
  return to_string(given.param.isa) + c10::toString(given.param.dtype);
});

// More than 2^24, whose numbers a float does not hold. Every row is the one row of a small step,
// and their length is a prime, so that a value taken from another place is another value.
// float16 is left out: it would be widened first, to more memory than a test may have.
TEST(Adamw, StepsEachOfMoreThan2To24Parameters) {
  constexpr std::int64_t kSide = 4099;
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const auto many = [](const at::Tensor& row) {
      return row.expand({kSide, kSide}).clone(at::MemoryFormat::Contiguous);
    };
    AdamwState row = fresh({1, kSide}, dtype);
    AdamwState all{many(row.weight), many(row.master), many(row.m), many(row.v), many(row.ema)};
    const at::Tensor gradient = drawn({1, kSide}, 1).to(dtype);
    const int threads = at::get_num_threads();
    at::set_num_threads(2);
    adamw_step(all, many(gradient), numbers(1));
    at::set_num_threads(threads);
    adamw_step(row, gradient, numbers(1));
    EXPECT_TRUE((all.weight == row.weight).all().item<bool>()) << dtype;
    EXPECT_TRUE((all.master == row.master).all().item<bool>()) << dtype;
    EXPECT_TRUE((all.m == row.m).all().item<bool>()) << dtype;
    EXPECT_TRUE((all.v == row.v).all().item<bool>()) << dtype;
    EXPECT_TRUE((all.ema == row.ema).all().item<bool>()) << dtype;
  }
}

TEST(Adamw, FirstStepMovesByTheLearningRate) {
  AdamwState state = fresh({100}, at::kFloat);
  const at::Tensor before = state.master.clone();
  const at::Tensor gradient = drawn({100}, 1);
  adamw_step(state, gradient, {.learning_rate = 1e-3f, .correction1 = 0.1f, .correction2 = 1e-3f});
  EXPECT_TRUE(at::allclose(before - state.master, 1e-3 * gradient.sign(), 1e-3, 1e-6));
}

TEST(Adamw, RefusesStateThatDoesNotFit) {
  AdamwState state = fresh({4, 4}, at::kFloat);
  EXPECT_THROW(adamw_step(state, at::zeros({4, 4}, at::kBFloat16), {}), ArgumentError);
  EXPECT_THROW(adamw_step(state, at::zeros({4, 5}), {}), ArgumentError);
  state.m = at::zeros({4, 8}).slice(1, 0, 8, 2);
  EXPECT_THROW(adamw_step(state, at::zeros({4, 4}), {}), ArgumentError);
}

TEST(Adamw, TakesAGradientOfAnotherLayout) {
  AdamwState plain = fresh({8, 4, 3, 3}, at::kFloat);
  AdamwState other = fresh({8, 4, 3, 3}, at::kFloat);
  const at::Tensor gradient = drawn({8, 4, 3, 3}, 1);
  adamw_step(plain, gradient, numbers(1));
  adamw_step(other, gradient.contiguous(at::MemoryFormat::ChannelsLast), numbers(1));
  EXPECT_TRUE(at::equal(plain.master, other.master));
}

// With the numbers on the device: the CPU's form of it.
TEST(LiveAdamw, ChangesNothingWhereAGradientOrTheLossIsNotFinite) {
  const at::Tensor fine = drawn({41}, 1);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    at::Tensor gradient = fine.clone();
    gradient[40] = bad;
    for (const bool in_loss : {false, true}) {
      std::vector<AdamwState> states{fresh({41}, at::kFloat), fresh({41}, at::kFloat)};
      LiveStep live = make_live_step(at::kCPU);
      write_live_step(live, numbers(1));
      adamw_steps(states, {fine, in_loss ? fine : gradient}, live, /*clip_norm=*/1,
                  at::scalar_tensor(in_loss ? bad : 1.0f, at::kFloat));
      EXPECT_FALSE(std::isfinite(live.square_sum.item<double>())) << bad;
      for (const AdamwState& state : states) expect_equal(state, fresh({41}, at::kFloat));
    }
  }
}

struct SumCase {
  Isa isa;
  at::ScalarType dtype;
  double tolerance;  // relative
};
std::ostream& operator<<(std::ostream& out, const SumCase& c) {
  return out << to_string(c.isa) << " " << c.dtype;
}

class SquareSumOf : public OnIsa<SumCase> {};

// Runs of 512 in float, 32 of them to a lane: 6e-8 each, and their signs differ.
std::vector<SumCase> sum_cases() {
  std::vector<SumCase> all;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    all.push_back({isa, at::kFloat, 1e-6});
    all.push_back({isa, at::kBFloat16, 1e-6});
    all.push_back({isa, at::kHalf, 1e-6});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Types, SquareSumOf, testing::ValuesIn(sum_cases()), [](const auto& given) {
  return to_string(given.param.isa) + c10::toString(given.param.dtype);
});

TEST_P(SquareSumOf, AgreesWithDoubleArithmetic) {
  for (const std::int64_t count : {0, 1, 15, 512, 16384, 100003}) {
    const at::Tensor x = (drawn({count}, 9) + 3).to(GetParam().dtype);
    const double wanted = x.to(at::kDouble).square().sum().item<double>();
    EXPECT_NEAR(square_sum(x), wanted, GetParam().tolerance * wanted) << count;
  }
}

TEST_P(SquareSumOf, IsTheSameBitsOnEveryInstructionSet) {
  const at::Tensor x = drawn({100003}, 9).to(GetParam().dtype);
  const double here = square_sum(x);
  force_isa(Isa::portable);
  EXPECT_EQ(here, square_sum(x));
}

// A step that diverges must not pass for one of finite gradients. Squares are taken in float.
TEST_P(SquareSumOf, IsNotFiniteWhereASquareIsNot) {
  for (const float value : {NAN, INFINITY, -INFINITY, 1e30f}) {
    for (const std::int64_t place : {0, 530, 1000}) {
      at::Tensor x = drawn({1001}, 9).to(GetParam().dtype);
      x[place] = value;
      EXPECT_FALSE(std::isfinite(square_sum(x))) << value << " at " << place;
    }
  }
}

TEST_P(SquareSumOf, DenormalsAddNothingThatCounts) {
  const double sum = square_sum(at::full({1001}, 1e-40, GetParam().dtype));
  EXPECT_GE(sum, 0);
  EXPECT_LT(sum, 1001 * 1e-45);  // the least that a float holds, of each
}

// Exact, because runs of 512 ones are.
TEST(SquareSum, CountsEachOfMoreThan2To24Values) {
  constexpr std::int64_t kCount = (1 << 24) + 4097;
  EXPECT_EQ(square_sum(at::ones({kCount})), static_cast<double>(kCount));
  EXPECT_EQ(square_sum(at::ones({kCount}, at::kBFloat16)), static_cast<double>(kCount));
}

}  // namespace
}  // namespace tinta::kernels
