#pragma once

#include <cstdint>
#include <cstring>
#if !defined(__CUDACC__)
#include <type_traits>
#endif

// Elementary functions of one float or of a vector of them: the one source of the CPU's kernels
// (vector_math.h) and of the GPU's (device.h). Only +, -, *, /, comparisons and integer operations
// are used, and neither compiler may contract them to fused multiply-adds, so the results are the
// same bits on every instruction set and on the GPU.
//
// The includer defines TINTA_ISA, the namespace: the linker must not take one instruction set's
// copy for another's.

#if defined(__CUDACC__)
#define TINTA_HD __host__ __device__ inline
#else
#define TINTA_HD inline __attribute__((always_inline))
#endif

namespace tinta::kernels::TINTA_ISA {

/// A reinterpretation of the same bits.
template <class To, class From>
TINTA_HD To bits(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(To));
  return to;
}

/// The 32-bit integers that go with floats: a vector of as many, or one.
template <class F>
struct IntegersOf {
  using type = decltype(F{} < F{});
};
template <>
struct IntegersOf<float> {
  using type = std::int32_t;
};

/// Conversion of values, lane by lane.
template <class To, class From>
TINTA_HD To converted(const From& from) {
#if defined(__CUDACC__)
  return static_cast<To>(from);
#else
  if constexpr (std::is_arithmetic_v<From>) {
    return static_cast<To>(from);
  } else {
    return __builtin_convertvector(from, To);
  }
#endif
}

/// exp(x) for |x| <= 87; outside, the value at the border. Relative error under 3e-7.
/// Cephes' expf: 2^n * polynomial on [-ln2/2, ln2/2].
template <class F>
TINTA_HD F exp_clamped(F x) {
  using Integers = typename IntegersOf<F>::type;
  x = x > 87.0f ? F{} + 87.0f : x;
  x = x < -87.0f ? F{} - 87.0f : x;
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const F n = (x * 1.44269504f + kMagic) - kMagic;
  const F r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  F p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return p * bits<F>((converted<Integers>(n) + 127) << 23);
}

/// 1 / (1 + exp(-x)).
template <class F>
TINTA_HD F sigmoid(const F& x) {
  return 1.0f / (1.0f + exp_clamped(-x));
}

/// ln(x) for normal positive x. Error under 1e-7 + 2.4e-7 |ln x|. Cephes' logf.
template <class F>
TINTA_HD F log_positive(const F& x) {
  using Integers = typename IntegersOf<F>::type;
  const auto word = bits<Integers>(x);
  const Integers exponent =
      (word - 0x3F3504F3) >> 23;  // moves the mantissa to [sqrt(1/2), sqrt(2))
  const F m = bits<F>(word - (exponent << 23)) - 1.0f;
  const F e = converted<F>(exponent);
  F p = m * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const F square = m * m;
  const F y = p * m * square + e * -2.12194440e-4f - 0.5f * square;
  return (m + y) + e * 0.693359375f;
}

template <class F>
struct SinCosOf {
  F sin;
  F cos;
};

/// Sine and cosine of 2 pi turn / 2^32, turn an unsigned 32-bit integer in each lane: the reduction
/// to an eighth of a turn is exact, because the angle is an integer. Absolute error under 1.5e-7.
template <class F, class W>
TINTA_HD SinCosOf<F> sin_cos_of_turn(const W& turn) {
  using Integers = typename IntegersOf<F>::type;
  const W quadrant = (turn + 0x20000000u) >> 30;
  const auto rest = bits<Integers>(W(turn - (quadrant << 30)));
  const F x = converted<F>(rest) * 1.46291807926715968e-9f;  // 2 pi / 2^32
  const F z = x * x;
  F s = z * -1.9515295891e-4f + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * x + x;
  F c = z * 2.443315711809948e-5f - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * z * z - 0.5f * z + 1.0f;
  const auto swap = (quadrant & 1u) != 0u;
  const F sine = swap ? c : s;
  const F cosine = swap ? s : c;
  return {bits<F>(W(bits<W>(sine) ^ ((quadrant & 2u) << 30))),
          bits<F>(W(bits<W>(cosine) ^ (((quadrant + 1u) & 2u) << 30)))};
}

/// (word + 1/2) / 2^32, rounded once, in (0, 1]: small words keep all their bits, so that the tail
/// of the normal is right out to 6.7 sigma.
template <class F, class W>
TINTA_HD F open_uniform_of(const W& word) {
  using Integers = typename IntegersOf<F>::type;
  const F high = converted<F>(bits<Integers>(W(word >> 16)));
  const F low = converted<F>(bits<Integers>(W(word & 0xFFFFu)));
  return (high * 65536.0f + (low + 0.5f)) * 0x1p-32f;
}

}  // namespace tinta::kernels::TINTA_ISA
