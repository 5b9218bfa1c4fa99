#include "tinta/kernels/random.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <ostream>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/group_norm_cpu.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/isa_testing.h"
#include "tinta/kernels/random_cpu.h"

namespace tinta::kernels {
namespace {

constexpr RandomKey kKey{.seed = 7, .stream = Stream::test, .sample = 100, .step = 3};

// The same numbers from the scalar Philox and the C library's double functions.
double reference_normal(const RandomKey& key, std::int64_t index) {
  const auto words = random_block(key, static_cast<std::uint32_t>(index / 4));
  const auto half = static_cast<std::size_t>(index % 4 / 2);
  const double u = (words[2 * half] + 0.5) * 0x1p-32;
  const double angle = 2 * std::numbers::pi * words[2 * half + 1] * 0x1p-32;
  return std::sqrt(-2 * std::log(u)) * (index % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

struct NormalCase {
  Isa isa;
  std::string name;
  std::vector<std::int64_t> sizes;
  std::int64_t first;  // of the values of a row that are looked at
  double tolerance;
};
std::ostream& operator<<(std::ostream& out, const NormalCase& c) {
  return out << to_string(c.isa) << " " << c.name;
}

using FillNormalOf = OnIsa<NormalCase>;

TEST_P(FillNormalOf, IsBoxMullerOfPhiloxWords) {
  const NormalCase& c = GetParam();
  const at::Tensor x = normal(c.sizes, kKey);
  const std::int64_t length = x.size(0) == 0 ? 0 : x.numel() / x.size(0);
  for (std::int64_t row = 0; row < x.size(0); ++row) {
    RandomKey key = kKey;
    key.sample += static_cast<std::uint64_t>(row);
    const auto* values = x.const_data_ptr<float>() + row * length;
    for (std::int64_t i = c.first; i < length; ++i) {
      EXPECT_NEAR(values[i], reference_normal(key, i), c.tolerance) << row << " " << i;
    }
  }
}

// float32 alone is filled: four ulp of the largest there is, 6.8. A long row has more than 2^24
// values, whose numbers a float does not hold.
std::vector<NormalCase> normal_cases() {
  constexpr std::int64_t kMany = 1 << 24;
  std::vector<NormalCase> all;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    all.insert(all.end(), {{isa, "Rows", {3, 1001}, 0, 2e-6},
                           {isa, "One", {1, 1}, 0, 2e-6},
                           {isa, "ManyDimensions", {2, 3, 5, 7}, 0, 2e-6},
                           {isa, "ManyRows", {5000, 3}, 0, 2e-6},
                           {isa, "LongRow", {1, kMany + 4097}, kMany - 100, 2e-6},
                           {isa, "NoRows", {0, 5}, 0, 2e-6},
                           {isa, "EmptyRows", {3, 0}, 0, 2e-6}});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Shapes, FillNormalOf, testing::ValuesIn(normal_cases()),
                         [](const auto& given) {
                           return to_string(given.param.isa) + given.param.name;
                         });

TEST(FillNormal, RowsDependOnTheirSampleAlone) {
  const at::Tensor whole = normal({8, 5, 7}, kKey);
  RandomKey later = kKey;
  later.sample += 3;
  EXPECT_TRUE(at::equal(whole.slice(0, 3, 5), normal({2, 5, 7}, later)));
  at::Tensor picked = at::empty({2, 5, 7});
  fill_normal(picked, kKey, at::tensor({105, 101}, at::kLong));
  EXPECT_TRUE(at::equal(picked[0], whole[5]));
  EXPECT_TRUE(at::equal(picked[1], whole[1]));
}

TEST(FillNormal, DoesNotDependOnTheNumberOfThreads) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = normal({16, 999}, kKey);
  at::set_num_threads(2);
  EXPECT_TRUE(at::equal(one, normal({16, 999}, kKey)));
  at::set_num_threads(threads);
}

TEST(FillNormal, DiffersBetweenSeedsStreamsAndSteps) {
  const at::Tensor base = normal({1, 64}, kKey);
  for (const RandomKey& other :
       {RandomKey{8, Stream::test, 100, 3}, RandomKey{7, Stream::noise, 100, 3},
        RandomKey{7, Stream::test, 101, 3}, RandomKey{7, Stream::test, 100, 4}}) {
    EXPECT_FALSE(at::equal(base, normal({1, 64}, other)));
  }
}

// Kolmogorov-Smirnov against N(0,1) with 4e6 values: the bound 1.95 / sqrt(n) is passed by a true
// normal with probability 0.999; the seed is fixed.
TEST(FillNormal, FollowsTheNormalDistribution) {
  at::Tensor x = std::get<0>(normal({4, 1'000'000}, kKey).flatten().sort());
  const auto n = static_cast<double>(x.numel());
  const at::Tensor cdf = 0.5 * (1 + at::erf(x.to(at::kDouble) / std::numbers::sqrt2));
  const at::Tensor steps = at::arange(x.numel(), at::kDouble) / n;
  const double distance = std::max((cdf - steps).abs().max().item<double>(),
                                   (cdf - steps - 1 / n).abs().max().item<double>());
  EXPECT_LT(distance, 1.95 / std::sqrt(n));
  EXPECT_GT(x.abs().max().item<double>(), 4.5);  // P(max < 4.5 of 4e6) = 1e-12
}

TEST(FillNormal, RefusesWhatItCannotFill) {
  at::Tensor wrong = at::empty({2, 3}, at::kDouble);
  EXPECT_THROW(fill_normal(wrong, kKey), ArgumentError);
  at::Tensor strided = at::empty({4, 6}).slice(1, 0, 6, 2);
  EXPECT_THROW(fill_normal(strided, kKey), ArgumentError);
}

TEST(FillDropout, RefusesAProbabilityOfOneAndLessThanNone) {
  at::Tensor mask = at::empty({2, 3});
  EXPECT_THROW(fill_dropout(mask, kKey, 1.0), ArgumentError);
  EXPECT_THROW(fill_dropout(mask, kKey, -0.1), ArgumentError);
}

using EachIsa = OnIsa<Isa>;
INSTANTIATE_TEST_SUITE_P(Random, EachIsa, testing::Values(Isa::portable, Isa::avx2, Isa::avx512),
                         isa_name);

// 10^6 draws: the share dropped is within 5 standard errors, missed with probability 6e-7.
TEST_P(EachIsa, DropoutDropsTheAskedShareAndScalesTheRest) {
  at::Tensor mask = at::empty({10, 100'000});
  for (const double p : {0.0, 0.1, 0.5, 0.999}) {
    fill_dropout(mask, kKey, p);
    const double dropped = (mask == 0).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(dropped, p, 5 * std::sqrt(p * (1 - p) / 1e6));
    const at::Tensor kept = mask.masked_select(mask != 0);
    EXPECT_TRUE((kept == static_cast<float>(1 / (1 - p))).all().item<bool>()) << p;
  }
}

at::Tensor applied(void (*row)(const float*, float*, std::int64_t), const at::Tensor& x) {
  const at::Tensor in = x.to(at::kFloat);
  at::Tensor out = at::empty_like(in);
  row(in.const_data_ptr<float>(), out.mutable_data_ptr<float>(), in.numel());
  return out;
}

struct SineAndCosine {
  at::Tensor sin, cos;
};
SineAndCosine of_turns(const at::Tensor& x) {
  const at::Tensor turns = x.to(at::kLong).to(at::kUInt32);
  SineAndCosine both{at::empty(x.sizes()), at::empty(x.sizes())};
  random_kernels().sin_cos_row(turns.const_data_ptr<std::uint32_t>(),
                               both.sin.mutable_data_ptr<float>(),
                               both.cos.mutable_data_ptr<float>(), x.numel());
  return both;
}
at::Tensor angle_of(const at::Tensor& x) { return 2 * std::numbers::pi * 0x1p-32 * x; }

/// A function of vector_math.h, in float32 alone, and what its error stays below.
struct Elementary {
  std::string name;
  at::Tensor (*x)();  // in double, but values that a float, or a turn, holds
  at::Tensor (*computed)(const at::Tensor& x);
  at::Tensor (*exact)(const at::Tensor& x);
  double relative;
  double absolute;
};

struct ElementaryCase {
  Isa isa;
  Elementary function;
};
std::ostream& operator<<(std::ostream& out, const ElementaryCase& c) {
  return out << to_string(c.isa) << " " << c.function.name;
}

using ElementaryFunction = OnIsa<ElementaryCase>;

TEST_P(ElementaryFunction, StaysWithinItsStatedError) {
  const Elementary& f = GetParam().function;
  const at::Tensor x = f.x();
  const at::Tensor got = f.computed(x).to(at::kDouble);
  const at::Tensor wanted = f.exact(x);
  const at::Tensor bound = f.absolute + f.relative * wanted.abs();
  const at::Tensor error = (got - wanted).abs() / bound;
  EXPECT_LE(error.max().item<double>(), 1) << "at " << x[error.argmax()].item<double>();
}

std::vector<ElementaryCase> elementary_cases() {
  const std::vector<Elementary> functions = {
      {"Exp", [] { return at::arange(-8600, 8601, at::kFloat).mul(0.01f).to(at::kDouble); },
       [](const at::Tensor& x) { return applied(random_kernels().exp_row, x); },
       [](const at::Tensor& x) { return x.exp(); }, 3e-7, 0},
      {"Log", [] { return at::arange(1, 20000, at::kFloat).mul(0.0005f).to(at::kDouble); },
       [](const at::Tensor& x) { return applied(random_kernels().log_row, x); },
       [](const at::Tensor& x) { return x.log(); }, 2.4e-7, 1e-7},
      {"Sine", [] { return at::arange(100000, at::kDouble) * 42949; },
       [](const at::Tensor& x) { return of_turns(x).sin; },
       [](const at::Tensor& x) { return angle_of(x).sin(); }, 0, 1.5e-7},
      {"Cosine", [] { return at::arange(100000, at::kDouble) * 42949; },
       [](const at::Tensor& x) { return of_turns(x).cos; },
       [](const at::Tensor& x) { return angle_of(x).cos(); }, 0, 1.5e-7}};
  std::vector<ElementaryCase> all;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    for (const Elementary& function : functions) all.push_back({isa, function});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Random, ElementaryFunction, testing::ValuesIn(elementary_cases()),
                         [](const auto& given) {
                           return to_string(given.param.isa) + given.param.function.name;
                         });

// Every sign, exponent and upper half of a float, with one lower half.
at::Tensor floats_with(std::int32_t low) {
  return (at::arange(1 << 16, at::kInt) * 65536 + low).view(at::kFloat);
}
// Halves that round down, tie and round up.
constexpr std::int32_t kLows[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};

using ToBfloat16 = void (*)(const float*, std::uint16_t*, std::int64_t);
at::Tensor rounded(ToBfloat16 row, const at::Tensor& x) {
  at::Tensor halves = at::empty(x.sizes(), at::kBFloat16);
  row(x.const_data_ptr<float>(), static_cast<std::uint16_t*>(halves.mutable_data_ptr()), x.numel());
  return halves;
}

TEST_P(EachIsa, RoundsToBfloat16AsTorchDoes) {
  for (const std::int32_t low : kLows) {
    const at::Tensor x = floats_with(low);
    const at::Tensor got = rounded(random_kernels().to_bf16_row, x);
    const at::Tensor same = got.view(at::kShort) == x.to(at::kBFloat16).view(at::kShort);
    EXPECT_TRUE(at::equal(got.isnan(), x.isnan())) << low;
    EXPECT_TRUE(same.logical_or(x.isnan()).all().item<bool>()) << low;
  }
}

// What writes weights rounds by software, what reads them may round by hardware: group norm's table
// has the processor's own rounding, which differs in denormals and in the payload of a NaN alone.
TEST_P(EachIsa, RoundsToBfloat16AsTheProcessorDoes) {
  const ToBfloat16 software = random_kernels().to_bf16_row;
  force_isa(best_isa());
  const ToBfloat16 hardware = group_norm_kernels().to_hardware_bf16_row;
  if (hardware == nullptr || !has_bf16()) GTEST_SKIP() << "this processor lacks AVX-512 BF16";
  for (const std::int32_t low : kLows) {
    const at::Tensor x = floats_with(low);
    const at::Tensor same =
        rounded(software, x).view(at::kShort) == rounded(hardware, x).view(at::kShort);
    const at::Tensor tiny = x.abs() < 0x1p-126f;
    EXPECT_TRUE(same.logical_or(x.isnan()).logical_or(tiny).all().item<bool>()) << low;
  }
}

TEST_P(EachIsa, NormalsAndDropoutAreTheSameBits) {
  at::Tensor mask = at::empty({3, 1001});
  fill_dropout(mask, kKey, 0.3);
  const at::Tensor here = normal({3, 1001}, kKey);
  force_isa(Isa::portable);
  EXPECT_TRUE(at::equal(here, normal({3, 1001}, kKey)));
  at::Tensor portable = at::empty({3, 1001});
  fill_dropout(portable, kKey, 0.3);
  EXPECT_TRUE(at::equal(mask, portable));
}

}  // namespace
}  // namespace tinta::kernels
