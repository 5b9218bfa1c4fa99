#pragma once

#include "tinta/kernels/group_norm_device.h"

// The backward pass of group_norm.h on a GPU. With dz = dy act'(z), xhat = (x - pivot) rstd and n
// values in a group:
//   dgamma_c = sum dz xhat,  dbeta_c = sum dz,
//   dx = slope dz + (on_x (x - pivot) + constant),  dshift_c = sum dx,
//   on_x = -rstd^2 mean_n(gamma dz xhat),  constant = -rstd mean_n(gamma dz).

namespace tinta::kernels::device {

/// Sums over a chunk of dz, dz (x - pivot) and x - pivot.
template <class T, int kPack>
struct NormGradientSums {
  static constexpr int kSums = 3;
  Norm<T> n;
  NormTiling t;
  const T* dy;
  float* partial;
  int folds;

  TINTA_HD int phases() const { return 1 + folds; }
  TINTA_HD void run(int phase, const Place& place, unsigned char* shared) const {
    auto* sums = reinterpret_cast<float*>(shared);
    const NormPlace p = norm_place(n, t, place);
    if (phase > 0) {
      fold_rows<kSums, kPack>(n, p, t.columns, phase, place.thread, sums,
                              partial + (p.picture * t.chunks + p.chunk) * kSums * n.channels);
      return;
    }
    float sum[kSums][kPack] = {};
    if (p.begin < p.end) gather(p, sum);
    for (int k = 0; k < kSums; ++k) {
      for (int j = 0; j < kPack; ++j) sums[(k * kPack + j) * kThreads + place.thread] = sum[k][j];
    }
  }

 private:
  TINTA_HD void gather(const NormPlace& p, float (&sum)[kSums][kPack]) const {
    NormChannel c[kPack];
    for (int j = 0; j < kPack; ++j) c[j] = norm_channel(n, p.picture, p.channel + j);
    for (std::int64_t i = p.begin; i < p.end; i += p.rows) {
      const std::int64_t at = element_of(n, p, i);
      const auto x = *reinterpret_cast<const Pack<T, kPack>*>(n.x + at);
      const auto upstream = *reinterpret_cast<const Pack<T, kPack>*>(dy + at);
      for (int j = 0; j < kPack; ++j) {
        const float value = to_float(x.value[j]);
        const float dz = through_activation(n, c[j], value, to_float(upstream.value[j]));
        sum[0][j] += dz;
        sum[1][j] += dz * (value - c[j].pivot);
        sum[2][j] += value - c[j].pivot;
      }
    }
  }
};

/// What is gathered of each picture.
struct NormGradientRows {
  float* dgamma;  ///< [batch, channels]
  float* dbeta;   ///< [batch, channels]
  float* group;   ///< [batch, groups, 2]: on_x and constant
};

/// A warp for each group: the chunks of its channels added up in double, and what follows.
template <class T>
struct NormGradientTotals {
  Norm<T> n;
  std::int64_t chunks;
  const float* partial;
  NormGradientRows rows;
  T* dshift;  ///< [batch, channels] or null

  TINTA_HD int phases() const { return 7; }
  TINTA_HD void run(int phase, const Place& place, unsigned char* shared) const {
    auto* of_dz = reinterpret_cast<double*>(shared);
    double* of_dz_xhat = of_dz + kWarp;
    if (phase >= 1 && phase <= 5) {
      fold(of_dz, place.thread, kWarp >> phase);
      fold(of_dz_xhat, place.thread, kWarp >> phase);
      return;
    }
    const int width = n.channels / n.groups;
    const std::int64_t picture = place.block / n.groups;
    const int first = static_cast<int>(place.block % n.groups) * width;
    const double rstd = static_cast<double>(n.rstd[place.block]);
    if (phase == 0) {
      double sum_dz = 0;
      double sum_dz_xhat = 0;
      for (int c = first + place.thread; c < first + width; c += kWarp) {
        const double dz = total(picture, c, 0);
        const double dz_xhat = total(picture, c, 1) * rstd;
        const double gamma = static_cast<double>(gamma_of(n, picture, c));
        rows.dbeta[picture * n.channels + c] = static_cast<float>(dz);
        rows.dgamma[picture * n.channels + c] = static_cast<float>(dz_xhat);
        sum_dz += gamma * dz;
        sum_dz_xhat += gamma * dz_xhat;
      }
      of_dz[place.thread] = sum_dz;
      of_dz_xhat[place.thread] = sum_dz_xhat;
      return;
    }
    const double count = static_cast<double>(n.positions) * width;
    const double on_x = -rstd * rstd * (of_dz_xhat[0] / count);
    const double constant = -rstd * (of_dz[0] / count);
    if (place.thread == 0) {
      rows.group[2 * place.block] = static_cast<float>(on_x);
      rows.group[2 * place.block + 1] = static_cast<float>(constant);
    }
    if (dshift == nullptr) return;
    for (int c = first + place.thread; c < first + width; c += kWarp) {
      const double slope = static_cast<double>(gamma_of(n, picture, c)) * rstd;
      const double sum = slope * total(picture, c, 0) + on_x * total(picture, c, 2) +
                         constant * static_cast<double>(n.positions);
      dshift[picture * n.channels + c] = from_float<T>(static_cast<float>(sum));
    }
  }

