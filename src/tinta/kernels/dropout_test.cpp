#include "tinta/kernels/dropout.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/group_norm.h"
#include "tinta/kernels/group_norm_dropout.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/isa_testing.h"
#include "tinta/kernels/random.h"

namespace tinta::kernels {
namespace {

constexpr RandomKey kKey{
    .seed = 0x123456789ABCDEF0u, .stream = Stream::dropout, .sample = 0x00A1B2C3D4E5F6u, .step = 3};

using Shapes = std::vector<std::vector<std::int64_t>>;

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return normal(sizes, {.seed = 5, .stream = Stream::test, .sample = 0, .step = step});
}

using DropoutOn = OnIsa<Isa>;
INSTANTIATE_TEST_SUITE_P(Isas, DropoutOn, testing::Values(Isa::portable, Isa::avx2, Isa::avx512),
                         isa_name);

struct Case {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> sizes;
  double tolerance;
};

struct IsaCase {
  Isa isa;
  Case of;
};
std::ostream& operator<<(std::ostream& out, const IsaCase& c) {
  return out << to_string(c.isa) << " " << c.of.name;
}

std::vector<IsaCase> on(const std::vector<Isa>& isas, const std::vector<Case>& cases) {
  std::vector<IsaCase> all;
  for (const Isa isa : isas) {
    for (const Case& c : cases) all.push_back({isa, c});
  }
  return all;
}

using DropoutCase = OnIsa<IsaCase>;

// Against the scalar Philox of core, word by word.
TEST_P(DropoutOn, KeepsWhereThePhiloxWordIsAtLeastP) {
  const at::Tensor samples =
      at::tensor({std::int64_t{7}, std::int64_t{0x1234567890ABCD}, std::int64_t{0}}, at::kLong);
  for (const std::int64_t places : {0, 1, 63, 64, 65, 1000}) {
    const at::Tensor bits = dropout_bits(3, places, {.p = 0.3, .first = kKey, .samples = samples});
    ASSERT_GT(bits.size(1) * 64, places + 31);  // what a vector at the end may read
    for (std::int64_t row = 0; row < 3; ++row) {
      RandomKey key = kKey;
      key.sample = static_cast<std::uint64_t>(samples[row].item<std::int64_t>());
      const auto* words = bits.const_data_ptr<std::int64_t>() + row * bits.size(1);
      for (std::int64_t i = 0; i < places; ++i) {
        const bool kept = (static_cast<std::uint64_t>(words[i / 64]) >> (i % 64) & 1u) != 0;
        const double word = random_word(key, static_cast<std::uint32_t>(i));
        ASSERT_EQ(kept, word >= std::floor(0.3 * 0x1p32)) << "row " << row << ", place " << i;
      }
    }
  }
}

struct Outcome {
  at::Tensor y, dx;
};
template <class F>
Outcome run(const F& f, const at::Tensor& x, const at::Tensor& dy) {
  const at::Tensor leaf = x.detach().clone().requires_grad_(true);
  const at::Tensor y = f(leaf);
  y.backward(dy);
  return {y.detach(), leaf.grad()};
}

TEST_P(DropoutOn, IsTheReferenceToTheBitInFloat32) {
  const Dropout which{.p = 0.1, .first = kKey};
  for (const std::vector<std::int64_t>& sizes :
       Shapes{{3, 32, 7, 5}, {2, 15, 3, 3}, {5, 1, 1, 1}, {0, 8, 4, 4}, {1, 128, 32, 32}}) {
    const at::Tensor x = drawn(sizes, 0);
    const at::Tensor dy = drawn(sizes, 1);
    const Outcome got = run([&](const at::Tensor& t) { return dropout(t, which); }, x, dy);
    const Outcome wanted =
        run([&](const at::Tensor& t) { return dropout_reference(t, which); }, x, dy);
    EXPECT_TRUE(at::equal(got.y, wanted.y));
    EXPECT_TRUE(at::equal(got.dx, wanted.dx));
  }
}

class DropoutOf : public DropoutCase {};

TEST_P(DropoutOf, RoundsOnce) {
  const auto& [name, dtype, sizes, tolerance] = GetParam().of;
  const Dropout which{.p = 0.1, .first = kKey};
  const at::Tensor x = drawn(sizes, 0).to(dtype);
  const Outcome got = run([&](const at::Tensor& t) { return dropout(t, which); }, x, x);
  const at::Tensor wanted = dropout_reference(x.to(at::kDouble), which);
  for (const at::Tensor& each : {got.y, got.dx}) {
    EXPECT_TRUE(
        ((each.to(at::kDouble) - wanted).abs() <= tolerance * wanted.abs()).all().item<bool>());
  }
}

// Of each value, relative to it: one rounding, 2^-24 or 2^-8 of a value at most. (The plain form in
// bfloat16 rounds the scale as well.) A bfloat16 is rounded from a float.
INSTANTIATE_TEST_SUITE_P(
    Shapes, DropoutOf,
    testing::ValuesIn(on({Isa::portable, Isa::avx2, Isa::avx512},
                         {{"Fp32", at::kFloat, {3, 33, 5, 5}, 0x1p-24},
                          {"Fp32One", at::kFloat, {5, 1, 1, 1}, 0x1p-24},
                          {"Fp32Empty", at::kFloat, {0, 3, 4, 4}, 0x1p-24},
                          {"Fp32Batch", at::kFloat, {5000, 3, 2, 2}, 0x1p-24},
                          {"Bf16", at::kBFloat16, {3, 33, 5, 5}, 0x1.0001p-8},
                          {"Bf16One", at::kBFloat16, {5, 1, 1, 1}, 0x1.0001p-8},
                          {"Bf16Empty", at::kBFloat16, {0, 3, 4, 4}, 0x1.0001p-8},
                          {"Bf16Batch", at::kBFloat16, {5000, 3, 2, 2}, 0x1.0001p-8}})),
    [](const auto& given) { return to_string(given.param.isa) + given.param.of.name; });

GroupNormInputs inputs_of(at::IntArrayRef sizes, at::ScalarType dtype) {
  const std::int64_t channels = sizes[1];
  return {drawn(sizes, 0).to(dtype), drawn({sizes[0], channels}, 1).to(dtype),
          (1 + 0.3 * drawn({1, channels}, 2)[0]).to(dtype),
          (0.3 * drawn({1, channels}, 3)[0]).to(dtype)};
}

struct Gradients {
  at::Tensor y, x, shift, gamma, beta;
  [[nodiscard]] std::vector<at::Tensor> all() const { return {y, x, shift, gamma, beta}; }
};

template <class F>
Gradients run_norm(const F& f, const GroupNormInputs& given, const at::Tensor& dy) {
  const auto leaf = [](const at::Tensor& t) { return t.detach().clone().requires_grad_(true); };
  const GroupNormInputs in{leaf(given.x), leaf(given.shift), leaf(given.gamma), leaf(given.beta)};
  const at::Tensor y = f(in);
  y.backward(dy.to(y.scalar_type()));
  return {y.detach(), in.x.grad(), in.shift.grad(), in.gamma.grad(), in.beta.grad()};
}

// In float32 nothing is rounded in another place than by the two one after the other.
TEST_P(DropoutOn, FusedWithGroupNormIsBothInTurnToTheBitInFloat32) {
  const Dropout which{.p = 0.2, .first = kKey};
  for (const Activation activation : {Activation::silu, Activation::none}) {
    for (const std::vector<std::int64_t>& sizes :
         Shapes{{3, 64, 9, 7}, {2, 15, 5, 3}, {2, 6, 3, 3}, {0, 8, 4, 4}}) {
      const std::int64_t groups = sizes[1] == 15 ? 3 : sizes[1] == 6 ? 6 : 8;
      const GroupNormOptions options{.groups = groups, .eps = 1e-5, .activation = activation};
      const GroupNormInputs in = inputs_of(sizes, at::kFloat);
      const at::Tensor dy = drawn(sizes, 4);
      const Gradients got =
          run_norm([&](const GroupNormInputs& i) { return group_norm(i, options, which); }, in, dy);
      const Gradients wanted = run_norm(
          [&](const GroupNormInputs& i) {
            return dropout_reference(group_norm(i.x, i.shift, i.gamma, i.beta, options), which);
          },
          in, dy);
      for (std::size_t i = 0; i < got.all().size(); ++i) {
        EXPECT_TRUE(at::equal(got.all()[i], wanted.all()[i])) << i << " " << sizes[1];
      }
    }
  }
}

class DropoutWithGroupNorm : public DropoutCase {};

TEST_P(DropoutWithGroupNorm, IsNearTheReferenceInDouble) {
  const auto& [name, dtype, sizes, tolerance] = GetParam().of;
  const Dropout which{.p = 0.2, .first = kKey};
  const GroupNormOptions options{
      .groups = sizes[1] % 8 == 0 ? 8 : 3, .eps = 1e-5, .activation = Activation::silu};
  const GroupNormInputs in = inputs_of(sizes, dtype);
  const at::Tensor dy = drawn(sizes, 4).to(dtype);
  const Gradients got =
      run_norm([&](const GroupNormInputs& i) { return group_norm(i, options, which); }, in, dy);
  const GroupNormInputs wide{in.x.to(at::kDouble), in.shift.to(at::kDouble),
                             in.gamma.to(at::kDouble), in.beta.to(at::kDouble)};
  const Gradients wanted = run_norm(
      [&](const GroupNormInputs& i) {
        return dropout_reference(group_norm_reference(i.x, i.shift, i.gamma, i.beta, options),
                                 which);
      },
      wide, dy);
  for (std::size_t i = 0; i < got.all().size(); ++i) {
    const at::Tensor exact = wanted.all()[i];
    ASSERT_EQ(got.all()[i].sizes(), exact.sizes()) << i;
    if (exact.numel() == 0) continue;
    const double largest = std::max(exact.abs().max().item<double>(), 1e-3);
    EXPECT_LT((got.all()[i].to(at::kDouble) - exact).abs().max().item<double>() / largest,
              tolerance)
        << i;
  }
}

// Of every result, relative to its largest value.
INSTANTIATE_TEST_SUITE_P(
    Shapes, DropoutWithGroupNorm,
    testing::ValuesIn(on({Isa::portable, Isa::avx2, Isa::avx512_without_bf16, Isa::avx512},
                         {{"Fp32", at::kFloat, {3, 40, 6, 7}, 1e-5},
                          {"Fp32OddSizes", at::kFloat, {2, 15, 5, 3}, 1e-5},
                          {"Fp32Empty", at::kFloat, {0, 8, 4, 4}, 1e-5},
                          {"Bf16", at::kBFloat16, {3, 40, 6, 7}, 1e-2},
                          {"Bf16OddSizes", at::kBFloat16, {2, 15, 5, 3}, 1e-2},
                          {"Bf16Empty", at::kBFloat16, {0, 8, 4, 4}, 1e-2}})),
    [](const auto& given) { return to_string(given.param.isa) + given.param.of.name; });

// A linear map: its gradient is its matrix, which central differences give exactly.
TEST(DropoutReference, GradientAgreesWithFiniteDifferences) {
  const Dropout which{.p = 0.4, .first = kKey};
  const at::Tensor x = drawn({2, 3, 2, 2}, 0).to(at::kDouble);
  const at::Tensor dy = drawn({2, 3, 2, 2}, 1).to(at::kDouble);
  const Outcome got = run([&](const at::Tensor& t) { return dropout_reference(t, which); }, x, dy);
  const auto value = [&] { return (dropout_reference(x, which) * dy).sum().item<double>(); };
  const at::Tensor flat = got.dx.contiguous().view(-1);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    at::Tensor place = x.view(-1)[i];
    place += 1e-3;
    const double up = value();
    place -= 2e-3;
    const double down = value();
    place += 1e-3;
    EXPECT_NEAR((up - down) / 2e-3, flat[i].item<double>(), 1e-9);
  }
}

