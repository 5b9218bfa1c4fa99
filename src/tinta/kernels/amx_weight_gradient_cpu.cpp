#include "tinta/kernels/amx_weight_gradient_cpu.h"

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "tinta/kernels/native_vector.h"

// A product over places by AMX's tiles, of 16 rows of 64 bytes: sixteen outputs by 32 places times
// 32 places by sixteen inputs adds to sixteen outputs by sixteen inputs in float32. Two by two of
// the last are held while the places pass, hundreds of them.
//
// Pictures are laid out flat, with the padding that neighbours share: a row of zeros between two
// pictures, a column of zeros between a row and the next. A tap of the kernel is then one and the
// same distance for every place, and dy is zero at the places of the padding. x is kept as pairs of
// neighbours, as the tiles want it: once from even places on, once from odd ones, for taps at even
// and at odd distances. dy is turned on its side.

namespace tinta::kernels::TINTA_ISA {
namespace {

#if defined(__AMX_BF16__)

constexpr std::int64_t kRows = 16;         // of a tile
constexpr std::int64_t kTileBytes = 1024;  // 16 rows of 64 bytes
constexpr std::int64_t kTileFloats = 256;
constexpr std::int64_t kPlaces = 2 * kRows;  // in the depth of a product

using Words = std::uint32_t __attribute__((vector_size(64)));
using Halves = std::uint16_t __attribute__((vector_size(64)));
using Floats = float __attribute__((vector_size(64)));

template <class Vector>
TINTA_INLINE Vector load(const void* from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof(vector));
  return vector;
}
template <class Vector>
TINTA_INLINE void store(void* to, const Vector& vector) {
  std::memcpy(to, &vector, sizeof(vector));
}

/// Tiles of full size for as long as it lives. Left configured, they would make every change of
/// threads dearer.
class Tiles {
 public:
  Tiles() {
    struct alignas(64) Config {
      std::uint8_t palette = 1;
      std::uint8_t start_row = 0;
      std::uint8_t reserved[14] = {};
      std::uint16_t row_bytes[16] = {};
      std::uint8_t rows[16] = {};
    } config;
    for (int tile = 0; tile < 8; ++tile) {
      config.row_bytes[tile] = 64;
      config.rows[tile] = kRows;
    }
    _tile_loadconfig(&config);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

// GCC's tile intrinsics do not say that they read memory: what was written before must be there.
TINTA_INLINE void all_is_written() { __asm__ volatile("" ::: "memory"); }

/// The halves of two vectors' 128-bit lanes in turn, the low ones and the high ones: of 32 channels
/// of two neighbours, sixteen pairs each. channel_of() says which.
TINTA_INLINE Words pairs_low(const Halves& a, const Halves& b) {
  return (Words)__builtin_shufflevector(a, b, 0, 32, 1, 33, 2, 34, 3, 35, 8, 40, 9, 41, 10, 42, 11,
                                        43, 16, 48, 17, 49, 18, 50, 19, 51, 24, 56, 25, 57, 26, 58,
                                        27, 59);
}
TINTA_INLINE Words pairs_high(const Halves& a, const Halves& b) {
  return (Words)__builtin_shufflevector(a, b, 4, 36, 5, 37, 6, 38, 7, 39, 12, 44, 13, 45, 14, 46,
                                        15, 47, 20, 52, 21, 53, 22, 54, 23, 55, 28, 60, 29, 61, 30,
                                        62, 31, 63);
}
/// Of 32 channels the one that stands at place i of pairs_low() (half 0) or pairs_high() (1).
constexpr std::int64_t channel_of(std::int64_t half, std::int64_t i) {
  return i / 4 * 8 + half * 4 + i % 4;
}

/// Sums at the places of pairs_low() and pairs_high() to 32 channels of bfloat16, in order.
TINTA_INLINE void store_in_order(std::uint16_t* to, const Floats& low, const Floats& high) {
  const Floats first =
      __builtin_shufflevector(low, high, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const Floats last = __builtin_shufflevector(low, high, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14,
                                              15, 28, 29, 30, 31);
  const __m512bh halves = _mm512_cvtne2ps_pbh((__m512)last, (__m512)first);
  std::memcpy(to, &halves, sizeof(halves));
}

TINTA_INLINE void transpose(Words (&rows)[16]) {
  Words pairs[16];
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9,
                                       25, 12, 28, 13, 29);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26,
                                           11, 27, 14, 30, 15, 31);
  }
  Words fours[16];  // [four rows][column % 4], lanes by column / 4
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; ++j) {
      const Words& a = pairs[i + j];
      const Words& b = pairs[i + 2 + j];
      fours[i + 2 * j] =
          __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
      fours[i + 2 * j + 1] =
          __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
  }
  for (int c = 0; c < 4; ++c) {
    const Words low0 = __builtin_shufflevector(fours[c], fours[4 + c], 0, 1, 2, 3, 4, 5, 6, 7, 16,
                                               17, 18, 19, 20, 21, 22, 23);
    const Words low1 = __builtin_shufflevector(fours[8 + c], fours[12 + c], 0, 1, 2, 3, 4, 5, 6, 7,
                                               16, 17, 18, 19, 20, 21, 22, 23);
    const Words high0 = __builtin_shufflevector(fours[c], fours[4 + c], 8, 9, 10, 11, 12, 13, 14,
                                                15, 24, 25, 26, 27, 28, 29, 30, 31);
    const Words high1 = __builtin_shufflevector(fours[8 + c], fours[12 + c], 8, 9, 10, 11, 12, 13,
                                                14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    rows[c] = __builtin_shufflevector(low0, low1, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25,
                                      26, 27);
    rows[4 + c] = __builtin_shufflevector(low0, low1, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                          28, 29, 30, 31);
    rows[8 + c] = __builtin_shufflevector(high0, high1, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19,
                                          24, 25, 26, 27);
    rows[12 + c] = __builtin_shufflevector(high0, high1, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                           28, 29, 30, 31);
  }
}

/// A piece laid out flat: rows of `pitch` places, of which the last `padding` are zeros.
struct Flat {
  std::int64_t pitch;    ///< places from row to row
  std::int64_t picture;  ///< rows from picture to picture
  std::int64_t places;   ///< of y, those of the padding between them included
  std::int64_t blocks;   ///< of kPlaces
  std::int64_t x_places;

