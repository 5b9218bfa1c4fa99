#include "tinta/kernels/group_norm_cpu.h"

#include "tinta/kernels/kept_lanes.h"

namespace tinta::kernels::TINTA_ISA {
namespace {

// Sums over positions run in float over blocks of this many. Those of the statistics are added up
// in double, so that large pictures lose no digits.
constexpr std::int64_t kBlock = 256;

/// This many vectors of channels at a time: so that what is kept of each fits into the registers,
/// and memory is read in long runs.
template <int kCount>
struct Vectors {
  static constexpr int count = kCount;
};
constexpr int kMostVectors = kNativeBytes == 64 ? 4 : 2;

// Calls body(Vectors<n>, width, first) for channels first, ... until all are done.
template <class Body>
TINTA_INLINE void for_channels(std::int64_t channels, const Body& body) {
  std::int64_t c = 0;
  for (; c + kMostVectors * kNative <= channels; c += kMostVectors * kNative) {
    body(Vectors<kMostVectors>{}, Whole{}, c);
  }
  if constexpr (kMostVectors > 2) {
    for (; c + 2 * kNative <= channels; c += 2 * kNative) body(Vectors<2>{}, Whole{}, c);
  }
  for (; c + kNative <= channels; c += kNative) body(Vectors<1>{}, Whole{}, c);
  if (c < channels) body(Vectors<1>{}, Part{channels - c}, c);
}

/// What is known or gathered of some channels, in registers.
template <int kCount>
struct Lanes {
  NativeFloats at[kCount];
};
template <int kCount, class Width>
TINTA_INLINE Lanes<kCount> get(const float* from, Vectors<kCount> /*vectors*/, Width width) {
  Lanes<kCount> lanes;
  for (int v = 0; v < kCount; ++v) lanes.at[v] = load_lanes(from + v * kNative, width);
  return lanes;
}
template <int kCount, class Width>
TINTA_INLINE void put(float* to, const Lanes<kCount>& lanes, Width width) {
  for (int v = 0; v < kCount; ++v) store_lanes(to + v * kNative, lanes.at[v], width);
}

float one(const float* from) { return *from; }
float one(const std::uint16_t* from) {
  return bits<float>(static_cast<std::uint32_t>(*from) << 16);
}
#if defined(__AVX512BF16__)
float one(const HardwareBfloat16* from) { return one(&from->bits); }
#endif

template <class T>
float shift_at(const GroupNormPicture<T>& picture, std::int64_t c) {
  return picture.shift == nullptr ? 0.0f : one(picture.shift + c);
}

std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

// sum_c = sum of x - pivot_c and square_c = sum of its squares over a block of positions.
template <class T>
void block_moments(const T* x, std::int64_t positions, std::int64_t channels, const float* pivot,
                   float* sum, float* square) {
  for_channels(channels, [&](auto vectors, auto width, std::int64_t c) {
    constexpr int kCount = decltype(vectors)::count;
    const Lanes<kCount> centre = get(pivot + c, vectors, width);
    Lanes<kCount> s{};
    Lanes<kCount> q{};
    for (std::int64_t p = 0; p < positions; ++p) {
      const T* from = x + p * channels + c;
      for (int v = 0; v < kCount; ++v) {
        const NativeFloats value = load_lanes(from + v * kNative, width) - centre.at[v];
        s.at[v] += value;
        q.at[v] = multiply_add(value, value, q.at[v]);
      }
    }
    put(sum + c, s, width);
    put(square + c, q, width);
  });
}

// Mean and variance of x + shift in each group. Sums are taken about the group's mean at the first
// position, so that a large common offset costs no digits.
template <class T>
void statistics(const GroupNormPicture<T>& picture, const GroupNormOptions& options, float* scratch,
                double* totals) {
  const std::int64_t channels = picture.channels;
  const std::int64_t width = channels / options.groups;
  float* pivot = scratch;
  float* sum = scratch + channels;
  float* square = scratch + 2 * channels;
  double* squares = totals + options.groups;
  for (std::int64_t g = 0; g < options.groups; ++g) {
    double mean = 0;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      mean += one(picture.x + c) + shift_at(picture, c);
    }
    const auto centre = static_cast<float>(mean / static_cast<double>(width));
    picture.mean[g] = centre;
    totals[g] = squares[g] = 0;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      pivot[c] = centre - shift_at(picture, c);
    }
  }
  for (std::int64_t p = 0; p < picture.positions; p += kBlock) {
    block_moments(picture.x + p * channels, least(kBlock, picture.positions - p), channels, pivot,
                  sum, square);
    for (std::int64_t c = 0; c < channels; ++c) {
      totals[c / width] += sum[c];
      squares[c / width] += square[c];
    }
  }
  const auto count = static_cast<double>(picture.positions * width);
  for (std::int64_t g = 0; g < options.groups; ++g) {
    const double centred = totals[g] / count;
    const double variance = squares[g] / count - centred * centred;
    picture.mean[g] = static_cast<float>(picture.mean[g] + centred);
    // Squares beyond float's range (values beyond 1e19) must not end as a finite result.
    picture.rstd[g] =
        variance * 0 == 0
            ? static_cast<float>(1 / __builtin_sqrt((variance > 0 ? variance : 0) + options.eps))
            : __builtin_nanf("");
  }
}