// More than 2^24, whose numbers a float does not hold.
TEST(DropoutFused, IsTheReferenceInMoreThan2To24PlacesOfOnePicture) {
  constexpr std::int64_t kSide = 4099;
  const Dropout which{.p = 0.3, .first = kKey};
  const at::Tensor x = at::ones({1, 1, kSide, kSide});
  const at::Tensor y = dropout(x, which);
  EXPECT_TRUE(at::equal(y, dropout_reference(x, which)));
  const auto* values = y.const_data_ptr<float>();
  for (const std::int64_t start : {std::int64_t{1} << 24, kSide * kSide - 100}) {
    for (std::int64_t i = start; i < start + 100; ++i) {
      const double word = random_word(kKey, static_cast<std::uint32_t>(i));
      EXPECT_EQ(values[i] != 0, word >= std::floor(0.3 * 0x1p32)) << i;
    }
  }
}

TEST(DropoutFused, WhatIsDroppedIsZeroWhateverItWas) {
  const Dropout which{.p = 0.5, .first = kKey};
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor dropped = dropout(at::ones({2, 19, 3, 3}, dtype), which) == 0;
    for (const float value : {NAN, INFINITY, 1e30f}) {
      const at::Tensor y = dropout(at::full({2, 19, 3, 3}, value, dtype), which);
      EXPECT_TRUE(at::equal(y == 0, dropped)) << value << " " << dtype;
    }
  }
}