  Flat(const AmxShape& shape, const AmxPiece& piece)
      : pitch(shape.width + shape.padding),
        picture(shape.height + shape.padding),
        places(((piece.pictures - 1) * picture + piece.rows) * pitch),
        blocks((places + kPlaces - 1) / kPlaces),
        // Beyond the last place of the last block lies its last tap, and half of a pair.
        x_places(blocks * kPlaces + (shape.kernel - 1) * (pitch + 1) + 2) {}
};

// x at place padding + row * pitch + column, rows counted from `padding` above the piece.
void lay_out_x(const AmxShape& shape, const AmxPiece& piece, const Flat& flat,
               const std::uint16_t* x, std::uint16_t* to) {
  const auto row_bytes = static_cast<std::size_t>(shape.width * shape.in) * 2;
  const auto pad_bytes = static_cast<std::size_t>(shape.padding * shape.in) * 2;
  std::memset(to, 0, pad_bytes);
  for (std::int64_t n = 0; n < piece.pictures; ++n) {
    // The rows of padding below a picture are those above the next one.
    for (std::int64_t r = 0; r < piece.rows + shape.kernel - 1; ++r) {
      const std::int64_t y = piece.top + r - shape.padding;
      std::uint16_t* const row =
          to + (shape.padding + (n * flat.picture + r) * flat.pitch) * shape.in;
      if (y < 0 || y >= shape.height) {
        std::memset(row, 0, row_bytes + pad_bytes);
        continue;
      }
      std::memcpy(row, x + ((piece.first + n) * shape.height + y) * shape.width * shape.in,
                  row_bytes);
      std::memset(row + shape.width * shape.in, 0, pad_bytes);
    }
  }
  const std::int64_t rows = (piece.pictures - 1) * flat.picture + piece.rows + shape.kernel - 1;
  const std::int64_t end = shape.padding + rows * flat.pitch;
  std::memset(to + end * shape.in, 0,
              static_cast<std::size_t>((flat.x_places - end) * shape.in) * 2);
}

struct Parts {
  std::uint16_t* x;
  std::uint16_t* dy;         // of 32 outputs
  std::uint32_t* pairs[2];   // [in / 32][place / 2][2][16]
  std::uint16_t* turned;     // [place / 32][2][16][32 places]
  std::int64_t pair_places;  // pairs of a block of channels
};

/// Where each begins, and how much all take.
Parts parts_of(const AmxShape& shape, const Flat& flat, std::byte* memory, std::int64_t& bytes) {
  Parts parts{};
  parts.pair_places = flat.x_places / 2;
  bytes = 0;
  const auto take = [&](auto*& part, std::int64_t size) {
    using Pointer = std::remove_reference_t<decltype(part)>;
    part = memory == nullptr ? nullptr : reinterpret_cast<Pointer>(memory + bytes);
    bytes += (size + 63) / 64 * 64;
  };
  take(parts.x, flat.x_places * shape.in * 2);
  take(parts.dy, flat.blocks * kPlaces * kAmxChannels * 2);
  take(parts.pairs[0], parts.pair_places * shape.in * 4);
  take(parts.pairs[1], parts.pair_places * shape.in * 4);
  take(parts.turned, flat.blocks * kPlaces * kAmxChannels * 2);
  return parts;
}

std::int64_t scratch_bytes(const AmxShape& shape, const AmxPiece& largest) {
  std::int64_t bytes = 0;
  parts_of(shape, Flat(shape, largest), nullptr, bytes);
  return bytes;
}

void lay_out_pairs(const AmxShape& shape, const Flat& flat, const Parts& parts) {
  for (std::int64_t i = 0; i < shape.in; i += kAmxChannels) {
    std::uint32_t* even = parts.pairs[0] + i * parts.pair_places;
    std::uint32_t* odd = parts.pairs[1] + i * parts.pair_places;
    const std::uint16_t* from = parts.x + i;
    auto first = load<Halves>(from);
    for (std::int64_t place = 0; place + 2 < flat.x_places; place += 2) {
      const auto second = load<Halves>(from + shape.in);
      const auto third = load<Halves>(from + 2 * shape.in);
      store(even, pairs_low(first, second));
      store(even + kRows, pairs_high(first, second));
      if (shape.kernel > 1) {
        store(odd, pairs_low(second, third));
        store(odd + kRows, pairs_high(second, third));
      }
      first = third;
      from += 2 * shape.in;
      even += 2 * kRows;
      odd += 2 * kRows;
    }
  }
}

// dy of 32 outputs from o on, at the places of y, zeros elsewhere; on its side, its sums to `bias`.
void turn_dy(const AmxShape& shape, const AmxPiece& piece, const Flat& flat, std::int64_t o,
             const AmxArrays& arrays, const Parts& parts) {
  const std::int64_t width = shape.out_width();
  const std::int64_t places = flat.blocks * kPlaces;
  std::int64_t place = 0;
  const auto zeros_to = [&](std::int64_t end) {
    for (; place < end; ++place) store(parts.dy + place * kAmxChannels, Halves{});
  };
  for (std::int64_t n = 0; n < piece.pictures; ++n) {
    for (std::int64_t r = 0; r < piece.rows; ++r) {
      zeros_to((n * flat.picture + r) * flat.pitch);
      const std::uint16_t* from =
          arrays.dy +
          (((piece.first + n) * shape.out_height() + piece.top + r) * width) * shape.out + o;
      for (std::int64_t column = 0; column < width; ++column, ++place) {
        store(parts.dy + place * kAmxChannels, load<Halves>(from));
        from += shape.out;
      }
    }
  }
  zeros_to(places);
  float* const bias = arrays.bias + o;
  auto low = load<Floats>(bias);
  auto high = load<Floats>(bias + kRows);
  const auto ones = (__m512bh)(Words{} + 0x3F803F80u);
  std::uint16_t* to = parts.turned;
  for (std::int64_t block = 0; block < flat.blocks; ++block) {
    Words lows[16], highs[16];
    for (std::int64_t r = 0; r < kRows; ++r) {
      const std::uint16_t* const from = parts.dy + (block * kPlaces + 2 * r) * kAmxChannels;
      const auto first = load<Halves>(from);
      const auto second = load<Halves>(from + kAmxChannels);
      lows[r] = pairs_low(first, second);
      highs[r] = pairs_high(first, second);
      low = (Floats)_mm512_dpbf16_ps((__m512)low, (__m512bh)lows[r], ones);
      high = (Floats)_mm512_dpbf16_ps((__m512)high, (__m512bh)highs[r], ones);
    }
    transpose(lows);
    transpose(highs);
    for (const Words& row : lows) {
      store(to, row);
      to += kAmxChannels;
    }
    for (const Words& row : highs) {
      store(to, row);
      to += kAmxChannels;
    }
  }
  store(bias, low);
  store(bias + kRows, high);
}

// Four tiles of outputs by channels, summed over the blocks of places.
__attribute__((noinline)) void multiply(std::int64_t blocks, const std::uint16_t* dy,
                                        const std::uint32_t* pairs, float* sums) {
  all_is_written();
  _tile_loadd(0, sums, 64);
  _tile_loadd(1, sums + kTileFloats, 64);
  _tile_loadd(2, sums + 2 * kTileFloats, 64);
  _tile_loadd(3, sums + 3 * kTileFloats, 64);
  for (std::int64_t block = 0; block < blocks; ++block) {
    _tile_loadd(4, dy, 64);
    _tile_loadd(6, pairs, 128);
    _tile_loadd(5, dy + kTileBytes / 2, 64);
    _tile_loadd(7, pairs + kRows, 128);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    dy += kTileBytes;
    pairs += 2 * kRows * kRows;
  }
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + kTileFloats, 64);
  _tile_stored(2, sums + 2 * kTileFloats, 64);
  _tile_stored(3, sums + 3 * kTileFloats, 64);
  all_is_written();
}