// Normalisation and affine map in one: z = x * slope + offset.
template <class T>
void affine(const GroupNormPicture<T>& picture, const GroupNormOptions& options, float* slope,
            float* offset) {
  const std::int64_t width = picture.channels / options.groups;
  for (std::int64_t c = 0; c < picture.channels; ++c) {
    slope[c] = picture.gamma[c] * picture.rstd[c / width];
    offset[c] = picture.beta[c] + (shift_at(picture, c) - picture.mean[c / width]) * slope[c];
  }
}

/// What follows the affine map.
template <Activation kActivation, bool kDropped>
struct Tail {
  static constexpr bool silu = kActivation == Activation::silu;
  static constexpr bool dropped = kDropped;
};

// Calls body(Tail<...>{}) for what follows in a picture.
template <class T, class Body>
TINTA_INLINE void for_tail(const GroupNormPicture<T>& picture, const GroupNormOptions& options,
                           const Body& body) {
  const bool silu = options.activation == Activation::silu;
  if (picture.kept != nullptr) {
    silu ? body(Tail<Activation::silu, true>{}) : body(Tail<Activation::none, true>{});
  } else {
    silu ? body(Tail<Activation::silu, false>{}) : body(Tail<Activation::none, false>{});
  }
}

// y = dropout(act(x * slope_c + offset_c)).
template <class Then, class T>
void apply(Then /*tail*/, const GroupNormPicture<T>& picture, const float* slope,
           const float* offset, T* y) {
  const std::int64_t channels = picture.channels;
  for_channels(channels, [&](auto vectors, auto width, std::int64_t c) {
    constexpr int kCount = decltype(vectors)::count;
    const Lanes<kCount> a = get(slope + c, vectors, width);
    const Lanes<kCount> b = get(offset + c, vectors, width);
    for (std::int64_t p = 0; p < picture.positions; ++p) {
      const std::int64_t at = p * channels + c;
      for (int v = 0; v < kCount; ++v) {
        const NativeFloats x = load_lanes(picture.x + at + v * kNative, width);
        NativeFloats z = multiply_add(x, a.at[v], b.at[v]);
        if constexpr (Then::silu) z *= sigmoid_native(z);
        if constexpr (Then::dropped) {
          z = kept_lanes(z * picture.kept_scale, bits_at(picture.kept, at + v * kNative));
        }
        store_lanes(y + at + v * kNative, z, width);
      }
    }
  });
}

template <class T>
void forward(const GroupNormPicture<T>& picture, const GroupNormOptions& options, T* y,
             float* scratch, double* totals) {
  statistics(picture, options, scratch, totals);
  float* slope = scratch;
  float* offset = scratch + picture.channels;
  affine(picture, options, slope, offset);
  for_tail(picture, options, [&](auto tail) { apply(tail, picture, slope, offset, y); });
}

// What the backward pass knows and gathers of each channel, [channels] each.
struct Lines {
  float* slope;  // z = x slope + offset
  float* offset;
  float* pivot;     // the mean, in terms of x without its shift
  float* dz_sum;    // sum of dz over a block of positions
  float* dz_x_sum;  // sum of dz (x - pivot)
  float* x_sum;     // sum of x - pivot
};

