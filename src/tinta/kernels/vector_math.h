#pragma once

#include <cstdint>
#include <cstring>

#include "tinta/kernels/elementary.h"

// Sixteen lanes at a time, by the compiler's vector extension: one AVX-512 register, two of AVX2,
// four of SSE. Only +, -, *, /, comparisons and integer operations are used, and contraction to
// fused multiply-add is off, so the results are the same bits on every instruction set. For
// *_cpu.cpp only: they are compiled once per instruction set.

namespace tinta::kernels::TINTA_ISA {

#define TINTA_INLINE inline __attribute__((always_inline))

constexpr std::int64_t kLanes = 16;
using Floats = float __attribute__((vector_size(64)));
using Ints = std::int32_t __attribute__((vector_size(64)));
using Words = std::uint32_t __attribute__((vector_size(64)));
using Halves = std::uint16_t __attribute__((vector_size(32)));

/// bfloat16 is the upper half of a float.
TINTA_INLINE Floats load(const std::uint16_t* from) {
  Halves halves;
  std::memcpy(&halves, from, sizeof(halves));
  return bits<Floats>(__builtin_convertvector(halves, Words) << 16);
}
TINTA_INLINE Floats load(const float* from) {
  Floats values;
  std::memcpy(&values, from, sizeof(values));
  return values;
}

/// Rounds to nearest, ties to even; a NaN stays a NaN.
TINTA_INLINE void store(std::uint16_t* to, const Floats& values) {
  const auto word = bits<Words>(values);
  const Words rounded = (word + 0x7FFFu + ((word >> 16) & 1u)) >> 16;
  const Words quiet = (word >> 16) | 0x40u;
  const Words chosen = (word & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded;
  const Halves halves = __builtin_convertvector(chosen, Halves);
  std::memcpy(to, &halves, sizeof(halves));
}
TINTA_INLINE void store(float* to, const Floats& values) {
  std::memcpy(to, &values, sizeof(values));
}

/// The first `count` lanes, the rest zero.
template <class T>
TINTA_INLINE Floats load_part(const T* from, std::int64_t count) {
  T buffer[kLanes] = {};
  for (std::int64_t i = 0; i < count; ++i) buffer[i] = from[i];
  return load(buffer);
}
template <class T>
TINTA_INLINE void store_part(T* to, const Floats& values, std::int64_t count) {
  T buffer[kLanes];
  store(buffer, values);
  for (std::int64_t i = 0; i < count; ++i) to[i] = buffer[i];
}

using SinCos = SinCosOf<Floats>;
TINTA_INLINE SinCos sin_cos_turn(const Words& turn) { return sin_cos_of_turn<Floats>(turn); }

/// Square root, correctly rounded.
TINTA_INLINE Floats square_root(const Floats& x) {
  float lanes[kLanes];
  std::memcpy(lanes, &x, sizeof(lanes));
  for (float& lane : lanes) lane = __builtin_sqrtf(lane);
  return load(lanes);
}

}  // namespace tinta::kernels::TINTA_ISA
