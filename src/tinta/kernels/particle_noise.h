#pragma once

#include <cstdint>

#include "tinta/core/philox.h"
#include "tinta/kernels/native_vector.h"

// The random numbers of particles, a register of particles at a time. For *_cpu.cpp only. Number k
// of particle i's sequence is normal k % 4 of Philox block k / 4, whose counter is (low half of the
// block's number, its high half, i, stream).

namespace tinta::kernels::TINTA_ISA {

/// Particles that draw together: two registers, so that one's arithmetic fills the other's waits.
constexpr std::int64_t kWide = 2;
constexpr std::int64_t kGroup = kWide * kNative;

/// -2 ln u of u = (2 (word / 4) + 1) / 2^31, in (0, 1), rounded as a float is. Relative error under
/// 1.5e-6: a polynomial on [sqrt(1/2), sqrt(2)).
TINTA_INLINE NativeFloats square_radius(const NativeWords& word) {
  const NativeFloats odd =
      __builtin_convertvector(bits<NativeInts>((word >> 1) | 1u), NativeFloats);
  constexpr std::int32_t kRoot = 0x3F3504F3;  // sqrt(1/2)
  const NativeInts shifted = bits<NativeInts>(odd) - (kRoot + (31 << 23));
  const NativeFloats exponent = __builtin_convertvector(shifted >> 23, NativeFloats);
  const NativeFloats m = bits<NativeFloats>((shifted & 0x7FFFFF) + kRoot) - 1.0f;
  // By pairs, not Horner's way: half the latency.
  const NativeFloats m2 = m * m;
  const NativeFloats low = (m * 1.0000223f - 2.0000019f) + m2 * (m * 0.49819487f - 0.66629016f);
  const NativeFloats high = (m * 0.37335718f - 0.40992665f) + m2 * -0.23792201f;
  const NativeFloats p = low + (m2 * m2) * high;
  return p * m + exponent * -1.38629436f;
}

/// Box and Muller 1958: a square radius and a uniform word to two normals. The angle is within a
/// quarter turn of 0, and the cosine's sign is the word's last bit: the same distribution without
/// a reduction to octants. Sine and cosine to 7e-7, polynomials.
TINTA_INLINE void normal_pair(const NativeFloats& square, const NativeWords& word,
                              NativeFloats* cosine, NativeFloats* sine) {
  const NativeFloats radius = square_root_native(square);
  const NativeFloats x = __builtin_convertvector(bits<NativeInts>(word), NativeFloats) * 0x1p-31f;
  const NativeFloats z = x * x;
  const NativeFloats z2 = z * z;
  const NativeFloats s = (z * -0.64589286f + 1.570791f) + z2 * (z * -4.3330947e-3f + 7.9434343e-2f);
  const NativeFloats c = (z * -1.2336982f + 0.99999994f) +
                         z2 * ((z * -2.0810628e-2f + 0.25365075f) + z2 * 8.5819064e-4f);
  *cosine = bits<NativeFloats>(bits<NativeWords>(radius) ^ (word << 31)) * c;
  *sine = (radius * x) * s;
}

/// Turns words into normals in place: `pairs` pairs of rows of kGroup numbers. In two sweeps, for
/// the logarithm's long chain of operations and for the rest, because a processor looks only so far
/// ahead for work that need not wait.
TINTA_INLINE void make_normal(float* values, std::int64_t pairs) {
  for (std::int64_t i = 0; i < pairs; ++i) {
    for (std::int64_t w = 0; w < kGroup; w += kNative) {
      float* first = values + 2 * i * kGroup + w;
      store_native(first, square_radius(bits<NativeWords>(load_native(first))));
    }
  }
  for (std::int64_t i = 0; i < pairs; ++i) {
    for (std::int64_t w = 0; w < kGroup; w += kNative) {
      float* first = values + 2 * i * kGroup + w;
      float* second = first + kGroup;
      NativeFloats cosine;
      NativeFloats sine;
      normal_pair(load_native(first), bits<NativeWords>(load_native(second)), &cosine, &sine);
      store_native(first, cosine);
      store_native(second, sine);
    }
  }
}

/// Philox4x32-10 of kGroup consecutive particles, the same function as tinta::philox4x32. Words
/// are kept one to a 64-bit lane, because that is how products come out: register 2 w holds the
/// even particles of the group's register w, and 2 w + 1 the odd ones. The first two rounds mix
/// what is the same for all particles with what is the same for all blocks: the latter is computed
/// once, here.
class ParticleNoise {
 public:
  /// Particles first_particle .. first_particle + kGroup - 1.
  TINTA_INLINE void start(std::uint64_t seed, std::uint32_t first_particle) {
    key0_ = static_cast<std::uint32_t>(seed);
    key1_ = static_cast<std::uint32_t>(seed >> 32);
    for (std::uint32_t round = 0; round < 10; ++round) {
      round_key0_[round] = NativeWides{} + (key0_ + round * kWeyl0);
      round_key1_[round] = NativeWides{} + (key1_ + round * kWeyl1);
    }
    for (int part = 0; part < kParts; ++part) {
      NativeWides particle{};
      for (std::int64_t i = 0; i < kNative / 2; ++i) {
        particle[i] =
            first_particle + static_cast<std::uint32_t>(part / 2 * kNative + 2 * i + part % 2);
      }
      product_[part] = multiply_low(particle, NativeWides{} + kMultiplier1);
    }
    set_block_high(0);
  }

