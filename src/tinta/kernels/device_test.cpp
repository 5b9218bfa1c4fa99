#include "tinta/kernels/device.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "tinta/core/philox.h"
#include "tinta/kernels/device_emulation.h"
#include "tinta/kernels/random.h"
#include "tinta/kernels/random_cpu.h"

// The programs of the GPU, run on the CPU: see device_emulation.h.

namespace tinta::kernels {
namespace {

constexpr RandomKey kKey{
    .seed = 0x123456789ABCDEFull, .stream = Stream::test, .sample = 0xABCDEF0123456ull, .step = 3};

device::Key device_key(const RandomKey& key) {
  return {key.seed, key.sample, key.step, static_cast<std::uint32_t>(key.stream)};
}

TEST(DevicePhilox, HasTheWordsOfCore) {
  for (std::uint32_t block = 0; block < 1000; block += 37) {
    const auto wanted = random_block(kKey, block);
    const device::Block got = device::philox_block(device_key(kKey), block);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(got.word[i], wanted[i]) << block;
  }
}

TEST(DeviceMath, IsTheSameBitsAsTheCpuKernels) {
  const RandomKernels& kernels = random_kernels();
  for (int i = -8800; i <= 8800; ++i) {
    const float x = static_cast<float>(i) * 0.01f;
    float wanted = 0;
    kernels.exp_row(&x, &wanted, 1);
    EXPECT_EQ(device::exp_clamped(x), wanted) << x;
  }
  for (int i = 1; i < 20000; ++i) {
    const float x = static_cast<float>(i) * 0.0005f;
    float wanted = 0;
    kernels.log_row(&x, &wanted, 1);
    EXPECT_EQ(device::log_positive(x), wanted) << x;
  }
  for (std::uint32_t i = 0; i < 100000; ++i) {
    const std::uint32_t turn = i * 42949u;
    float sine = 0;
    float cosine = 0;
    kernels.sin_cos_row(&turn, &sine, &cosine, 1);
    const auto got = device::sin_cos_of_turn<float>(turn);
    EXPECT_EQ(got.sin, sine);
    EXPECT_EQ(got.cos, cosine);
  }
}

// Every float16, and floats between two of them, against ATen's rounding.
TEST(DeviceHalf, ConvertsAsTorchDoes) {
  for (std::uint32_t word = 0; word < 0x10000u; ++word) {
    const device::Half half{static_cast<std::uint16_t>(word)};
    const auto wanted = static_cast<float>(c10::Half(half.word, c10::Half::from_bits()));
    const float got = device::to_float(half);
    if (std::isnan(wanted)) {
      EXPECT_TRUE(std::isnan(got)) << word;
      continue;
    }
    EXPECT_EQ(got, wanted) << word;
    for (const float factor : {1.0f, 1.0002f, 1.00048828125f, 0.9995f, 0.5f}) {
      const float x = wanted * factor;
      EXPECT_EQ(device::from_float<device::Half>(x).word, c10::Half(x).x) << x;
    }
  }
}

TEST(DeviceBf16, RoundsAsTorchDoes) {
  const at::Tensor x = at::cat({normal({1, 4096}, kKey).flatten() * 1e3,
                                at::tensor({0.0f, -0.0f, INFINITY, -INFINITY, 3.3895e38f})});
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const auto value = x[i].item<float>();
    const auto got = device::from_float<device::Bf16>(value);
    EXPECT_EQ(got.word, c10::BFloat16(value).x) << value;
    EXPECT_EQ(device::to_float(got), static_cast<float>(c10::BFloat16(value)));
  }
  EXPECT_TRUE(std::isnan(device::to_float(device::from_float<device::Bf16>(NAN))));
}

// Lengths that four divides and others, so that both ways of storing are taken.
TEST(DeviceRandom, NormalsAreTheSameBitsAsOnTheCpu) {
  for (const std::int64_t length : {1, 3, 64, 1001}) {
    const at::Tensor wanted = normal({5, length}, kKey);
    at::Tensor got = at::full({5, length}, NAN);
    const device::FillNormal program{
        {got.mutable_data_ptr<float>(), 5, length, device_key(kKey), nullptr}};
    device::run_random(program, device::Emulator{});
    EXPECT_TRUE(at::equal(got, wanted)) << length;
  }
}

TEST(DeviceRandom, RowsMayNameTheirSamples) {
  const at::Tensor samples = at::tensor({105, 101, 7}, at::kLong);
  at::Tensor wanted = at::empty({3, 10});
  fill_normal(wanted, kKey, samples);
  at::Tensor got = at::empty({3, 10});
  const device::FillNormal program{{got.mutable_data_ptr<float>(), 3, 10, device_key(kKey),
                                    samples.const_data_ptr<std::int64_t>()}};
  device::run_random(program, device::Emulator{});
  EXPECT_TRUE(at::equal(got, wanted));
}

TEST(DeviceRandom, DropoutMasksAreTheSameBitsAsOnTheCpu) {
  at::Tensor wanted = at::empty({4, 333});
  fill_dropout(wanted, kKey, 0.3);
  at::Tensor got = at::full({4, 333}, NAN);
  const device::FillDropout program{
      {got.mutable_data_ptr<float>(), 4, 333, device_key(kKey), nullptr},
      static_cast<std::uint32_t>(0.3 * 0x1p32),
      static_cast<float>(1 / 0.7)};
  device::run_random(program, device::Emulator{});
  EXPECT_TRUE(at::equal(got, wanted));
}

}  // namespace
}  // namespace tinta::kernels
