#pragma once

#include <cstdint>
#include <cstring>

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

/// A reinterpretation of the same bits.
template <class To, class From>
TINTA_INLINE To bits(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

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

/// exp(x) for |x| <= 87; outside, the value at the border. Relative error under 3e-7.
/// Cephes' expf: 2^n * polynomial on [-ln2/2, ln2/2].
TINTA_INLINE Floats exp_clamped(Floats x) {
  x = x > 87.0f ? Floats{} + 87.0f : x;
  x = x < -87.0f ? Floats{} - 87.0f : x;
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const Floats n = (x * 1.44269504f + kMagic) - kMagic;
  const Floats r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return p * bits<Floats>((__builtin_convertvector(n, Ints) + 127) << 23);
}

/// 1 / (1 + exp(-x)).
TINTA_INLINE Floats sigmoid(const Floats& x) { return 1.0f / (1.0f + exp_clamped(-x)); }

/// ln(x) for normal positive x. Error under 1e-7 + 2.4e-7 |ln x|. Cephes' logf.
TINTA_INLINE Floats log_positive(const Floats& x) {
  const auto word = bits<Ints>(x);
  const Ints exponent = (word - 0x3F3504F3) >> 23;  // moves the mantissa to [sqrt(1/2), sqrt(2))
  const Floats m = bits<Floats>(word - (exponent << 23)) - 1.0f;
  const Floats e = __builtin_convertvector(exponent, Floats);
  Floats p = m * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const Floats square = m * m;
  const Floats y = p * m * square + e * -2.12194440e-4f - 0.5f * square;
  return (m + y) + e * 0.693359375f;
}

struct SinCos {
  Floats sin;
  Floats cos;
};

/// Sine and cosine of 2 pi turn / 2^32: the reduction to an eighth of a turn is exact, because the
/// angle is an integer. Absolute error under 1.5e-7.
TINTA_INLINE SinCos sin_cos_turn(const Words& turn) {
  const Words quadrant = (turn + 0x20000000u) >> 30;
  const auto rest = bits<Ints>(turn - (quadrant << 30));
  const Floats x = __builtin_convertvector(rest, Floats) * 1.46291807926715968e-9f;  // 2 pi / 2^32
  const Floats z = x * x;
  Floats s = z * -1.9515295891e-4f + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * x + x;
  Floats c = z * 2.443315711809948e-5f - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * z * z - 0.5f * z + 1.0f;
  const auto swap = (quadrant & 1u) != 0u;
  const Floats sine = swap ? c : s;
  const Floats cosine = swap ? s : c;
  return {bits<Floats>(bits<Words>(sine) ^ ((quadrant & 2u) << 30)),
          bits<Floats>(bits<Words>(cosine) ^ (((quadrant + 1u) & 2u) << 30))};
}

/// Square root, correctly rounded.
TINTA_INLINE Floats square_root(const Floats& x) {
  float lanes[kLanes];
  std::memcpy(lanes, &x, sizeof(lanes));
  for (float& lane : lanes) lane = __builtin_sqrtf(lane);
  return load(lanes);
}

}  // namespace tinta::kernels::TINTA_ISA
