#pragma once

#include "tinta/kernels/device.h"
#include "tinta/kernels/group_norm_options.h"

// The programs of group_norm.h on a GPU. Pictures are [positions, channels], channels fastest. Sums
// go over positions in float within a chunk of a fixed length and in double over chunks and
// channels, each in an order that depends on the shape alone: no atomics, so the same bits in every
// run and on every GPU.

namespace tinta::kernels::device {

/// What every pass over a batch of pictures knows; all pointers on the GPU.
template <class T>
struct Norm {
  std::int64_t batch;
  std::int64_t positions;
  int channels;
  int groups;
  double eps;
  bool silu;
  const T* x;      ///< [batch, positions, channels]
  const T* shift;  ///< [batch, channels] or null
  const T* gamma;  ///< [channels], or [batch, channels] with own_affine
  const T* beta;   ///< likewise
  bool own_affine;
  float* mean;  ///< [batch, groups], of x + shift
  float* rstd;  ///< [batch, groups]
};

/// How a pass cuts a batch into blocks: of `columns` threads side by side, each with a pack of
/// neighbouring channels, times kThreads / columns rows, which share the positions of a chunk.
struct NormTiling {
  int pack;     ///< channels of a thread: 4, or 1 where these do not divide them
  int columns;  ///< a power of two, at most 32
  int tiles;    ///< blocks side by side
  std::int64_t chunk;
  std::int64_t chunks;  ///< of a picture
};

inline NormTiling norm_tiling(std::int64_t positions, int channels, int pack) {
  NormTiling t{pack, 1, 0, 256, 0};
  const int packs = (channels + pack - 1) / pack;
  while (t.columns < packs && t.columns < 32) t.columns *= 2;
  t.tiles = (packs + t.columns - 1) / t.columns;
  t.chunks = ceil_div(positions, t.chunk);
  return t;
}

/// A thread's place in a pass: its picture, first channel and positions.
struct NormPlace {
  std::int64_t picture;
  std::int64_t chunk;
  int channel;
  int row;
  int rows;
  std::int64_t begin;  ///< its first position; the next are `rows` further on
  std::int64_t end;
};

template <class T>
TINTA_HD NormPlace norm_place(const Norm<T>& n, const NormTiling& t, const Place& place) {
  NormPlace p;
  const int tile = static_cast<int>(place.block % t.tiles);
  p.chunk = place.block / t.tiles % t.chunks;
  p.picture = place.block / t.tiles / t.chunks;
  p.channel = (tile * t.columns + place.thread % t.columns) * t.pack;
  p.row = place.thread / t.columns;
  p.rows = kThreads / t.columns;
  const std::int64_t end = (p.chunk + 1) * t.chunk;
  p.begin = p.channel < n.channels ? p.chunk * t.chunk + p.row : n.positions;
  p.end = end < n.positions ? end : n.positions;
  return p;
}

/// What a thread knows of one channel of its picture: z = (x - pivot) slope + beta.
struct NormChannel {
  float pivot;
  float slope;
  float beta;
};

template <class T>
TINTA_HD float shift_of(const Norm<T>& n, std::int64_t picture, int channel) {
  return n.shift == nullptr ? 0.0f : to_float(n.shift[picture * n.channels + channel]);
}

template <class T>
TINTA_HD float gamma_of(const Norm<T>& n, std::int64_t picture, int channel) {
  return to_float(n.gamma[(n.own_affine ? picture * n.channels : 0) + channel]);
}

template <class T>
TINTA_HD float beta_of(const Norm<T>& n, std::int64_t picture, int channel) {
  return to_float(n.beta[(n.own_affine ? picture * n.channels : 0) + channel]);
}

template <class T>
TINTA_HD NormChannel norm_channel(const Norm<T>& n, std::int64_t picture, int channel) {
  const std::int64_t group = picture * n.groups + channel / (n.channels / n.groups);
  return {n.mean[group] - shift_of(n, picture, channel),
          gamma_of(n, picture, channel) * n.rstd[group], beta_of(n, picture, channel)};
}

template <class T>
TINTA_HD std::int64_t element_of(const Norm<T>& n, const NormPlace& p, std::int64_t position) {
  return (p.picture * n.positions + position) * n.channels + p.channel;
}

template <class T>
TINTA_HD float through_activation(const Norm<T>& n, const NormChannel& c, float x, float dy) {
  if (!n.silu) return dy;
  const float z = (x - c.pivot) * c.slope + c.beta;
  const float s = sigmoid(z);
  return dy * (s * (1.0f + z * (1.0f - s)));
}

/// Folds kSums sums of each channel over the rows of a block and writes them to
/// partial[picture][chunk][kSums][channels]. Phases 1 to log2(rows).
template <int kSums, int kPack, class T>
TINTA_HD void fold_rows(const Norm<T>& n, const NormPlace& p, int columns, int phase, int thread,
                        float* sums, float* partial) {
  const int half = (p.rows >> phase) * columns;
  for (int k = 0; k < kSums * kPack; ++k) fold(sums + k * kThreads, thread, half);
  if (half > columns || thread >= columns || p.channel >= n.channels) return;
  for (int k = 0; k < kSums; ++k) {
    for (int j = 0; j < kPack; ++j) {
      partial[k * n.channels + p.channel + j] = sums[(k * kPack + j) * kThreads + thread];
    }
  }
}

inline int log2_of(int n) {
  int log = 0;
  while (n > 1) {
    n /= 2;
    ++log;
  }
  return log;
}

/// Sums of x and of its squares about each channel's first value.
template <class T, int kPack>
struct NormMoments {
  static constexpr int kSums = 2;
  Norm<T> n;
  NormTiling t;
  float* partial;
  int folds;  ///< log2 of the rows

