#pragma once

#include <cstddef>
#include <cstdint>

#if !defined(TINTA_ISA)
#define TINTA_ISA device
#endif
#include "tinta/kernels/elementary.h"

// What the CUDA kernels are made of, as plain functions of plain values: nvcc compiles them for a
// GPU, and the tests run the very same on the CPU (device_emulation.h). Without torch and without
// CUDA's headers.

namespace tinta::kernels::device {

/// What a tensor's elements are.
enum class Element { f32, bf16, f16 };

/// bfloat16 and float16 as their bits.
struct Bf16 {
  std::uint16_t word;
};
struct Half {
  std::uint16_t word;
};

TINTA_HD float to_float(float x) { return x; }
TINTA_HD float to_float(Bf16 x) { return bits<float>(std::uint32_t{x.word} << 16); }
TINTA_HD float to_float(Half x) {
#if defined(__CUDA_ARCH__)
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.word));
  return y;
#else
  const std::uint32_t sign = (x.word & 0x8000u) << 16;
  const std::uint32_t exponent = (x.word >> 10) & 0x1Fu;
  const std::uint32_t mantissa = x.word & 0x3FFu;
  if (exponent == 0) {
    const float size = static_cast<float>(mantissa) * 0x1p-24f;
    return bits<float>(sign | bits<std::uint32_t>(size));
  }
  const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
  return bits<float>(sign | wide << 23 | mantissa << 13);
#endif
}

/// Rounds to nearest, ties to even; a NaN stays a NaN.
template <class T>
TINTA_HD T from_float(float x);
template <>
TINTA_HD float from_float<float>(float x) {
  return x;
}
template <>
TINTA_HD Bf16 from_float<Bf16>(float x) {
  const auto word = bits<std::uint32_t>(x);
  const std::uint32_t rounded = (word + 0x7FFFu + ((word >> 16) & 1u)) >> 16;
  const std::uint32_t quiet = (word >> 16) | 0x40u;
  return {static_cast<std::uint16_t>((word & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded)};
}
template <>
TINTA_HD Half from_float<Half>(float x) {
#if defined(__CUDA_ARCH__)
  std::uint16_t y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return {y};
#else
  const auto word = bits<std::uint32_t>(x);
  const std::uint32_t sign = (word >> 16) & 0x8000u;
  const std::uint32_t size = word & 0x7FFFFFFFu;
  std::uint32_t half = 0;
  if (size > 0x7F800000u) {
    half = 0x7E00u;
  } else if (size >= 0x477FF000u) {  // 65520, half way to what would be the next
    half = 0x7C00u;
  } else if (size >= 0x38800000u) {  // 2^-14, the smallest normal
    half = ((size + 0xFFFu + ((size >> 13) & 1u)) >> 13) - (112u << 10);
  } else {  // a sum with 1/2 has an ulp of 2^-24, that of float16 below its normals
    half = bits<std::uint32_t>(bits<float>(size) + 0.5f) - 0x3F000000u;
  }
  return {static_cast<std::uint16_t>(sign | half)};
#endif
}

/// `kCount` neighbours, read and written at once.
template <class T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T value[kCount];
};

/// Square root, correctly rounded.
TINTA_HD float square_root(float x) {
#if defined(__CUDA_ARCH__)
  return __fsqrt_rn(x);
#else
  return __builtin_sqrtf(x);
#endif
}
TINTA_HD double square_root(double x) {
#if defined(__CUDA_ARCH__)
  return __dsqrt_rn(x);
#else
  return __builtin_sqrt(x);
#endif
}

template <class F>
TINTA_HD bool is_finite(F x) {
  return x - x == 0;
}

/// A random key as core/philox.h has it, without its headers.
struct Key {
  std::uint64_t seed;
  std::uint64_t sample;
  std::uint32_t step;
  std::uint32_t stream;
};

struct Block {
  std::uint32_t word[4];
};

/// The words of random_block() of core/philox.h.
TINTA_HD Block philox_block(const Key& key, std::uint32_t block) {
  std::uint32_t w0 = block;
  std::uint32_t w1 = key.step;
  auto w2 = static_cast<std::uint32_t>(key.sample);
  std::uint32_t w3 =
      key.stream << 24 | (static_cast<std::uint32_t>(key.sample >> 32) & 0x00FFFFFFu);
  auto k0 = static_cast<std::uint32_t>(key.seed);
  auto k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * w0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * w2;
    w0 = static_cast<std::uint32_t>(p1 >> 32) ^ w1 ^ k0;
    w1 = static_cast<std::uint32_t>(p1);
    w2 = static_cast<std::uint32_t>(p0 >> 32) ^ w3 ^ k1;
    w3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{w0, w1, w2, w3}};
}

// A kernel is a program: a struct of arguments with
//   int phases() const                                       the same for every thread
//   void run(int phase, const Place&, unsigned char*) const  what one thread does in one phase
// Between two phases the threads of a block wait for each other; what a thread keeps from one phase
// to the next it keeps in the block's shared memory. So a program is emulated by plain loops.

/// Which thread of which block.
struct Place {
  std::int64_t block;
  int thread;
};

/// How many of them a program runs on. No blocks: nothing to do.
struct Grid {
  std::int64_t blocks;
  int threads;
  std::size_t shared_bytes;
};

constexpr int kThreads = 256;  ///< of a block, unless a program says otherwise

TINTA_HD std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// One step of a sum: place i takes up place i + half.
template <class T>
TINTA_HD void fold(T* sums, int i, int half) {
  if (i < half) sums[i] += sums[i + half];
}

}  // namespace tinta::kernels::device
