#include "tinta/kernels/group_norm_cpu.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tinta/kernels/vector_math.h"

namespace tinta::kernels {
namespace {

// Sums over positions run in float over blocks of this many and in double over blocks, so that
// large pictures lose no digits.
constexpr std::int64_t kBlock = 256;

// sum_c += x - pivot_c and square_c += (x - pivot_c)^2 over a block of positions.
template <class T>
TINTA_INLINE void block_moments(const T* __restrict x, std::int64_t positions,
                                std::int64_t channels, const float* __restrict pivot,
                                float* __restrict sum, float* __restrict square) {
  for (std::int64_t c = 0; c < channels; ++c) sum[c] = square[c] = 0;
  for (std::int64_t p = 0; p < positions; ++p) {
    const T* row = x + p * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float value = load(row[c]) - pivot[c];
      sum[c] += value;
      square[c] += value * value;
    }
  }
}

TINTA_VECTOR_CLONES
void moments(const float* x, std::int64_t positions, std::int64_t channels, const float* pivot,
             float* sum, float* square) {
  block_moments(x, positions, channels, pivot, sum, square);
}
TINTA_VECTOR_CLONES
void moments(const std::uint16_t* x, std::int64_t positions, std::int64_t channels,
             const float* pivot, float* sum, float* square) {
  block_moments(x, positions, channels, pivot, sum, square);
}

// y = act(x * slope_c + offset_c).
template <class T>
TINTA_INLINE void affine_activation(const T* __restrict x, T* __restrict y, std::int64_t positions,
                                    std::int64_t channels, const float* __restrict slope,
                                    const float* __restrict offset, Activation activation) {
  for (std::int64_t p = 0; p < positions; ++p) {
    const T* __restrict in = x + p * channels;
    T* __restrict out = y + p * channels;
    if (activation == Activation::silu) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float z = load(in[c]) * slope[c] + offset[c];
        store(out[c], z * sigmoid(z));
      }
    } else {
      for (std::int64_t c = 0; c < channels; ++c) store(out[c], load(in[c]) * slope[c] + offset[c]);
    }
  }
}

TINTA_VECTOR_CLONES
void apply(const float* x, float* y, std::int64_t positions, std::int64_t channels,
           const float* slope, const float* offset, Activation activation) {
  affine_activation(x, y, positions, channels, slope, offset, activation);
}
TINTA_VECTOR_CLONES
void apply(const std::uint16_t* x, std::uint16_t* y, std::int64_t positions, std::int64_t channels,
           const float* slope, const float* offset, Activation activation) {
  affine_activation(x, y, positions, channels, slope, offset, activation);
}

// What the backward pass knows of each channel.
struct ChannelLines {
  const float* slope;  // z = x slope + offset
  const float* offset;
  const float* pivot;  // the mean, in terms of x without its shift
  float* dz_sum;       // sum of dz over a block of positions
  float* dz_x_sum;     // sum of dz (x - pivot)
  float* x_sum;        // sum of x - pivot
};

// dz = dy act'(z), kept for the second visit, and its sums over a block of positions.
template <class T>
TINTA_INLINE void activation_gradient(const T* __restrict x, const T* __restrict dy,
                                      float* __restrict dz, std::int64_t positions,
                                      std::int64_t channels, const ChannelLines& lines,
                                      Activation activation) {
  const float* __restrict slope = lines.slope;
  const float* __restrict offset = lines.offset;
  const float* __restrict pivot = lines.pivot;
  float* __restrict a = lines.dz_sum;
  float* __restrict b = lines.dz_x_sum;
  float* __restrict sum = lines.x_sum;
  for (std::int64_t c = 0; c < channels; ++c) a[c] = b[c] = sum[c] = 0;
  for (std::int64_t p = 0; p < positions; ++p) {
    const T* __restrict in = x + p * channels;
    const T* __restrict upstream = dy + p * channels;
    float* __restrict out = dz + p * channels;
    if (activation == Activation::silu) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float z = load(in[c]) * slope[c] + offset[c];
        const float s = sigmoid(z);
        out[c] = load(upstream[c]) * (s * (1.0f + z * (1.0f - s)));
      }
    } else {
      for (std::int64_t c = 0; c < channels; ++c) out[c] = load(upstream[c]);
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      const float centred = load(in[c]) - pivot[c];
      a[c] += out[c];
      b[c] += out[c] * centred;
      sum[c] += centred;
    }
  }
}

