#pragma once

#include <bit>
#include <cstdint>

// Elementary functions written as straight-line code, so that a compiler turns a loop over them
// into vector instructions of any width. All of them use only +, -, *, / and integer operations:
// with floating-point contraction off their results are the same bits on every instruction set.

namespace tinta::kernels {

// Loops over these are compiled once per instruction set and chosen when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(TINTA_NO_CLONES)
#define TINTA_VECTOR_CLONES \
  __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define TINTA_VECTOR_CLONES
#endif
#define TINTA_INLINE inline __attribute__((always_inline))

/// exp(x) for |x| <= 87; outside, the value at the border. Relative error under 2 ulp.
/// Cephes' expf: 2^n * polynomial on [-ln2/2, ln2/2].
TINTA_INLINE float exp_clamped(float x) {
  x = x > 87.0f ? 87.0f : x;
  x = x < -87.0f ? -87.0f : x;
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const float n = (x * 1.44269504f + magic) - magic;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return p * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

/// 1 / (1 + exp(-x)).
TINTA_INLINE float sigmoid(float x) { return 1.0f / (1.0f + exp_clamped(-x)); }

/// ln(x) for normal positive x. Absolute error under 1e-7 near 1, relative under 2 ulp elsewhere.
/// Cephes' logf.
TINTA_INLINE float log_positive(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x);
  // Shifts the mantissa to [sqrt(1/2), sqrt(2)).
  const std::int32_t shifted = bits - 0x3F3504F3;
  const std::int32_t exponent = shifted >> 23;
  const float m = std::bit_cast<float>(bits - (exponent << 23)) - 1.0f;
  const auto e = static_cast<float>(exponent);
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const float square = m * m;
  float y = p * m * square;
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * square;
  return (m + y) + e * 0.693359375f;
}

struct SinCos {
  float sin;
  float cos;
};

/// Sine and cosine of 2 pi turn / 2^32: the reduction to an eighth of a turn is exact, because the
/// angle is an integer. Absolute error under 1e-7.
TINTA_INLINE SinCos sin_cos_turn(std::uint32_t turn) {
  const std::uint32_t quadrant = (turn + 0x20000000u) >> 30;
  const auto rest = static_cast<std::int32_t>(turn - (quadrant << 30));
  const float x = static_cast<float>(rest) * 1.46291807926715968e-9f;  // 2 pi / 2^32
  const float z = x * x;
  float s = -1.9515295891e-4f;
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * x + x;
  float c = 2.443315711809948e-5f;
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * z * z - 0.5f * z + 1.0f;
  const bool swap = (quadrant & 1u) != 0;
  const float sine = swap ? c : s;
  const float cosine = swap ? s : c;
  const std::uint32_t flip_sine = (quadrant & 2u) << 30;
  const std::uint32_t flip_cosine = ((quadrant + 1u) & 2u) << 30;
  return {std::bit_cast<float>(std::bit_cast<std::uint32_t>(sine) ^ flip_sine),
          std::bit_cast<float>(std::bit_cast<std::uint32_t>(cosine) ^ flip_cosine)};
}

/// bfloat16 is the upper half of a float.
TINTA_INLINE float load(std::uint16_t bf16) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bf16) << 16);
}
TINTA_INLINE float load(float value) { return value; }

/// Rounds to nearest, ties to even; a NaN stays a NaN.
TINTA_INLINE void store(std::uint16_t& target, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const std::uint32_t quiet = (bits >> 16) | 0x40u;
  target = static_cast<std::uint16_t>((bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded);
}
TINTA_INLINE void store(float& target, float value) { target = value; }

}  // namespace tinta::kernels