void add(const AmxShape& shape, const AmxPiece& piece, const AmxOutputs& outputs,
         const AmxArrays& arrays, std::byte* memory) {
  const Flat flat(shape, piece);
  std::int64_t bytes = 0;
  const Parts parts = parts_of(shape, flat, memory, bytes);
  lay_out_x(shape, piece, flat, arrays.x, parts.x);
  lay_out_pairs(shape, flat, parts);
  const Tiles tiles;
  const std::int64_t inputs = shape.in / kAmxChannels;
  for (std::int64_t o = outputs.first; o < outputs.last; o += kAmxChannels) {
    turn_dy(shape, piece, flat, o, arrays, parts);
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
        for (std::int64_t kx = 0; kx < shape.kernel; ++kx) {
          const std::int64_t distance = ky * flat.pitch + kx;
          const std::int64_t tap = ky * shape.kernel + kx;
          multiply(flat.blocks, parts.turned,
                   parts.pairs[distance % 2] + (i * parts.pair_places + distance / 2) * 2 * kRows,
                   arrays.weight +
                       ((o / kAmxChannels * shape.taps() + tap) * inputs + i) * 4 * kTileFloats);
        }
      }
    }
  }
}

void finish(const AmxShape& shape, const AmxOutputs& outputs, std::int64_t shares,
            const AmxArrays& arrays, const AmxGradients& gradients) {
  const std::int64_t inputs = shape.in / kAmxChannels;
  const std::int64_t parts = shape.taps() * inputs;
  const std::int64_t weights = shape.out * shape.taps() * shape.in;
  const auto total = [shares](const float* low, std::int64_t high, std::int64_t share,
                              std::uint16_t* to) {
    Floats first{}, second{};
    for (std::int64_t s = 0; s < shares; ++s) {
      first += load<Floats>(low + s * share);
      second += load<Floats>(low + s * share + high);
    }
    store_in_order(to, first, second);
  };
  for (std::int64_t o = outputs.first; o < outputs.last; o += kAmxChannels) {
    for (std::int64_t part = 0; part < parts; ++part) {
      const float* const tiles =
          arrays.weight + (o / kAmxChannels * parts + part) * 4 * kTileFloats;
      for (std::int64_t row = 0; row < kAmxChannels; ++row) {
        const std::int64_t output = o + channel_of(row / kRows, row % kRows);
        total(tiles + row / kRows * 2 * kTileFloats + row % kRows * kRows, kTileFloats, weights,
              gradients.weight + (output * shape.taps() + part / inputs) * shape.in +
                  part % inputs * kAmxChannels);
      }
    }
    total(arrays.bias + o, kRows, shape.out, gradients.bias + o);
  }
}

#endif

}  // namespace

extern const AmxKernels amx_table;
#if defined(__AMX_BF16__)
const AmxKernels amx_table{.scratch = scratch_bytes, .add = add, .finish = finish};
#else
const AmxKernels amx_table{};
#endif

}  // namespace tinta::kernels::TINTA_ISA
