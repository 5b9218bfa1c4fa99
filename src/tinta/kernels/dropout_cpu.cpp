#include "tinta/kernels/dropout_cpu.h"

#include "tinta/kernels/kept_lanes.h"

namespace tinta::kernels::TINTA_ISA {
namespace {

constexpr std::int64_t kBlocks = kNative / 2;  // Philox blocks of a register, one to 64 bits

/// Words of kBlocks consecutive blocks in their order: two registers.
struct WordPair {
  NativeWords low;
  NativeWords high;
};

// Lanes of 64 bits in pairs: a's even ones beside b's, and the odd ones.
TINTA_INLINE WordPair paired(const NativeWides& a, const NativeWides& b) {
#if defined(__AVX512F__)
  return {bits<NativeWords>(__builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14)),
          bits<NativeWords>(__builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15))};
#elif defined(__AVX2__)
  return {bits<NativeWords>(__builtin_shufflevector(a, b, 0, 4, 2, 6)),
          bits<NativeWords>(__builtin_shufflevector(a, b, 1, 5, 3, 7))};
#else
  return {bits<NativeWords>(__builtin_shufflevector(a, b, 0, 2)),
          bits<NativeWords>(__builtin_shufflevector(a, b, 1, 3))};
#endif
}

/// Philox4x32-10, the same function as tinta::philox4x32, of one key's blocks. Words are kept one
/// to a 64-bit lane, because that is how products come out. Even lanes hold the first half of a
/// register's blocks and odd lanes the second, so that paired() leaves all words in order.
class Blocks {
 public:
  TINTA_INLINE explicit Blocks(const RandomKey& key)
      : step_(NativeWides{} + key.step),
        sample_(NativeWides{} + static_cast<std::uint32_t>(key.sample)),
        high_(NativeWides{} + (static_cast<std::uint32_t>(key.stream) << 24 |
                               (static_cast<std::uint32_t>(key.sample >> 32) & 0x00FFFFFFu))) {
    const auto key0 = static_cast<std::uint32_t>(key.seed);
    const auto key1 = static_cast<std::uint32_t>(key.seed >> 32);
    for (std::uint32_t round = 0; round < 10; ++round) {
      key0_[round] = NativeWides{} + (key0 + round * 0x9E3779B9u);
      key1_[round] = NativeWides{} + (key1 + round * 0xBB67AE85u);
    }
    for (std::int64_t i = 0; i < kBlocks; ++i) {
      order_[i] = static_cast<std::uint64_t>(i / 2 + i % 2 * kBlocks / 2);
    }
  }

  TINTA_INLINE WordPair words(std::int64_t first_block) const {
    NativeWides w0 = order_ + static_cast<std::uint64_t>(first_block);
    NativeWides w1 = step_;
    NativeWides w2 = sample_;
    NativeWides w3 = high_;
    for (int round = 0; round < 10; ++round) {
      const NativeWides p0 = multiply_low(w0, NativeWides{} + 0xD2511F53u);
      const NativeWides p1 = multiply_low(w2, NativeWides{} + 0xCD9E8D57u);
      // What stands in the high halves is never looked at.
      w0 = (p1 >> 32) ^ w1 ^ key0_[round];
      w1 = p1;
      w2 = (p0 >> 32) ^ w3 ^ key1_[round];
      w3 = p0;
    }
    return paired(bits<NativeWides>(interleave_low(w0, w1)),
                  bits<NativeWides>(interleave_low(w2, w3)));
  }

 private:
  NativeWides key0_[10];
  NativeWides key1_[10];
  NativeWides order_;
  NativeWides step_;
  NativeWides sample_;
  NativeWides high_;
};

void bits_row(std::uint64_t* out, std::int64_t words, const RandomKey& key,
              std::uint32_t threshold) {
  const Blocks blocks(key);
  for (std::int64_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    for (std::int64_t part = 0; part < 16 / kBlocks; ++part) {
      const WordPair pair = blocks.words(16 * i + part * kBlocks);
      const std::uint64_t both = lanes_from(pair.low, threshold) |
                                 static_cast<std::uint64_t>(lanes_from(pair.high, threshold))
                                     << kNative;
      word |= both << (part * 2 * kNative);
    }
    out[i] = word;
  }
}

template <class T>
void apply(const T* from, T* to, std::int64_t count, const std::uint64_t* kept, float scale) {
  const auto step = [&](auto width, std::int64_t i) {
    const NativeFloats values = load_lanes(from + i, width) * scale;
    store_lanes(to + i, kept_lanes(values, bits_at(kept, i)), width);
  };
  std::int64_t i = 0;
  for (; i + kNative <= count; i += kNative) step(Whole{}, i);
  if (i < count) step(Part{count - i}, i);
}

}  // namespace

extern const DropoutKernels dropout_table;
const DropoutKernels dropout_table{bits_row, apply<float>, apply<std::uint16_t>};

}  // namespace tinta::kernels::TINTA_ISA
