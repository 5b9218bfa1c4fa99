#pragma once

#include "tinta/kernels/adamw_step.h"
#include "tinta/kernels/device.h"

// The programs of adamw.h on a GPU: many parameters in one launch.

namespace tinta::kernels::device {

/// One parameter's arrays, `count` values each.
struct AdamwTensor {
  const void* gradient;  ///< of the weight's type, or null: zero
  void* weight;
  float* master;
  float* m;
  float* v;
  float* ema;
  std::int64_t count;
};

/// Parameters of one launch: as many as a kernel's arguments (4 KiB) hold.
constexpr int kTensors = 48;
constexpr std::int64_t kValuesPerBlock = 4096;

/// Cuts tensors of these lengths into blocks: tensor i has blocks first[i] .. first[i + 1] - 1.
struct BlockTable {
  int tensors;
  std::int32_t first[kTensors + 1];
};

/// Which tensor a block belongs to.
TINTA_HD int tensor_of(const BlockTable& table, std::int64_t block) {
  int i = 0;
  while (i + 1 < table.tensors && block >= table.first[i + 1]) ++i;
  return i;
}

/// One AdamW step in the arithmetic of adamw_cpu.cpp: the same bits.
template <class T>
struct AdamwProgram {
  BlockTable table;
  AdamwTensor tensors[kTensors];
  AdamwStep numbers;
  const AdamwStep* live;  ///< on the GPU; where it is not null, these are the numbers

  TINTA_HD int phases() const { return 1; }
  TINTA_HD void run(int /*phase*/, const Place& place, unsigned char* /*shared*/) const {
    const AdamwStep s = live == nullptr ? numbers : *live;
    if (!is_finite(s.gradient_scale)) return;
    const int i = tensor_of(table, place.block);
    const AdamwTensor& a = tensors[i];
    const std::int64_t begin = (place.block - table.first[i]) * kValuesPerBlock;
    const std::int64_t end = begin + kValuesPerBlock < a.count ? begin + kValuesPerBlock : a.count;
    for (std::int64_t k = begin + place.thread; k < end; k += kThreads) update(a, s, k);
  }

  TINTA_HD void update(const AdamwTensor& a, const AdamwStep& s, std::int64_t k) const {
    const float gradient =
        a.gradient == nullptr ? 0.0f : to_float(static_cast<const T*>(a.gradient)[k]);
    const float g = gradient * s.gradient_scale;
    const float m = s.beta1 * a.m[k] + (1.0f - s.beta1) * g;
    const float v = s.beta2 * a.v[k] + (1.0f - s.beta2) * g * g;
    const float old = a.master[k];
    const float direction = (m / s.correction1) / (square_root(v / s.correction2) + s.eps);
    const float master = old - s.learning_rate * (direction + s.weight_decay * old);
    const float ema = a.ema[k];
    a.m[k] = m;
    a.v[k] = v;
    a.master[k] = master;
    a.ema[k] = ema + (1.0f - s.ema_decay) * (master - ema);
    static_cast<T*>(a.weight)[k] = from_float<T>(master);
  }
};

/// Sums of squares of each block's values, in double: partial[block].
template <class T>
struct SquareSumProgram {
  BlockTable table;
  const void* values[kTensors];
  std::int64_t counts[kTensors];
  double* partial;

  TINTA_HD int phases() const { return 9; }  // one and log2(kThreads)
  TINTA_HD void run(int phase, const Place& place, unsigned char* shared) const {
    auto* sums = reinterpret_cast<double*>(shared);
    if (phase > 0) {
      fold(sums, place.thread, kThreads >> phase);
      if (phase == 8 && place.thread == 0) partial[place.block] = sums[0];
      return;
    }
    const int i = tensor_of(table, place.block);
    const auto* x = static_cast<const T*>(values[i]);
    const std::int64_t begin = (place.block - table.first[i]) * kValuesPerBlock;
    const std::int64_t end =
        begin + kValuesPerBlock < counts[i] ? begin + kValuesPerBlock : counts[i];
    float sum = 0;
    for (std::int64_t k = begin + place.thread; k < end; k += kThreads) {
      const float value = to_float(x[k]);
      sum += value * value;
    }
    sums[place.thread] = static_cast<double>(sum);
  }
};

/// Adds up the partial sums, in one block; where `live` is given, sets its gradient_scale to what
/// clips the norm of the gradients and takes back their loss scale, or to NaN where the norm is not
/// finite.
struct GradientScale {
  const double* partial;
  std::int64_t count;
  double* total;
  double clip_norm;  ///< 0: no clipping
  AdamwStep* live;   ///< or null

  TINTA_HD int phases() const { return 9; }
  TINTA_HD void run(int phase, const Place& place, unsigned char* shared) const {
    auto* sums = reinterpret_cast<double*>(shared);
    if (phase == 0) {
      double sum = 0;
      for (std::int64_t k = place.thread; k < count; k += kThreads) sum += partial[k];
      sums[place.thread] = sum;
      return;
    }
    fold(sums, place.thread, kThreads >> phase);
    if (phase < 8 || place.thread > 0) return;
    *total = sums[0];
    if (live == nullptr) return;
    const double norm = square_root(sums[0]) / live->loss_scale;
    const bool clipped = clip_norm > 0 && norm > clip_norm;
    const double scale = (clipped ? clip_norm / norm : 1.0) / live->loss_scale;
    live->gradient_scale = is_finite(norm) ? static_cast<float>(scale) : bits<float>(0x7FC00000u);
  }
};

}  // namespace tinta::kernels::device