TINTA_VECTOR_CLONES
void through_activation(const float* x, const float* dy, float* dz, std::int64_t positions,
                        std::int64_t channels, const ChannelLines& lines, Activation activation) {
  activation_gradient(x, dy, dz, positions, channels, lines, activation);
}
TINTA_VECTOR_CLONES
void through_activation(const std::uint16_t* x, const std::uint16_t* dy, float* dz,
                        std::int64_t positions, std::int64_t channels, const ChannelLines& lines,
                        Activation activation) {
  activation_gradient(x, dy, dz, positions, channels, lines, activation);
}

// dx = on_dz_c dz + on_x_c x + constant_c.
struct InputLines {
  const float* on_dz;
  const float* on_x;
  const float* constant;
};

template <class T>
TINTA_INLINE void combine(const T* __restrict x, const float* __restrict dz, T* __restrict dx,
                          std::int64_t positions, std::int64_t channels, const InputLines& lines) {
  const float* __restrict on_dz = lines.on_dz;
  const float* __restrict on_x = lines.on_x;
  const float* __restrict constant = lines.constant;
  for (std::int64_t p = 0; p < positions; ++p) {
    const T* __restrict in = x + p * channels;
    const float* __restrict gradient = dz + p * channels;
    T* __restrict out = dx + p * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      store(out[c], on_dz[c] * gradient[c] + (on_x[c] * load(in[c]) + constant[c]));
    }
  }
}

TINTA_VECTOR_CLONES
void input_gradient(const float* x, const float* dz, float* dx, std::int64_t positions,
                    std::int64_t channels, const InputLines& lines) {
  combine(x, dz, dx, positions, channels, lines);
}
TINTA_VECTOR_CLONES
void input_gradient(const std::uint16_t* x, const float* dz, std::uint16_t* dx,
                    std::int64_t positions, std::int64_t channels, const InputLines& lines) {
  combine(x, dz, dx, positions, channels, lines);
}

template <class T>
float shift_at(const GroupNormPicture<T>& picture, std::int64_t c) {
  return picture.shift == nullptr ? 0.0f : load(picture.shift[c]);
}

// Mean and variance of x + shift in each group. Sums are taken about the group's mean at the first
// position, so that a large common offset costs no digits.
template <class T>
void statistics(const GroupNormPicture<T>& picture, const GroupNormOptions& options,
                float* scratch) {
  const std::int64_t channels = picture.channels;
  const std::int64_t width = channels / options.groups;
  float* pivot = scratch;
  float* sum = scratch + channels;
  float* square = scratch + 2 * channels;
  for (std::int64_t g = 0; g < options.groups; ++g) {
    double mean = 0;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      mean += load(picture.x[c]) + shift_at(picture, c);
    }
    const auto centre = static_cast<float>(mean / static_cast<double>(width));
    picture.mean[g] = centre;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      pivot[c] = centre - shift_at(picture, c);
    }
  }
  std::vector<double> totals(static_cast<std::size_t>(options.groups));
  std::vector<double> squares(static_cast<std::size_t>(options.groups));
  for (std::int64_t p = 0; p < picture.positions; p += kBlock) {
    const std::int64_t count = std::min(kBlock, picture.positions - p);
    moments(picture.x + p * channels, count, channels, pivot, sum, square);
    for (std::int64_t c = 0; c < channels; ++c) {
      totals[static_cast<std::size_t>(c / width)] += sum[c];
      squares[static_cast<std::size_t>(c / width)] += square[c];
    }
  }
  const auto count = static_cast<double>(picture.positions * width);
  for (std::int64_t g = 0; g < options.groups; ++g) {
    const double centred = totals[static_cast<std::size_t>(g)] / count;
    const double variance =
        std::max(0.0, squares[static_cast<std::size_t>(g)] / count - centred * centred);
    picture.mean[g] = static_cast<float>(picture.mean[g] + centred);
    picture.rstd[g] = static_cast<float>(1 / std::sqrt(variance + options.eps));
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

}  // namespace

