#include "tinta/kernels/weight_gradient_cpu.h"

#include "tinta/kernels/native_vector.h"

// dW[o][ky][kx][i] = sum over pictures and places of dY[y][x][o] X[y + ky - pad][x + kx - pad][i].
// As a product over places: input channels stand in vectors, output channels are spread one by one,
// and the sums stay in registers over hundreds of places. Both sides are laid out for it first, in
// units of 32 bits: one float, or two neighbours of a row in bfloat16, which the processor
// multiplies and adds at once. X is laid out once for each kx; each ky is then a shift by rows.
//
// Multiply-adds are fused where there is an instruction for it, so results are the same bits within
// an instruction set only.

namespace tinta::kernels::TINTA_ISA {
namespace {

constexpr int kVectors = 2;  // of input channels
constexpr std::int64_t kInputs = kVectors * kNative;
// Outputs whose sums are held at a time: sixteen or eight registers.
constexpr int kHeld = kNativeBytes == 64 ? 8 : 4;
// Places that are laid out at a time, about: what is read again and again stays in the L2 cache.
constexpr std::int64_t kUnits = 512;

using Eight = std::uint32_t __attribute__((vector_size(32)));
using EightFloats = float __attribute__((vector_size(32)));
using EightHalves = std::uint16_t __attribute__((vector_size(16)));

TINTA_INLINE NativeFloats load_units(const std::uint32_t* from) {
  NativeFloats units;
  std::memcpy(&units, from, sizeof(units));
  return units;
}
TINTA_INLINE void store_units(std::uint32_t* to, const NativeWords& units) {
  std::memcpy(to, &units, sizeof(units));
}

/// One float a unit.
struct Singles {
  using Element = float;
  static constexpr std::int64_t kPlaces = 1;

  static TINTA_INLINE NativeFloats add_product(const NativeFloats& sum, const NativeFloats& x,
                                               std::uint32_t dy) {
#if defined(__AVX512F__)
    return (NativeFloats)_mm512_fmadd_ps((__m512)x, _mm512_set1_ps(bits<float>(dy)), (__m512)sum);
#elif defined(__FMA__)
    return (NativeFloats)_mm256_fmadd_ps((__m256)x, _mm256_set1_ps(bits<float>(dy)), (__m256)sum);
#else
    return sum + x * bits<float>(dy);
#endif
  }

  static TINTA_INLINE NativeWords vector_of(const float* const (&places)[1], std::int64_t c) {
    return places[0] == nullptr ? NativeWords{} : bits<NativeWords>(load_native(places[0] + c));
  }
  static TINTA_INLINE Eight eight_of(const float* const (&places)[1], std::int64_t c) {
    Eight units;
    std::memcpy(&units, places[0] + c, sizeof(units));
    return units;
  }
  static TINTA_INLINE EightFloats total(const Eight& units) { return bits<EightFloats>(units); }
};

#if defined(__AVX512BF16__)
/// Two bfloat16 a unit, the left place in its lower half.
struct Pairs {
  using Element = std::uint16_t;
  static constexpr std::int64_t kPlaces = 2;

  static TINTA_INLINE NativeFloats add_product(const NativeFloats& sum, const NativeFloats& x,
                                               std::uint32_t dy) {
    const auto spread = (__m512bh)_mm512_set1_epi32(static_cast<int>(dy));
    return (NativeFloats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, spread);
  }

