#include "tinta/kernels/adamw_cpu.h"

#include "tinta/kernels/vector_math.h"

namespace tinta::kernels::TINTA_ISA {
namespace {

template <class T>
TINTA_INLINE void lanes(const AdamwArrays<T>& a, const AdamwStep& s, std::int64_t i,
                        std::int64_t n) {
  const bool whole = n == kLanes;
  const auto get = [&](const auto* from) {
    return whole ? load(from + i) : load_part(from + i, n);
  };
  const auto put = [&](auto* to, const Floats& x) {
    if (whole) {
      store(to + i, x);
    } else {
      store_part(to + i, x, n);
    }
  };
  const Floats g = get(a.gradient) * s.gradient_scale;
  const Floats m = s.beta1 * get(a.m) + (1.0f - s.beta1) * g;
  const Floats v = s.beta2 * get(a.v) + (1.0f - s.beta2) * g * g;
  const Floats old = get(a.master);
  const Floats direction = (m / s.correction1) / (square_root(v / s.correction2) + s.eps);
  const Floats master = old - s.learning_rate * (direction + s.weight_decay * old);
  const Floats ema = get(a.ema);
  put(a.m, m);
  put(a.v, v);
  put(a.master, master);
  put(a.ema, ema + (1.0f - s.ema_decay) * (master - ema));
  put(a.weight, master);
}

template <class T>
void step(const AdamwArrays<T>& arrays, const AdamwStep& numbers) {
  std::int64_t i = 0;
  for (; i + kLanes <= arrays.count; i += kLanes) lanes(arrays, numbers, i, kLanes);
  if (i < arrays.count) lanes(arrays, numbers, i, arrays.count - i);
}

template <class T>
double square_sum(const T* values, std::int64_t count) {
  constexpr std::int64_t kRun = 512;
  double total = 0;
  for (std::int64_t begin = 0; begin < count; begin += kRun) {
    const std::int64_t end = begin + kRun < count ? begin + kRun : count;
    Floats sum{};
    for (std::int64_t i = begin; i < end; i += kLanes) {
      const Floats x = end - i >= kLanes ? load(values + i) : load_part(values + i, end - i);
      sum += x * x;
    }
    for (std::int64_t lane = 0; lane < kLanes; ++lane) total += sum[lane];
  }
  return total;
}

}  // namespace

extern const AdamwKernels adamw_table;
const AdamwKernels adamw_table{step<float>, step<std::uint16_t>, square_sum<float>,
                               square_sum<std::uint16_t>};

}  // namespace tinta::kernels::TINTA_ISA