// dz = dy' act'(z), with dy' what dropout let through, and its sums over a block of positions from
// `first` on. It is left where dx will be, for the second visit; the sums are of what it was before
// it was rounded for that.
template <class Then, class T>
void through_activation(Then /*tail*/, const GroupNormPicture<T>& picture,
                        const GroupNormGradients<T>& gradients, std::int64_t first,
                        std::int64_t positions, const Lines& lines) {
  const std::int64_t channels = picture.channels;
  for_channels(channels, [&](auto vectors, auto width, std::int64_t c) {
    constexpr int kCount = decltype(vectors)::count;
    const Lanes<kCount> slope = get(lines.slope + c, vectors, width);
    const Lanes<kCount> offset = get(lines.offset + c, vectors, width);
    const Lanes<kCount> pivot = get(lines.pivot + c, vectors, width);
    Lanes<kCount> a{};
    Lanes<kCount> b{};
    Lanes<kCount> sum{};
    for (std::int64_t p = 0; p < positions; ++p) {
      for (int v = 0; v < kCount; ++v) {
        const std::int64_t at = (first + p) * channels + c + v * kNative;
        const NativeFloats value = load_lanes(picture.x + at, width);
        NativeFloats gradient = load_lanes(gradients.dy + at, width);
        if constexpr (Then::dropped) {
          gradient = kept_lanes(gradient * picture.kept_scale, bits_at(picture.kept, at));
        }
        if constexpr (Then::silu) {
          const NativeFloats z = multiply_add(value, slope.at[v], offset.at[v]);
          const NativeFloats s = sigmoid_native(z);
          gradient *= s * multiply_add(z, 1.0f - s, NativeFloats{} + 1.0f);
        }
        store_lanes(gradients.dx + at, gradient, width);
        const NativeFloats centred = value - pivot.at[v];
        a.at[v] += gradient;
        b.at[v] = multiply_add(gradient, centred, b.at[v]);
        sum.at[v] += centred;
      }
    }
    put(lines.dz_sum + c, a, width);
    put(lines.dz_x_sum + c, b, width);
    put(lines.x_sum + c, sum, width);
  });
}

// dx = slope_c dz + on_x_c x + constant_c (+ plus), with dz where dx is to be.
template <bool kPlus, class T>
void input_gradient(const GroupNormPicture<T>& picture, const GroupNormGradients<T>& gradients,
                    const float* slope, const float* on_x, const float* constant) {
  T* const dx = gradients.dx;
  const std::int64_t channels = picture.channels;
  for_channels(channels, [&](auto vectors, auto width, std::int64_t c) {
    constexpr int kCount = decltype(vectors)::count;
    const Lanes<kCount> k = get(slope + c, vectors, width);
    const Lanes<kCount> l = get(on_x + c, vectors, width);
    const Lanes<kCount> m = get(constant + c, vectors, width);
    for (std::int64_t p = 0; p < picture.positions; ++p) {
      for (int v = 0; v < kCount; ++v) {
        const std::int64_t at = p * channels + c + v * kNative;
        NativeFloats on = multiply_add(l.at[v], load_lanes(picture.x + at, width), m.at[v]);
        if constexpr (kPlus) on += load_lanes(gradients.plus + at, width);
        store_lanes(dx + at, multiply_add(k.at[v], load_lanes(dx + at, width), on), width);
      }
    }
  });
}

