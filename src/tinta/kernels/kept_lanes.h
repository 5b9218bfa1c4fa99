#pragma once

#include <cstdint>

#include "tinta/kernels/native_vector.h"

// Bits of a mask beside vectors of values. For *_cpu.cpp only.

namespace tinta::kernels::TINTA_ISA {

/// The bits of the kNative places from `place` on, lowest first; what stands above them is others'.
/// Reads up to four bytes from the byte of `place` on.
TINTA_INLINE std::uint32_t bits_at(const std::uint64_t* bits, std::int64_t place) {
  std::uint32_t word;
  std::memcpy(&word, reinterpret_cast<const unsigned char*>(bits) + place / 8, sizeof(word));
  return word >> (place % 8);
}

/// The lanes whose bit is set, the others zero.
TINTA_INLINE NativeFloats kept_lanes(const NativeFloats& values, std::uint32_t kept) {
#if defined(__AVX512F__)
  return (NativeFloats)_mm512_maskz_mov_ps(static_cast<__mmask16>(kept), (__m512)values);
#else
  NativeInts lane;
  for (std::int32_t i = 0; i < kNative; ++i) lane[i] = 1 << i;
  const NativeInts chosen = ((NativeInts{} + static_cast<std::int32_t>(kept)) & lane) != 0;
  return bits<NativeFloats>(bits<NativeInts>(values) & chosen);
#endif
}

/// A bit for each lane, set where it is at least `least`.
TINTA_INLINE std::uint32_t lanes_from(const NativeWords& words, std::uint32_t least) {
#if defined(__AVX512F__)
  return _mm512_cmpge_epu32_mask((__m512i)words, _mm512_set1_epi32(static_cast<int>(least)));
#else
  const NativeInts at_least = words >= NativeWords{} + least;
#if defined(__AVX2__)
  return static_cast<std::uint32_t>(_mm256_movemask_ps((__m256)at_least));
#elif defined(__SSE2__)
  return static_cast<std::uint32_t>(_mm_movemask_ps((__m128)at_least));
#else
  std::uint32_t all = 0;
  for (std::int64_t i = 0; i < kNative; ++i) all |= (at_least[i] != 0 ? 1u : 0u) << i;
  return all;
#endif
#endif
}

}  // namespace tinta::kernels::TINTA_ISA
