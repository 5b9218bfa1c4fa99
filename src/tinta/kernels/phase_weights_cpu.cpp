#include "tinta/kernels/phase_weights_cpu.h"

#include "tinta/kernels/native_vector.h"

// Along one axis, place 2 i + a of the doubled picture looks by its three taps at
//   a = 0: x[i - 1], x[i], x[i]        a = 1: x[i], x[i], x[i + 1]
// so that the two taps of phase a weigh
//   a = 0: w0, w1 + w2                 a = 1: w0 + w1, w2.

namespace tinta::kernels::TINTA_ISA {
namespace {

/// Taps of both phases along one axis, phase by phase.
struct PhaseTaps {
  NativeFloats of[4];
};
TINTA_INLINE PhaseTaps folded(const NativeFloats& w0, const NativeFloats& w1,
                              const NativeFloats& w2) {
  return {{w0, w1 + w2, w0 + w1, w2}};
}

/// The transposed map: what the gradients of four taps say of the three weights.
struct Three {
  NativeFloats of[3];
};
TINTA_INLINE Three unfolded(const NativeFloats& t0, const NativeFloats& t1, const NativeFloats& t2,
                            const NativeFloats& t3) {
  return {{t0 + t2, t1 + t2, t1 + t3}};
}

// Row of the folded kernel, in elements, of phase and tap of both axes (0..3 as in PhaseTaps).
TINTA_INLINE std::int64_t place(int vertical, int horizontal, std::int64_t inputs,
                                std::int64_t stride) {
  const int phase = vertical / 2 * 2 + horizontal / 2;
  const int tap = vertical % 2 * 2 + horizontal % 2;
  return phase * stride + tap * inputs;
}

template <class Body>
TINTA_INLINE void for_inputs(std::int64_t inputs, const Body& body) {
  std::int64_t i = 0;
  for (; i + kNative <= inputs; i += kNative) body(Whole{}, i);
  if (i < inputs) body(Part{inputs - i}, i);
}

template <class T>
void fold(const T* nine, std::int64_t inputs, T* phases, std::int64_t stride) {
  for_inputs(inputs, [&](auto width, std::int64_t i) {
    PhaseTaps columns[3];
    for (int s = 0; s < 3; ++s) {
      columns[s] = folded(load_lanes(nine + s * inputs + i, width),
                          load_lanes(nine + (3 + s) * inputs + i, width),
                          load_lanes(nine + (6 + s) * inputs + i, width));
    }
    for (int y = 0; y < 4; ++y) {
      const PhaseTaps row = folded(columns[0].of[y], columns[1].of[y], columns[2].of[y]);
      for (int x = 0; x < 4; ++x) {
        store_lanes(phases + place(y, x, inputs, stride) + i, row.of[x], width);
      }
    }
  });
}

template <class T>
void unfold(const T* phases, std::int64_t stride, std::int64_t inputs, T* nine) {
  for_inputs(inputs, [&](auto width, std::int64_t i) {
    Three rows[4];
    for (int y = 0; y < 4; ++y) {
      NativeFloats taps[4];
      for (int x = 0; x < 4; ++x) {
        taps[x] = load_lanes(phases + place(y, x, inputs, stride) + i, width);
      }
      rows[y] = unfolded(taps[0], taps[1], taps[2], taps[3]);
    }
    for (int s = 0; s < 3; ++s) {
      const Three column = unfolded(rows[0].of[s], rows[1].of[s], rows[2].of[s], rows[3].of[s]);
      for (int r = 0; r < 3; ++r) {
        store_lanes(nine + (3 * r + s) * inputs + i, column.of[r], width);
      }
    }
  });
}

}  // namespace

extern const PhaseWeightKernels phase_weight_table;
const PhaseWeightKernels phase_weight_table{fold<float>, fold<std::uint16_t>, unfold<float>,
                                            unfold<std::uint16_t>};

}  // namespace tinta::kernels::TINTA_ISA