// With xhat = (x + shift - mean) rstd and n values in a group:
//   dgamma_c = sum dz xhat,  dbeta_c = sum dz,
//   dx = rstd (gamma dz - mean_n(gamma dz) - xhat mean_n(gamma dz xhat)),  dshift_c = sum dx.
template <class T>
void backward(const GroupNormPicture<T>& picture, const GroupNormOptions& options,
              const GroupNormGradients<T>& gradients, float* scratch) {
  const std::int64_t channels = picture.channels;
  const std::int64_t width = channels / options.groups;
  const Lines lines{scratch,
                    scratch + channels,
                    scratch + 2 * channels,
                    scratch + 3 * channels,
                    scratch + 4 * channels,
                    scratch + 5 * channels};
  float* x_sum = scratch + 6 * channels;
  affine(picture, options, lines.slope, lines.offset);
  for (std::int64_t c = 0; c < channels; ++c) {
    lines.pivot[c] = picture.mean[c / width] - shift_at(picture, c);
    gradients.dgamma[c] = gradients.dbeta[c] = x_sum[c] = 0;
  }
  for (std::int64_t p = 0; p < picture.positions; p += kBlock) {
    const std::int64_t count = least(kBlock, picture.positions - p);
    for_tail(picture, options,
             [&](auto tail) { through_activation(tail, picture, gradients, p, count, lines); });
    for (std::int64_t c = 0; c < channels; ++c) {
      gradients.dbeta[c] += lines.dz_sum[c];
      gradients.dgamma[c] += lines.dz_x_sum[c] * picture.rstd[c / width];
      x_sum[c] += lines.x_sum[c];
    }
  }
  float* on_x = lines.dz_sum;
  float* constant = lines.dz_x_sum;
  const auto count = static_cast<double>(picture.positions * width);
  for (std::int64_t g = 0; g < options.groups; ++g) {
    double mean_dz = 0;
    double mean_dz_xhat = 0;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      mean_dz += static_cast<double>(picture.gamma[c]) * gradients.dbeta[c] / count;
      mean_dz_xhat += static_cast<double>(picture.gamma[c]) * gradients.dgamma[c] / count;
    }
    const double rstd = picture.rstd[g];
    const double on_each_x = -rstd * rstd * mean_dz_xhat;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      on_x[c] = static_cast<float>(on_each_x);
      constant[c] = static_cast<float>(-rstd * mean_dz - on_each_x * lines.pivot[c]);
      if (gradients.dshift != nullptr) {
        gradients.dshift[c] = static_cast<float>(
            static_cast<double>(lines.slope[c]) * gradients.dbeta[c] + on_each_x * x_sum[c] -
            rstd * mean_dz * static_cast<double>(picture.positions));
      }
    }
  }
  (gradients.plus == nullptr
       ? input_gradient<false, T>
       : input_gradient<true, T>)(picture, gradients, lines.slope, on_x, constant);
}

#if defined(__AVX512BF16__)
HardwareBfloat16* hardware(std::uint16_t* values) {
  return reinterpret_cast<HardwareBfloat16*>(values);
}
const HardwareBfloat16* hardware(const std::uint16_t* values) {
  return reinterpret_cast<const HardwareBfloat16*>(values);
}
GroupNormPicture<HardwareBfloat16> hardware(const GroupNormPicture<std::uint16_t>& p) {
  return {p.positions, p.channels, hardware(p.x), hardware(p.shift), p.gamma, p.beta,
          p.mean,      p.rstd,     p.kept,        p.kept_scale};
}

void forward_hardware(const GroupNormPicture<std::uint16_t>& picture,
                      const GroupNormOptions& options, std::uint16_t* y, float* scratch,
                      double* totals) {
  forward(hardware(picture), options, hardware(y), scratch, totals);
}
void backward_hardware(const GroupNormPicture<std::uint16_t>& picture,
                       const GroupNormOptions& options,
                       const GroupNormGradients<std::uint16_t>& gradients, float* scratch) {
  backward<HardwareBfloat16>(
      hardware(picture), options,
      {hardware(gradients.dy), hardware(gradients.dx), hardware(gradients.plus), gradients.dshift,
       gradients.dgamma, gradients.dbeta},
      scratch);
}
#endif

void sigmoid_row(const float* in, float* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += kNative) {
    store_native(out + i, sigmoid_native(load_native(in + i)));
  }
}
void to_bf16_row(const float* in, std::uint16_t* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += kNative) store_native(out + i, load_native(in + i));
}

#if defined(__AVX512BF16__)
void to_hardware_bf16_row(const float* in, std::uint16_t* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += kNative) {
    store_native(hardware(out + i), load_native(in + i));
  }
}
#else
constexpr GroupNormForward<std::uint16_t> forward_hardware = nullptr;
constexpr GroupNormBackward<std::uint16_t> backward_hardware = nullptr;
constexpr void (*to_hardware_bf16_row)(const float*, std::uint16_t*, std::int64_t) = nullptr;
#endif

}  // namespace

extern const GroupNormKernels group_norm_table;
const GroupNormKernels group_norm_table{
    forward<float>,      forward<std::uint16_t>, backward<float>, backward<std::uint16_t>,
    forward_hardware,    backward_hardware,      sigmoid_row,     to_bf16_row,
    to_hardware_bf16_row};

}  // namespace tinta::kernels::TINTA_ISA