  /// Words of `count` blocks of each particle from block `first` on, in rows of kGroup.
  TINTA_INLINE void fill(std::uint64_t first, std::int64_t count, float* out) {
    for (std::int64_t i = 0; i < count; ++i, out += 4 * kGroup) {
      const std::uint64_t number = first + static_cast<std::uint64_t>(i);
      const auto high = static_cast<std::uint32_t>(number >> 32);
      if (high != block_high_) set_block_high(high);
      words(static_cast<std::uint32_t>(number), out);
    }
  }

 private:
  // The four words of a block, by the low half of its number.
  TINTA_INLINE void words(std::uint32_t number, float* out) const {
    // Round 1 of what does not depend on the particle, then round 2.
    const std::uint64_t p0 = std::uint64_t{kMultiplier0} * number;
    const std::uint32_t w2 = static_cast<std::uint32_t>(p0 >> 32) ^ kStream ^ key1_;
    const std::uint64_t p1 = std::uint64_t{kMultiplier1} * w2;
    const std::uint32_t mixed0 = static_cast<std::uint32_t>(p1 >> 32) ^ (key0_ + kWeyl0);
    const std::uint32_t mixed2 = static_cast<std::uint32_t>(p0) ^ (key1_ + kWeyl1);
    const NativeWides uniform0 = NativeWides{} + mixed0;
    const NativeWides uniform2 = NativeWides{} + mixed2;
    const NativeWides third = (NativeWides{} + static_cast<std::uint32_t>(p1)) ^ round_key0_[2];
    NativeWides w[kParts][4];
    for (int part = 0; part < kParts; ++part) {
      const NativeWides a = multiply_low(product_[part] ^ uniform0, NativeWides{} + kMultiplier0);
      const NativeWides b = multiply_low(second_[part] ^ uniform2, NativeWides{} + kMultiplier1);
      w[part][0] = (b >> 32) ^ third;
      w[part][1] = b;
      w[part][2] = (a >> 32) ^ second_low_[part];
      w[part][3] = a;
    }
    for (int round = 3; round < 10; ++round) {
      for (auto& x : w) {
        const NativeWides a = multiply_low(x[0], NativeWides{} + kMultiplier0);
        const NativeWides b = multiply_low(x[2], NativeWides{} + kMultiplier1);
        x[0] = (b >> 32) ^ x[1] ^ round_key0_[round];
        x[1] = b;
        x[2] = (a >> 32) ^ x[3] ^ round_key1_[round];
        x[3] = a;
      }
    }
    for (int i = 0; i < 4; ++i) {
      for (int r = 0; r < kWide; ++r) {
        store_native(out + i * kGroup + r * kNative,
                     bits<NativeFloats>(interleave_low(w[2 * r][i], w[2 * r + 1][i])));
      }
    }
  }

  // Rounds 1 and 2 of what does not depend on the block's low word.
  TINTA_INLINE void set_block_high(std::uint32_t high) {
    block_high_ = high;
    for (int part = 0; part < kParts; ++part) {
      const NativeWides w0 = (product_[part] >> 32) ^ (NativeWides{} + (high ^ key0_));
      const NativeWides product = multiply_low(w0, NativeWides{} + kMultiplier0);
      second_[part] = product >> 32;
      second_low_[part] = product ^ round_key1_[2];
    }
  }

  static constexpr std::uint32_t kMultiplier0 = 0xD2511F53u;
  static constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57u;
  static constexpr std::uint32_t kWeyl0 = 0x9E3779B9u;
  static constexpr std::uint32_t kWeyl1 = 0xBB67AE85u;
  static constexpr std::uint32_t kStream = static_cast<std::uint32_t>(Stream::particles) << 24;
  static constexpr int kParts = 2 * static_cast<int>(kWide);
  std::uint32_t key0_ = 0;
  std::uint32_t key1_ = 0;
  std::uint32_t block_high_ = 0;
  NativeWides round_key0_[10];
  NativeWides round_key1_[10];
  NativeWides product_[kParts];     // particle * multiplier 1; its low half is w1 after round 1
  NativeWides second_[kParts];      // high half of w0 * multiplier 0 in round 2
  NativeWides second_low_[kParts];  // its low half, which is w3 after round 2, with round 3's key
};

}  // namespace tinta::kernels::TINTA_ISA