  TINTA_HD int phases() const { return 1 + folds; }
  TINTA_HD void run(int phase, const Place& place, unsigned char* shared) const {
    auto* sums = reinterpret_cast<float*>(shared);
    const NormPlace p = norm_place(n, t, place);
    if (phase > 0) {
      fold_rows<kSums, kPack>(n, p, t.columns, phase, place.thread, sums,
                              partial + (p.picture * t.chunks + p.chunk) * kSums * n.channels);
      return;
    }
    float sum[kPack] = {};
    float square[kPack] = {};
    if (p.begin < p.end) {
      const auto pivot = *reinterpret_cast<const Pack<T, kPack>*>(n.x + element_of(n, p, 0));
      for (std::int64_t i = p.begin; i < p.end; i += p.rows) {
        const auto x = *reinterpret_cast<const Pack<T, kPack>*>(n.x + element_of(n, p, i));
        for (int j = 0; j < kPack; ++j) {
          const float value = to_float(x.value[j]) - to_float(pivot.value[j]);
          sum[j] += value;
          square[j] += value * value;
        }
      }
    }
    for (int j = 0; j < kPack; ++j) {
      sums[j * kThreads + place.thread] = sum[j];
      sums[(kPack + j) * kThreads + place.thread] = square[j];
    }
  }
};

/// A warp for each group: adds up the chunks and channels.
constexpr int kWarp = 32;

/// Mean and 1 / standard deviation of each group: the channels' own moments joined (Chan et al.
/// 1979), in double.
template <class T>
struct NormStatistics {
  Norm<T> n;
  std::int64_t chunks;
  const float* partial;

  TINTA_HD int phases() const { return 12; }
  TINTA_HD void run(int phase, const Place& place, unsigned char* shared) const {
    auto* means = reinterpret_cast<double*>(shared);
    double* spreads = means + kWarp;
    const int width = n.channels / n.groups;
    if (phase >= 1 && phase <= 5) return fold(means, place.thread, kWarp >> phase);
    if (phase >= 7) {
      fold(spreads, place.thread, kWarp >> (phase - 6));
      if (phase == 11 && place.thread == 0) write(place.block, means[0] / width, spreads[0]);
      return;
    }
    const std::int64_t picture = place.block / n.groups;
    const int first = static_cast<int>(place.block % n.groups) * width;
    if (phase == 0) {
      double sum = 0;
      for (int c = first + place.thread; c < first + width; c += kWarp) {
        sum += channel(picture, c).mean;
      }
      means[place.thread] = sum;
    } else {  // 6
      const double mean = means[0] / width;
      double sum = 0;
      for (int c = first + place.thread; c < first + width; c += kWarp) {
        const Moments own = channel(picture, c);
        const double apart = own.mean - mean;
        sum += own.spread + static_cast<double>(n.positions) * apart * apart;
      }
      spreads[place.thread] = sum;
    }
  }

 private:
  struct Moments {
    double mean;    ///< of x + shift
    double spread;  ///< sum of squares about it
  };
  TINTA_HD void write(std::int64_t group, double mean, double spread) const {
    const double count = static_cast<double>(n.positions) * (n.channels / n.groups);
    n.mean[group] = static_cast<float>(mean);
    // Squares beyond float's range (values beyond 1e19) must not end as a finite result: 0 times
    // inf.
    n.rstd[group] = static_cast<float>(1 / square_root(spread / count + n.eps) + 0 * spread);
  }
  TINTA_HD Moments channel(std::int64_t picture, int c) const {
    double sum = 0;
    double square = 0;
    for (std::int64_t k = 0; k < chunks; ++k) {
      const float* own = partial + (picture * chunks + k) * 2 * n.channels + c;
      sum += static_cast<double>(own[0]);
      square += static_cast<double>(own[n.channels]);
    }
    const double count = static_cast<double>(n.positions);
    const float pivot = to_float(n.x[picture * n.positions * n.channels + c]);
    const double spread = square - sum * sum / count;
    return {static_cast<double>(pivot) + sum / count + static_cast<double>(shift_of(n, picture, c)),
            spread > 0 ? spread : 0};
  }
};

/// y = act(z).
template <class T, int kPack>
struct NormApply {
  Norm<T> n;
  NormTiling t;
  T* y;

  TINTA_HD int phases() const { return 1; }
  TINTA_HD void run(int /*phase*/, const Place& place, unsigned char* /*shared*/) const {
    const NormPlace p = norm_place(n, t, place);
    if (p.begin >= p.end) return;
    NormChannel c[kPack];
    for (int j = 0; j < kPack; ++j) c[j] = norm_channel(n, p.picture, p.channel + j);
    for (std::int64_t i = p.begin; i < p.end; i += p.rows) {
      const std::int64_t at = element_of(n, p, i);
      auto x = *reinterpret_cast<const Pack<T, kPack>*>(n.x + at);
      for (int j = 0; j < kPack; ++j) {
        const float z = (to_float(x.value[j]) - c[j].pivot) * c[j].slope + c[j].beta;
        x.value[j] = from_float<T>(n.silu ? z * sigmoid(z) : z);
      }
      *reinterpret_cast<Pack<T, kPack>*>(y + at) = x;
    }
  }
};

}  // namespace tinta::kernels::device