  template <class Words, class Halves>
  static TINTA_INLINE Words joined(const Element* const (&places)[2], std::int64_t c) {
    Halves halves[2] = {};
    for (int i = 0; i < 2; ++i) {
      if (places[i] != nullptr) std::memcpy(&halves[i], places[i] + c, sizeof(Halves));
    }
    return __builtin_convertvector(halves[0], Words) |
           (__builtin_convertvector(halves[1], Words) << 16);
  }
  static TINTA_INLINE NativeWords vector_of(const Element* const (&places)[2], std::int64_t c) {
    return joined<NativeWords, NativeHalves>(places, c);
  }
  static TINTA_INLINE Eight eight_of(const Element* const (&places)[2], std::int64_t c) {
    return joined<Eight, EightHalves>(places, c);
  }
  static TINTA_INLINE EightFloats total(const Eight& units) {
    return bits<EightFloats>(units << 16) + bits<EightFloats>(units & 0xFFFF0000u);
  }
};
#endif

/// How much is laid out at a time: some whole pictures, or a band of rows of one.
struct Layout {
  std::int64_t row;       ///< units in a row
  std::int64_t rows;      ///< of a band, the most
  std::int64_t x_rows;    ///< those that they look at
  std::int64_t pictures;  ///< at a time
};

template <class Units>
Layout layout_of(const ConvolutionShape& shape) {
  const std::int64_t row = (shape.width + Units::kPlaces - 1) / Units::kPlaces;
  const std::int64_t bands = (shape.height * row + kUnits - 1) / kUnits;
  const std::int64_t rows = (shape.height + bands - 1) / bands;
  const std::int64_t fit = bands > 1 ? 1 : kUnits / (shape.height * row);
  return {.row = row,
          .rows = rows,
          .x_rows = rows + shape.kernel - 1,
          .pictures = fit < shape.pictures ? fit : shape.pictures};
}

template <class Units>
std::int64_t scratch_words(const ConvolutionShape& shape) {
  const Layout layout = layout_of<Units>(shape);
  return layout.pictures * layout.row *
         (shape.kernel * layout.x_rows * kInputs + layout.rows * shape.out);
}

/// Where each place of unit `j` of a row lies, the row moved by `shift`; null beyond its ends.
template <class Units>
struct Places {
  const typename Units::Element* at[Units::kPlaces];

