#pragma once

#include <cstdint>

#include "tinta/kernels/vector_math.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// Vectors of one register, for loops that keep many of them alive, where the sixteen lanes of
// vector_math.h would not fit into the register file. For *_cpu.cpp only.

namespace tinta::kernels::TINTA_ISA {

#if defined(__AVX512F__)
constexpr std::int64_t kNativeBytes = 64;
#elif defined(__AVX2__)
constexpr std::int64_t kNativeBytes = 32;
#else
constexpr std::int64_t kNativeBytes = 16;
#endif
constexpr std::int64_t kNative = kNativeBytes / 4;  ///< 32-bit lanes

using NativeFloats = float __attribute__((vector_size(kNativeBytes)));
using NativeInts = std::int32_t __attribute__((vector_size(kNativeBytes)));
using NativeWords = std::uint32_t __attribute__((vector_size(kNativeBytes)));
using NativeWides = std::uint64_t __attribute__((vector_size(kNativeBytes)));

using NativeHalves = std::uint16_t __attribute__((vector_size(kNativeBytes / 2)));

TINTA_INLINE NativeFloats load_native(const float* from) {
  NativeFloats values;
  std::memcpy(&values, from, sizeof(values));
  return values;
}
TINTA_INLINE void store_native(float* to, const NativeFloats& values) {
  std::memcpy(to, &values, sizeof(values));
}

/// bfloat16 is the upper half of a float.
TINTA_INLINE NativeFloats load_native(const std::uint16_t* from) {
  NativeHalves halves;
  std::memcpy(&halves, from, sizeof(halves));
  return bits<NativeFloats>(__builtin_convertvector(halves, NativeWords) << 16);
}
/// Rounds to nearest, ties to even; a NaN stays a NaN.
TINTA_INLINE void store_native(std::uint16_t* to, const NativeFloats& values) {
  const auto word = bits<NativeWords>(values);
  const NativeWords rounded = (word + 0x7FFFu + ((word >> 16) & 1u)) >> 16;
  const NativeWords chosen = values == values ? rounded : NativeWords{} + 0x7FC0u;
#if defined(__AVX2__) && !defined(__AVX512F__)
  // GCC 12 would narrow them lane by lane.
  const __m256i packed = _mm256_packus_epi32((__m256i)chosen, (__m256i)chosen);
  const __m128i halves = _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
#else
  const NativeHalves halves = __builtin_convertvector(chosen, NativeHalves);
#endif
  std::memcpy(to, &halves, sizeof(halves));
}

#if defined(__AVX512BF16__)
/// bfloat16 in memory that the processor itself rounds to, by an instruction that not all with
/// AVX-512 have (has_bf16()): the same bits as above, but that what is below 2^-126 becomes zero
/// and a NaN keeps its payload.
struct HardwareBfloat16 {
  std::uint16_t bits;
};
TINTA_INLINE NativeFloats load_native(const HardwareBfloat16* from) {
  return load_native(&from->bits);
}
TINTA_INLINE void store_native(HardwareBfloat16* to, const NativeFloats& values) {
  const __m256bh halves = _mm512_cvtneps_pbh((__m512)values);
  std::memcpy(to, &halves, sizeof(halves));
}
#endif

/// How many lanes of a vector in memory are meant: all of them, or the first few.
struct Whole {};
struct Part {
  std::int64_t count;
};

template <class T>
TINTA_INLINE NativeFloats load_lanes(const T* from, Whole /*width*/) {
  return load_native(from);
}
/// The lanes beyond are zero.
template <class T>
TINTA_INLINE NativeFloats load_lanes(const T* from, Part width) {
  T buffer[kNative] = {};
  for (std::int64_t i = 0; i < width.count; ++i) buffer[i] = from[i];
  return load_native(buffer);
}
template <class T>
TINTA_INLINE void store_lanes(T* to, const NativeFloats& values, Whole /*width*/) {
  store_native(to, values);
}
template <class T>
TINTA_INLINE void store_lanes(T* to, const NativeFloats& values, Part width) {
  T buffer[kNative];
  store_native(buffer, values);
  for (std::int64_t i = 0; i < width.count; ++i) to[i] = buffer[i];
}

// maskz: the plain forms of AVX-512 make GCC 12 warn of its own header (bug 105593).
/// 64-bit products of the low halves of 64-bit lanes; the high halves may hold anything.
TINTA_INLINE NativeWides multiply_low(const NativeWides& a, const NativeWides& b) {
#if defined(__AVX512F__)
  return (NativeWides)_mm512_maskz_mul_epu32(0xFF, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (NativeWides)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (NativeWides)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

/// The low halves of `even`'s and `odd`'s 64-bit lanes, in turn.
TINTA_INLINE NativeWords interleave_low(const NativeWides& even, const NativeWides& odd) {
#if defined(__AVX512F__) || !defined(__AVX2__)
  return bits<NativeWords>((even & 0xFFFFFFFFu) | (odd << 32));
#else
  return (NativeWords)_mm256_blend_epi32((__m256i)even, (__m256i)(odd << 32), 0xAA);
#endif
}

/// Square root, correctly rounded.
TINTA_INLINE NativeFloats square_root_native(const NativeFloats& x) {
#if defined(__AVX512F__)
  return (NativeFloats)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x);
#elif defined(__AVX2__)
  return (NativeFloats)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (NativeFloats)_mm_sqrt_ps((__m128)x);
#else
  float lanes[kNative];
  store_native(lanes, x);
  for (float& lane : lanes) lane = __builtin_sqrtf(lane);
  return load_native(lanes);
#endif
}

/// a b + c, rounded once where there is an instruction for it: results are the same bits within an
/// instruction set only.
TINTA_INLINE NativeFloats multiply_add(const NativeFloats& a, const NativeFloats& b,
                                       const NativeFloats& c) {
#if defined(__AVX512F__)
  return (NativeFloats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
  return (NativeFloats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

#if defined(__AVX512F__) || defined(__FMA__)
/// 2^r for |r| <= 1/2: its Taylor series, off by less than 2e-7 of it.
TINTA_INLINE NativeFloats power_of_two(const NativeFloats& r) {
  constexpr float kCoefficients[] = {1.33335581e-3f, 9.61812911e-3f, 5.55041087e-2f,
                                     2.40226507e-1f, 6.93147181e-1f, 1.0f};
  NativeFloats p = NativeFloats{} + 1.54035304e-4f;
  for (const float coefficient : kCoefficients) {
    p = multiply_add(p, r, NativeFloats{} + coefficient);
  }
  return p;
}
#endif

/// 1 / (1 + exp(-x)), by the shortest way that an instruction set has. Relative error under
/// 4e-7 + 8e-8 |x| for x > -86, beyond which it is below 1e-37; NaN for NaN.
TINTA_INLINE NativeFloats sigmoid_native(const NativeFloats& x) {
  // exp(-x) = 2^n 2^r with |r| <= 1/2; n is bounded so that neither it nor the result overflows.
#if defined(__AVX512F__)
  const NativeFloats power = x * -1.44269504f;
  const auto bounded =
      (NativeFloats)_mm512_maskz_min_ps(0xFFFF, _mm512_set1_ps(125.0f), (__m512)power);
  const auto n = (NativeFloats)_mm512_maskz_roundscale_ps(0xFFFF, (__m512)bounded, 8);
  const auto e =
      (NativeFloats)_mm512_maskz_scalef_ps(0xFFFF, (__m512)power_of_two(bounded - n), (__m512)n);
  const NativeFloats sum = 1.0f + e;
  const auto guess = (NativeFloats)_mm512_maskz_rcp14_ps(0xFFFF, (__m512)sum);
  return guess * multiply_add(-sum, guess, NativeFloats{} + 2.0f);  // one step of Newton's
#elif defined(__FMA__)
  const NativeFloats power = x * -1.44269504f;
  const __m256 capped = _mm256_min_ps(_mm256_set1_ps(125.0f), (__m256)power);
  const auto bounded = (NativeFloats)_mm256_max_ps(_mm256_set1_ps(-126.0f), capped);
  const auto n = (NativeFloats)_mm256_round_ps((__m256)bounded, 8);
  const auto scale = bits<NativeFloats>(((NativeInts)_mm256_cvtps_epi32((__m256)n) + 127) << 23);
  return 1.0f / multiply_add(power_of_two(bounded - n), scale, NativeFloats{} + 1.0f);
#else
  return sigmoid(x);
#endif
}

/// Whether any lane of a comparison's result is true.
TINTA_INLINE int any_lane(const NativeInts& mask) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  return _mm256_movemask_ps((__m256)mask);
#elif defined(__SSE2__) && !defined(__AVX2__)
  return _mm_movemask_ps((__m128)mask);
#else
  std::int32_t all = 0;
  for (std::int64_t i = 0; i < kNative; ++i) all |= mask[i];
  return all;
#endif
}

}  // namespace tinta::kernels::TINTA_ISA
