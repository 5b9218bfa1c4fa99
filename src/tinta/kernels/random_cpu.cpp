#include "tinta/kernels/random_cpu.h"

#include "tinta/kernels/vector_math.h"

namespace tinta::kernels::TINTA_ISA {
namespace {

// Philox words of kLanes consecutive blocks, word by word.
struct PhiloxLanes {
  Words word[4];
};

// Philox4x32-10, the same function as tinta::philox4x32, written so that the compiler sees a loop
// over lanes with widening products.
TINTA_INLINE PhiloxLanes philox_lanes(const RandomKey& key, std::uint32_t first_block) {
  std::uint32_t w0[kLanes], w1[kLanes], w2[kLanes], w3[kLanes];
  const auto high = static_cast<std::uint32_t>(key.stream) << 24 |
                    (static_cast<std::uint32_t>(key.sample >> 32) & 0x00FFFFFFu);
  for (std::uint32_t i = 0; i < kLanes; ++i) {
    w0[i] = first_block + i;
    w1[i] = key.step;
    w2[i] = static_cast<std::uint32_t>(key.sample);
    w3[i] = high;
  }
  auto k0 = static_cast<std::uint32_t>(key.seed);
  auto k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::int64_t i = 0; i < kLanes; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * w0[i];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * w2[i];
      w0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ w1[i] ^ k0;
      w1[i] = static_cast<std::uint32_t>(p1);
      w2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ w3[i] ^ k1;
      w3[i] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  PhiloxLanes lanes;
  std::memcpy(&lanes.word[0], w0, sizeof(w0));
  std::memcpy(&lanes.word[1], w1, sizeof(w1));
  std::memcpy(&lanes.word[2], w2, sizeof(w2));
  std::memcpy(&lanes.word[3], w3, sizeof(w3));
  return lanes;
}

// Box and Muller 1958: two uniforms to two normals. Block i fills places 4 i .. 4 i + 3.
TINTA_INLINE void box_muller(const PhiloxLanes& lanes, float* out) {
  float value[4][kLanes];
  for (int half = 0; half < 2; ++half) {
    const Floats radius =
        square_root(-2.0f * log_positive(open_uniform_of<Floats>(lanes.word[2 * half])));
    const SinCos angle = sin_cos_turn(lanes.word[2 * half + 1]);
    store(value[2 * half], radius * angle.cos);
    store(value[2 * half + 1], radius * angle.sin);
  }
  for (std::int64_t i = 0; i < kLanes; ++i) {
    for (std::int64_t j = 0; j < 4; ++j) out[4 * i + j] = value[j][i];
  }
}

void normal_row(float* out, std::int64_t count, const RandomKey& key) {
  constexpr std::int64_t kChunk = 4 * kLanes;
  std::int64_t done = 0;
  for (; done + kChunk <= count; done += kChunk) {
    box_muller(philox_lanes(key, static_cast<std::uint32_t>(done / 4)), out + done);
  }
  if (done < count) {
    float rest[kChunk];
    box_muller(philox_lanes(key, static_cast<std::uint32_t>(done / 4)), rest);
    std::memcpy(out + done, rest, static_cast<std::size_t>(count - done) * sizeof(float));
  }
}

void dropout_row(float* out, std::int64_t count, const RandomKey& key, std::uint32_t threshold,
                 float kept) {
  for (std::int64_t done = 0; done < count; done += 4 * kLanes) {
    const PhiloxLanes lanes = philox_lanes(key, static_cast<std::uint32_t>(done / 4));
    const std::int64_t wanted = count - done < 4 * kLanes ? count - done : 4 * kLanes;
    for (std::int64_t i = 0; i < wanted; ++i) {
      out[done + i] = lanes.word[i % 4][i / 4] < threshold ? 0.0f : kept;
    }
  }
}

template <class F>
TINTA_INLINE void map_row(const float* in, float* out, std::int64_t count, F function) {
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const std::int64_t part = count - i < kLanes ? count - i : kLanes;
    store_part(out + i, function(load_part(in + i, part)), part);
  }
}

void exp_row(const float* in, float* out, std::int64_t count) {
  map_row(in, out, count, [](const Floats& x) { return exp_clamped(x); });
}
void log_row(const float* in, float* out, std::int64_t count) {
  map_row(in, out, count, [](const Floats& x) { return log_positive(x); });
}
void sin_cos_row(const std::uint32_t* turn, float* sin, float* cos, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const SinCos both = sin_cos_turn(Words{} + turn[i]);
    sin[i] = both.sin[0];
    cos[i] = both.cos[0];
  }
}
void to_bf16_row(const float* in, std::uint16_t* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const std::int64_t part = count - i < kLanes ? count - i : kLanes;
    store_part(out + i, load_part(in + i, part), part);
  }
}

}  // namespace

extern const RandomKernels random_table;
const RandomKernels random_table{normal_row, dropout_row, exp_row,
                                 log_row,    sin_cos_row, to_bf16_row};

}  // namespace tinta::kernels::TINTA_ISA