TEST(DropoutFused, RowsDependOnTheirSampleAloneAndNotOnThreads) {
  const at::Tensor x = at::ones({7, 32, 5, 5});
  const Dropout which{.p = 0.5, .first = kKey};
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = dropout(x, which);
  at::set_num_threads(3);
  EXPECT_TRUE(at::equal(one, dropout(x, which)));
  at::set_num_threads(before);
  Dropout later = which;
  later.first.sample += 2;
  EXPECT_TRUE(at::equal(one.slice(0, 2, 4), dropout(x.slice(0, 0, 2), later)));
  EXPECT_FALSE(at::equal(one[0], one[1]));
}

TEST(DropoutFused, KeepsInDoubleWhatItKeepsInFloat32) {
  const at::Tensor x = at::ones({2, 5, 3, 3});
  const Dropout which{.p = 0.5, .first = kKey};
  EXPECT_TRUE(at::equal(dropout(x, which), dropout(x.to(at::kDouble), which).to(at::kFloat)));
}

TEST(DropoutFused, RefusesWhatItCannotTake) {
  const at::Tensor x = at::zeros({2, 4, 2, 2});
  EXPECT_THROW(dropout(x, {.p = 1, .first = kKey}), ArgumentError);
  EXPECT_THROW(dropout(x, {.p = -0.1, .first = kKey}), ArgumentError);
  EXPECT_THROW(dropout(x[0], {.p = 0.1, .first = kKey}), ArgumentError);
  EXPECT_THROW(dropout(x.to(at::kLong), {.p = 0.1, .first = kKey}), ArgumentError);
  const at::Tensor three = at::zeros({3}, at::kLong);
  EXPECT_THROW(dropout(x, {.p = 0.1, .first = kKey, .samples = three}), ArgumentError);
}

}  // namespace
}  // namespace tinta::kernels
