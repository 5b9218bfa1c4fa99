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

TINTA_INLINE NativeFloats load_native(const float* from) {
  NativeFloats values;
  std::memcpy(&values, from, sizeof(values));
  return values;
}
TINTA_INLINE void store_native(float* to, const NativeFloats& values) {
  std::memcpy(to, &values, sizeof(values));
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
