#include "tinta/kernels/random.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
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

TEST(FillNormal, IsBoxMullerOfPhiloxWords) {
  const at::Tensor x = normal({3, 1001}, kKey);
  for (std::int64_t row = 0; row < 3; ++row) {
    RandomKey key = kKey;
    key.sample += static_cast<std::uint64_t>(row);
    for (std::int64_t i = 0; i < 1001; ++i) {
      EXPECT_NEAR(x[row][i].item<float>(), reference_normal(key, i), 2e-6) << row << " " << i;
    }
  }
}

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

// 10^6 draws: the share dropped is within 5 standard errors, missed with probability 6e-7.
TEST(FillDropout, DropsTheAskedShareAndKeepsTheMean) {
  at::Tensor mask = at::empty({10, 100'000});
  fill_dropout(mask, kKey, 0.1);
  const double dropped = (mask == 0).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(dropped, 0.1, 5 * std::sqrt(0.09 / 1e6));
  EXPECT_NEAR(mask.max().item<double>(), 1 / 0.9, 1e-6);
  EXPECT_THROW(fill_dropout(mask, kKey, 1.0), ArgumentError);
}

class EachIsa : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > best_isa()) GTEST_SKIP() << "this processor lacks " << to_string(GetParam());
    force_isa(GetParam());
  }
  void TearDown() override { force_isa(best_isa()); }
};

TEST_P(EachIsa, ElementaryFunctionsStayWithinTheirStatedErrors) {
  const RandomKernels& kernels = random_kernels();
  for (int i = -8600; i <= 8600; ++i) {
    const float x = static_cast<float>(i) * 0.01f;
    float y = 0;
    kernels.exp_row(&x, &y, 1);
    EXPECT_NEAR(y / std::exp(static_cast<double>(x)), 1, 3e-7) << x;
  }
  for (int i = 1; i < 20000; ++i) {
    const float x = static_cast<float>(i) * 0.0005f;
    const double wanted = std::log(static_cast<double>(x));
    float y = 0;
    kernels.log_row(&x, &y, 1);
    EXPECT_NEAR(y, wanted, 1e-7 + 2.4e-7 * std::abs(wanted));
  }
  for (std::uint32_t i = 0; i < 100000; ++i) {
    const std::uint32_t turn = i * 42949u;
    const double angle = 2 * std::numbers::pi * turn * 0x1p-32;
    float sine = 0;
    float cosine = 0;
    kernels.sin_cos_row(&turn, &sine, &cosine, 1);
    EXPECT_NEAR(sine, std::sin(angle), 1.5e-7);
    EXPECT_NEAR(cosine, std::cos(angle), 1.5e-7);
  }
}

TEST_P(EachIsa, RoundsToBfloat16AsTorchDoes) {
  const at::Tensor x = at::cat({normal({1, 4096}, kKey).flatten() * 1e3,
                                at::tensor({0.0f, -0.0f, INFINITY, -INFINITY, NAN, 3.3895e38f})});
  const at::Tensor expected = x.to(at::kBFloat16);
  at::Tensor got = at::empty_like(expected);
  random_kernels().to_bf16_row(x.const_data_ptr<float>(),
                               static_cast<std::uint16_t*>(got.mutable_data_ptr()), x.numel());
  EXPECT_TRUE(at::allclose(got.to(at::kFloat), expected.to(at::kFloat), 0, 0, /*equal_nan=*/true));
}

TEST_P(EachIsa, NormalsAreTheSameBits) {
  const at::Tensor here = normal({3, 1001}, kKey);
  force_isa(Isa::portable);
  EXPECT_TRUE(at::equal(here, normal({3, 1001}, kKey)));
}

INSTANTIATE_TEST_SUITE_P(Random, EachIsa, testing::Values(Isa::portable, Isa::avx2, Isa::avx512),
                         [](const auto& instance) { return to_string(instance.param); });

}  // namespace
}  // namespace tinta::kernels
