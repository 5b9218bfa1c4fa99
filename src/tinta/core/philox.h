#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tinta {

/// What a random number is for. Two streams never share a number. The values are written into
/// checkpoints' meaning: never renumber, only append.
enum class Stream : std::uint8_t {
  weights = 1,           ///< initial weights; sample = the layer's ordinal
  data_order = 2,        ///< shuffling; see permutation.h
  time = 3,              ///< training: the step t of each image
  noise = 4,             ///< training: epsilon of each image
  dropout = 5,           ///< training: dropout masks; step = layer ordinal
  class_dropout = 6,     ///< training: which labels become the null class
  augment = 7,           ///< training: flips and the like
  sample_start = 8,      ///< sampling: x_T
  sample_step = 9,       ///< sampling: z at each step
  sample_label = 10,     ///< sampling: classes, where none is asked for
  draw = 11,             ///< built-in data: one sample per picture or point
  denoise_forward = 12,  ///< evaluation: epsilon of each held-out image; step = t
  denoise_chain = 13,    ///< evaluation: z of the reverse chain; step = (t_start, t)
  lab = 14,              ///< the laboratory's own draws
  particles = 15,        ///< physics: the random force on each particle; step = time step
  inpaint = 16,          ///< inpainting: every draw of a chain; step = the draw's place in it
  validation = 17,       ///< training: t and epsilon of each held-out picture; step = 2 bin, + 1
  test = 255,            ///< tests only
};

/// Names one sequence of random numbers: (seed, stream, sample, step). Every draw in tinta is a
/// pure function of a key and an offset, so no draw depends on the order of draws.
struct RandomKey {
  std::uint64_t seed = 0;
  Stream stream = Stream::test;
  std::uint64_t sample = 0;  ///< below 2^56
  std::uint32_t step = 0;
};

/// Philox4x32-10. Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
/// @param counter 128 bits, least significant word first
/// @param key     64 bits, least significant word first
/// @return four independent uniform 32-bit words
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// The four words at position `block` of a key's sequence. The key is the seed; the counter is
/// (block, step, low half of sample, stream and high part of sample): distinct keys never collide.
constexpr std::array<std::uint32_t, 4> random_block(const RandomKey& key,
                                                    std::uint32_t block) noexcept {
  return philox4x32(
      {block, key.step, static_cast<std::uint32_t>(key.sample),
       static_cast<std::uint32_t>(key.stream) << 24 |
           (static_cast<std::uint32_t>(key.sample >> 32) & 0x00FFFFFFu)},
      {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)});
}

/// Word `index` of a key's sequence.
constexpr std::uint32_t random_word(const RandomKey& key, std::uint32_t index = 0) noexcept {
  return random_block(key, index / 4)[index % 4];
}

/// Uniform in [0, 1), 53 bits, numbers 2 pair and 2 pair + 1 of a key's sequence of doubles.
constexpr std::array<double, 2> random_uniforms(const RandomKey& key, std::uint32_t pair) noexcept {
  const auto words = random_block(key, pair);
  const auto joined = [](std::uint64_t high, std::uint64_t low) {
    return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
  };
  return {joined(words[0], words[1]), joined(words[2], words[3])};
}

/// Number `index` of that sequence.
constexpr double random_uniform(const RandomKey& key, std::uint32_t index = 0) noexcept {
  return random_uniforms(key, index / 2)[index % 2];
}

/// Uniform integer in [0, n), number `index` of a key's sequence of integers. Its bias is below
/// n / 2^64, far under what any test could see.
/// @param n at least 1
constexpr std::uint64_t random_below(const RandomKey& key, std::uint64_t n,
                                     std::uint32_t index = 0) noexcept {
  const auto words = random_block(key, index / 2);
  const std::uint64_t word = std::uint64_t{words[std::size_t{2} * (index % 2)]} << 32 |
                             words[std::size_t{2} * (index % 2) + 1];
  // The high half of a 64 x 64 product, in halves: ISO C++ has no 128-bit integer.
  const std::uint64_t a = word >> 32, b = word & 0xFFFFFFFFu, c = n >> 32, d = n & 0xFFFFFFFFu;
  const std::uint64_t middle = (b * d >> 32) + (a * d & 0xFFFFFFFFu) + (b * c & 0xFFFFFFFFu);
  return a * c + (a * d >> 32) + (b * c >> 32) + (middle >> 32);
}

/// A standard normal double, number `index` of a key's sequence, by Box-Muller. For tensors use
/// kernels/random.h, which is fast and has its own sequence in single precision.
double random_normal(const RandomKey& key, std::uint32_t index = 0) noexcept;

}  // namespace tinta