 private:
  TINTA_HD double total(std::int64_t picture, int c, int which) const {
    double sum = 0;
    for (std::int64_t k = 0; k < chunks; ++k) {
      sum += static_cast<double>(partial[((picture * chunks + k) * 3 + which) * n.channels + c]);
    }
    return sum;
  }
};

/// dx, + plus where it is not null.
template <class T, int kPack>
struct NormInputGradient {
  Norm<T> n;
  NormTiling t;
  const T* dy;
  const T* plus;
  const float* group;  ///< of NormGradientRows
  T* dx;

  TINTA_HD int phases() const { return 1; }
  TINTA_HD void run(int /*phase*/, const Place& place, unsigned char* /*shared*/) const {
    const NormPlace p = norm_place(n, t, place);
    if (p.begin >= p.end) return;
    const int width = n.channels / n.groups;
    NormChannel c[kPack];
    float on_x[kPack];
    float constant[kPack];
    for (int j = 0; j < kPack; ++j) {
      c[j] = norm_channel(n, p.picture, p.channel + j);
      const std::int64_t g = p.picture * n.groups + (p.channel + j) / width;
      on_x[j] = group[2 * g];
      constant[j] = group[2 * g + 1];
    }
    for (std::int64_t i = p.begin; i < p.end; i += p.rows) {
      const std::int64_t at = element_of(n, p, i);
      auto x = *reinterpret_cast<const Pack<T, kPack>*>(n.x + at);
      const auto upstream = *reinterpret_cast<const Pack<T, kPack>*>(dy + at);
      for (int j = 0; j < kPack; ++j) {
        const float value = to_float(x.value[j]);
        const float dz = through_activation(n, c[j], value, to_float(upstream.value[j]));
        float own = c[j].slope * dz + (on_x[j] * (value - c[j].pivot) + constant[j]);
        if (plus != nullptr) own += to_float(plus[at + j]);
        x.value[j] = from_float<T>(own);
      }
      *reinterpret_cast<Pack<T, kPack>*>(dx + at) = x;
    }
  }
};

/// dgamma and dbeta: the pictures' rows added up in double, 32 channels in a block. Blocks
/// 0 .. tiles - 1 do the one, the rest the other.
template <class T>
struct NormParameterGradients {
  NormGradientRows rows;
  std::int64_t batch;
  std::int64_t channels;
  T* dgamma;  ///< [channels]
  T* dbeta;   ///< [channels]

  TINTA_HD int phases() const { return 4; }  // one and log2 of 8 rows
  TINTA_HD void run(int phase, const Place& place, unsigned char* shared) const {
    auto* sums = reinterpret_cast<double*>(shared);
    const std::int64_t tiles = ceil_div(channels, kWarp);
    const bool first = place.block < tiles;
    const std::int64_t c = place.block % tiles * kWarp + place.thread % kWarp;
    if (phase == 0) {
      const float* from = first ? rows.dgamma : rows.dbeta;
      double sum = 0;
      if (c < channels) {
        for (std::int64_t b = place.thread / kWarp; b < batch; b += kThreads / kWarp) {
          sum += static_cast<double>(from[b * channels + c]);
        }
      }
      sums[place.thread] = sum;
      return;
    }
    fold(sums, place.thread, kThreads >> phase);
    if (phase < 3 || place.thread >= kWarp || c >= channels) return;
    (first ? dgamma : dbeta)[c] = from_float<T>(static_cast<float>(sums[place.thread]));
  }
};

}  // namespace tinta::kernels::device