template <class T>
void group_norm_forward(const GroupNormPicture<T>& picture, const GroupNormOptions& options, T* y,
                        float* scratch) {
  statistics(picture, options, scratch);
  affine(picture, options, scratch, scratch + picture.channels);
  apply(picture.x, y, picture.positions, picture.channels, scratch, scratch + picture.channels,
        options.activation);
}

// With xhat = (x + shift - mean) rstd and n values in a group:
//   dgamma_c = sum dz xhat,  dbeta_c = sum dz,
//   dx = rstd (gamma dz - mean_n(gamma dz) - xhat mean_n(gamma dz xhat)),  dshift_c = sum dx.
template <class T>
void group_norm_backward(const GroupNormPicture<T>& picture, const GroupNormOptions& options,
                         const GroupNormGradients<T>& gradients, float* scratch) {
  const std::int64_t channels = picture.channels;
  const std::int64_t width = channels / options.groups;
  float* slope = scratch;
  float* offset = scratch + channels;
  float* pivot = scratch + 2 * channels;
  float* a = scratch + 3 * channels;
  float* b = scratch + 4 * channels;
  float* block_sum = scratch + 5 * channels;
  float* x_sum = scratch + 6 * channels;
  float* dz = scratch + 7 * channels;
  affine(picture, options, slope, offset);
  for (std::int64_t c = 0; c < channels; ++c) {
    pivot[c] = picture.mean[c / width] - shift_at(picture, c);
    gradients.dgamma[c] = gradients.dbeta[c] = x_sum[c] = 0;
  }
  for (std::int64_t p = 0; p < picture.positions; p += kBlock) {
    const std::int64_t count = std::min(kBlock, picture.positions - p);
    through_activation(picture.x + p * channels, gradients.dy + p * channels, dz + p * channels,
                       count, channels, {slope, offset, pivot, a, b, block_sum},
                       options.activation);
    for (std::int64_t c = 0; c < channels; ++c) {
      gradients.dbeta[c] += a[c];
      gradients.dgamma[c] += b[c] * picture.rstd[c / width];
      x_sum[c] += block_sum[c];
    }
  }
  const auto count = static_cast<double>(picture.positions * width);
  for (std::int64_t g = 0; g < options.groups; ++g) {
    double mean_dz = 0;
    double mean_dz_xhat = 0;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      mean_dz += static_cast<double>(picture.gamma[c]) * gradients.dbeta[c] / count;
      mean_dz_xhat += static_cast<double>(picture.gamma[c]) * gradients.dgamma[c] / count;
    }
    const double rstd = picture.rstd[g];
    const double on_x = -rstd * rstd * mean_dz_xhat;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      a[c] = static_cast<float>(on_x);
      b[c] = static_cast<float>(-rstd * mean_dz - on_x * pivot[c]);
      if (gradients.dshift != nullptr) {
        gradients.dshift[c] = static_cast<float>(
            static_cast<double>(slope[c]) * gradients.dbeta[c] + on_x * x_sum[c] -
            rstd * mean_dz * static_cast<double>(picture.positions));
      }
    }
  }
  input_gradient(picture.x, dz, gradients.dx, picture.positions, channels, {slope, a, b});
}

template void group_norm_forward(const GroupNormPicture<float>&, const GroupNormOptions&, float*,
                                 float*);
template void group_norm_forward(const GroupNormPicture<std::uint16_t>&, const GroupNormOptions&,
                                 std::uint16_t*, float*);
template void group_norm_backward(const GroupNormPicture<float>&, const GroupNormOptions&,
                                  const GroupNormGradients<float>&, float*);
template void group_norm_backward(const GroupNormPicture<std::uint16_t>&, const GroupNormOptions&,
                                  const GroupNormGradients<std::uint16_t>&, float*);

}  // namespace tinta::kernels
