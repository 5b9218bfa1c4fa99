#include "tinta/kernels/random_cpu.h"

#include <array>

#include "tinta/kernels/vector_math.h"

namespace tinta::kernels {
namespace {

constexpr std::int64_t kLanes = 16;  // Philox blocks computed side by side

using Words = std::array<std::array<std::uint32_t, kLanes>, 4>;

// Philox4x32-10 of kLanes consecutive blocks; the same function as tinta::philox4x32, written so
// that the compiler sees a loop over lanes.
TINTA_INLINE void philox_lanes(const RandomKey& key, std::uint32_t first_block, Words& w) {
  const auto high = static_cast<std::uint32_t>(key.stream) << 24 |
                    (static_cast<std::uint32_t>(key.sample >> 32) & 0x00FFFFFFu);
  for (std::uint32_t i = 0; i < kLanes; ++i) {
    w[0][i] = first_block + i;
    w[1][i] = key.step;
    w[2][i] = static_cast<std::uint32_t>(key.sample);
    w[3][i] = high;
  }
  auto k0 = static_cast<std::uint32_t>(key.seed);
  auto k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * w[0][i];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * w[2][i];
      w[0][i] = static_cast<std::uint32_t>(p1 >> 32) ^ w[1][i] ^ k0;
      w[1][i] = static_cast<std::uint32_t>(p1);
      w[2][i] = static_cast<std::uint32_t>(p0 >> 32) ^ w[3][i] ^ k1;
      w[3][i] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

// (word + 1/2) / 2^32, rounded once, in (0, 1]: small words keep all their bits, so that the tail
// of the normal is right out to 6.7 sigma.
TINTA_INLINE float open_uniform(std::uint32_t word) {
  const auto high = static_cast<float>(static_cast<std::int32_t>(word >> 16));
  const auto low = static_cast<float>(static_cast<std::int32_t>(word & 0xFFFFu));
  return (high * 65536.0f + (low + 0.5f)) * 0x1p-32f;
}

using Normals = std::array<float, 4 * kLanes>;

// Box and Muller 1958: two uniforms to two normals.
TINTA_INLINE void box_muller_lanes(const Words& w, Normals& out) {
  for (std::size_t half = 0; half < 2; ++half) {
    std::array<float, kLanes> first{};
    std::array<float, kLanes> second{};
    for (std::size_t i = 0; i < kLanes; ++i) {
      const float radius = __builtin_sqrtf(-2.0f * log_positive(open_uniform(w[2 * half][i])));
      const SinCos angle = sin_cos_turn(w[2 * half + 1][i]);
      first[i] = radius * angle.cos;
      second[i] = radius * angle.sin;
    }
    for (std::size_t i = 0; i < kLanes; ++i) {
      out[4 * i + 2 * half] = first[i];
      out[4 * i + 2 * half + 1] = second[i];
    }
  }
}

}  // namespace

TINTA_VECTOR_CLONES
void fill_normal_row(float* out, std::int64_t count, const RandomKey& key) {
  Words words;
  Normals normals;
  for (std::int64_t done = 0; done < count; done += 4 * kLanes) {
    philox_lanes(key, static_cast<std::uint32_t>(done / 4), words);
    box_muller_lanes(words, normals);
    const std::int64_t wanted = count - done < 4 * kLanes ? count - done : 4 * kLanes;
    for (std::int64_t i = 0; i < wanted; ++i) out[done + i] = normals[static_cast<std::size_t>(i)];
  }
}

TINTA_VECTOR_CLONES
void fill_dropout_row(float* out, std::int64_t count, const RandomKey& key, std::uint32_t threshold,
                      float kept) {
  Words words;
  for (std::int64_t done = 0; done < count; done += 4 * kLanes) {
    philox_lanes(key, static_cast<std::uint32_t>(done / 4), words);
    const std::int64_t wanted = count - done < 4 * kLanes ? count - done : 4 * kLanes;
    for (std::int64_t i = 0; i < wanted; ++i) {
      const std::uint32_t word =
          words[static_cast<std::size_t>(i % 4)][static_cast<std::size_t>(i / 4)];
      out[done + i] = word < threshold ? 0.0f : kept;
    }
  }
}

}  // namespace tinta::kernels