  TINTA_INLINE Places(const typename Units::Element* row, std::int64_t width, std::int64_t channels,
                      std::int64_t j, std::int64_t shift) {
    for (std::int64_t i = 0; i < Units::kPlaces; ++i) {
      const std::int64_t x = j * Units::kPlaces + i + shift;
      at[i] = row == nullptr || x < 0 || x >= width ? nullptr : row + x * channels;
    }
  }
};

/// A group of pictures, or a band of one, as it is laid out.
struct Piece {
  std::int64_t first = 0;  ///< picture
  std::int64_t pictures = 0;
  std::int64_t top = 0;  ///< row
  std::int64_t rows = 0;
};

// X of a block of channels: [kx][picture][row + ky][unit][kInputs].
template <class Units>
void lay_out_x(const ConvolutionShape& shape, const Layout& layout, const Piece& piece,
               const typename Units::Element* x, std::uint32_t* to) {
  const std::int64_t pad = shape.kernel / 2;
  for (std::int64_t kx = 0; kx < shape.kernel; ++kx) {
    for (std::int64_t n = 0; n < layout.pictures; ++n) {
      for (std::int64_t r = 0; r < layout.x_rows; ++r) {
        const std::int64_t y = piece.top + r - pad;
        const bool inside = n < piece.pictures && y >= 0 && y < shape.height;
        const auto* row =
            inside ? x + ((piece.first + n) * shape.height + y) * shape.width * shape.in : nullptr;
        for (std::int64_t j = 0; j < layout.row; ++j) {
          const Places<Units> places(row, shape.width, shape.in, j, kx - pad);
          for (int v = 0; v < kVectors; ++v) {
            store_units(to, Units::vector_of(places.at, v * kNative));
            to += kNative;
          }
        }
      }
    }
  }
}

// dY: [block of eight outputs][picture][row][unit][8]; its sums to `bias` where that is given.
template <class Units>
void lay_out_dy(const ConvolutionShape& shape, const Layout& layout, const Piece& piece,
                const typename Units::Element* dy, std::uint32_t* to, float* bias) {
  for (std::int64_t o = 0; o < shape.out; o += kGradientOutputs) {
    EightFloats sums{};
    for (std::int64_t n = 0; n < piece.pictures; ++n) {
      for (std::int64_t r = 0; r < piece.rows; ++r) {
        const std::int64_t y = (piece.first + n) * shape.height + piece.top + r;
        for (std::int64_t j = 0; j < layout.row; ++j) {
          const Places<Units> places(dy + y * shape.width * shape.out, shape.width, shape.out, j,
                                     0);
          const Eight units = Units::eight_of(places.at, o);
          std::memcpy(to, &units, sizeof(units));
          to += kGradientOutputs;
          sums += Units::total(units);
        }
      }
    }
    if (bias == nullptr) continue;
    for (std::int64_t i = 0; i < kGradientOutputs; ++i) bias[o + i] += sums[i];
  }
}

/// One tap of the kernel and kHeld output channels: what is multiplied.
struct Tap {
  const std::uint32_t* x;
  std::int64_t x_picture;  ///< words from picture to picture
  const std::uint32_t* dy;
  std::int64_t pictures;
  std::int64_t units;  ///< of a picture
};

// to[o][i] += sum over units of dy_o x_i.
template <class Units>
__attribute__((noinline)) void add_products(const Tap& tap, float* to, std::int64_t stride) {
  NativeFloats sums[kHeld][kVectors];
  for (int o = 0; o < kHeld; ++o) {
    for (int v = 0; v < kVectors; ++v) sums[o][v] = load_native(to + o * stride + v * kNative);
  }
  const std::uint32_t* dy = tap.dy;
  for (std::int64_t n = 0; n < tap.pictures; ++n) {
    const std::uint32_t* x = tap.x + n * tap.x_picture;
    for (std::int64_t j = 0; j < tap.units; ++j) {
      NativeFloats values[kVectors];
      for (int v = 0; v < kVectors; ++v) values[v] = load_units(x + v * kNative);
      for (int o = 0; o < kHeld; ++o) {
        for (int v = 0; v < kVectors; ++v) {
          sums[o][v] = Units::add_product(sums[o][v], values[v], dy[o]);
        }
      }
      x += kInputs;
      dy += kGradientOutputs;
    }
  }
  for (int o = 0; o < kHeld; ++o) {
    for (int v = 0; v < kVectors; ++v) store_native(to + o * stride + v * kNative, sums[o][v]);
  }
}

template <class Units>
void add_part(const ConvolutionShape& shape, const Layout& layout, const Piece& piece,
              const std::uint32_t* x, const std::uint32_t* dy, float* weight) {
  const std::int64_t taps = shape.kernel * shape.kernel;
  const std::int64_t x_row = layout.row * kInputs;
  Tap tap{.x = nullptr,
          .x_picture = layout.x_rows * x_row,
          .dy = nullptr,
          .pictures = piece.pictures,
          .units = piece.rows * layout.row};
  for (std::int64_t o = 0; o < shape.out; o += kHeld) {
    tap.dy = dy + (o / kGradientOutputs * kGradientOutputs) * tap.pictures * tap.units +
             o % kGradientOutputs;
    for (std::int64_t t = 0; t < taps; ++t) {
      const std::int64_t ky = t / shape.kernel;
      const std::int64_t kx = t % shape.kernel;
      tap.x = x + kx * layout.pictures * tap.x_picture + ky * x_row;
      add_products<Units>(tap, weight + (o * taps + t) * shape.in, taps * shape.in);
    }
  }
}

template <class Units>
void run(const ConvolutionShape& shape, const GradientTask& task,
         const GradientArrays<typename Units::Element>& arrays, std::uint32_t* scratch) {
  const Layout layout = layout_of<Units>(shape);
  std::uint32_t* x = scratch;
  std::uint32_t* dy =
      scratch + layout.pictures * layout.row * shape.kernel * layout.x_rows * kInputs;
  for (std::int64_t n = task.first; n < task.last; n += layout.pictures) {
    const std::int64_t left = task.last - n;
    for (std::int64_t top = 0; top < shape.height; top += layout.rows) {
      const std::int64_t below = shape.height - top;
      const Piece piece{.first = n,
                        .pictures = left < layout.pictures ? left : layout.pictures,
                        .top = top,
                        .rows = below < layout.rows ? below : layout.rows};
      lay_out_x<Units>(shape, layout, piece, arrays.x + task.channel, x);
      lay_out_dy<Units>(shape, layout, piece, arrays.dy, dy,
                        task.channel == 0 ? arrays.bias : nullptr);
      add_part<Units>(shape, layout, piece, x, dy, arrays.weight + task.channel);
    }
  }
}

}  // namespace

extern const WeightGradientKernels weight_gradient_table;
const WeightGradientKernels weight_gradient_table {
  .inputs = kInputs, .run_f32 = run<Singles>, .scratch_f32 = scratch_words<Singles>,
#if defined(__AVX512BF16__)
  .run_bf16 = run<Pairs>, .scratch_bf16 = scratch_words<Pairs>,
#else
  .run_bf16 = nullptr, .scratch_bf16 = nullptr,
#endif
};

}  // namespace tinta::kernels::TINTA_ISA
