#pragma once

#include "tinta/kernels/device.h"

// The programs of random.h on a GPU.

namespace tinta::kernels::device {

/// Rows of random numbers, [rows, length] float32.
struct RandomRows {
  float* out;
  std::int64_t rows;
  std::int64_t length;
  Key first;                    ///< of row 0; row i has sample first.sample + i,
  const std::int64_t* samples;  ///< or where this is not null, sample samples[i]
};

/// Which four neighbours of which row a thread fills.
struct RandomPlace {
  Key key;
  std::int64_t row;
  std::int64_t begin;  ///< place in the row
  int count;           ///< 1 to 4, or 0: nothing to do
};

TINTA_HD RandomPlace random_place(const RandomRows& rows, const Place& place) {
  const std::int64_t blocks = ceil_div(rows.length, 4);
  const std::int64_t i = place.block * kThreads + place.thread;
  RandomPlace mine{rows.first, 0, 0, 0};
  if (i >= rows.rows * blocks) return mine;
  mine.row = i / blocks;
  mine.begin = 4 * (i % blocks);
  const std::int64_t left = rows.length - mine.begin;
  mine.count = left < 4 ? static_cast<int>(left) : 4;
  mine.key.sample = rows.samples == nullptr
                        ? rows.first.sample + static_cast<std::uint64_t>(mine.row)
                        : static_cast<std::uint64_t>(rows.samples[mine.row]);
  return mine;
}

TINTA_HD void store_four(const RandomRows& rows, const RandomPlace& mine,
                         const Pack<float, 4>& four) {
  float* out = rows.out + mine.row * rows.length + mine.begin;
  if (mine.count == 4 && reinterpret_cast<std::uintptr_t>(out) % sizeof(four) == 0) {
    *reinterpret_cast<Pack<float, 4>*>(out) = four;
    return;
  }
  for (int j = 0; j < mine.count; ++j) out[j] = four.value[j];
}

inline Grid random_grid(const RandomRows& rows) {
  return {ceil_div(rows.rows * ceil_div(rows.length, 4), kThreads), kThreads, 0};
}

/// Box and Muller 1958 on one Philox block, as random_cpu.cpp does it.
struct FillNormal {
  RandomRows rows;

  TINTA_HD int phases() const { return 1; }
  TINTA_HD void run(int /*phase*/, const Place& place, unsigned char* /*shared*/) const {
    const RandomPlace mine = random_place(rows, place);
    if (mine.count == 0) return;
    const Block block = philox_block(mine.key, static_cast<std::uint32_t>(mine.begin / 4));
    Pack<float, 4> four;
    float* value = four.value;
    for (int half = 0; half < 2; ++half) {
      const auto uniform = open_uniform_of<float>(block.word[2 * half]);
      const float radius = square_root(-2.0f * log_positive(uniform));
      const auto angle = sin_cos_of_turn<float>(block.word[2 * half + 1]);
      value[2 * half] = radius * angle.cos;
      value[2 * half + 1] = radius * angle.sin;
    }
    store_four(rows, mine, four);
  }
};

/// 0 where the word is below the threshold, `kept` elsewhere.
struct FillDropout {
  RandomRows rows;
  std::uint32_t threshold;
  float kept;

  TINTA_HD int phases() const { return 1; }
  TINTA_HD void run(int /*phase*/, const Place& place, unsigned char* /*shared*/) const {
    const RandomPlace mine = random_place(rows, place);
    if (mine.count == 0) return;
    const Block block = philox_block(mine.key, static_cast<std::uint32_t>(mine.begin / 4));
    Pack<float, 4> four;
    for (int j = 0; j < 4; ++j) four.value[j] = block.word[j] < threshold ? 0.0f : kept;
    store_four(rows, mine, four);
  }
};

}  // namespace tinta::kernels::device
