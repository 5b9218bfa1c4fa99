#pragma once

#include "tinta/kernels/cuda.h"
#include "tinta/kernels/group_norm_gradient_device.h"

// Which programs an operation takes, on which grids. A Launch runs `launch(program, grid)` and
// returns a CudaError: on a GPU in the .cu files, by loops on the CPU in the tests.

namespace tinta::kernels::device {

template <class Launch>
CudaError run_random(const FillNormal& program, const Launch& launch) {
  return launch(program, random_grid(program.rows));
}
template <class Launch>
CudaError run_random(const FillDropout& program, const Launch& launch) {
  return launch(program, random_grid(program.rows));
}

/// Calls f with a value of the element's type.
template <class F>
CudaError with_element(Element element, const F& f) {
  if (element == Element::bf16) return f(Bf16{});
  if (element == Element::f16) return f(Half{});
  return f(float{});
}

/// Fills `table` from a function that gives tensor i's length. @return blocks in all
template <class Length>
std::int64_t cut(BlockTable& table, int tensors, const Length& length) {
  table.tensors = tensors;
  table.first[0] = 0;
  for (int i = 0; i < tensors; ++i) {
    table.first[i + 1] = table.first[i] + static_cast<std::int32_t>(blocks_of(length(i)));
  }
  return table.first[tensors];
}

template <class Launch>
CudaError run_adamw(const AdamwBatch& batch, const Launch& launch) {
  return with_element(batch.element, [&](auto zero) {
    AdamwProgram<decltype(zero)> program{};
    program.numbers = batch.numbers;
    program.live = batch.live;
    for (int i = 0; i < batch.count; ++i) program.tensors[i] = batch.tensors[i];
    const std::int64_t blocks =
        cut(program.table, batch.count, [&](int i) { return batch.tensors[i].count; });
    return launch(program, Grid{blocks, kThreads, 0});
  });
}

template <class Launch>
CudaError run_square_sum(const SquareSumBatch& batch, const Launch& launch) {
  return with_element(batch.element, [&](auto zero) {
    SquareSumProgram<decltype(zero)> program{};
    program.partial = batch.partial;
    for (int i = 0; i < batch.count; ++i) {
      program.values[i] = batch.values[i];
      program.counts[i] = batch.counts[i];
    }
    const std::int64_t blocks =
        cut(program.table, batch.count, [&](int i) { return batch.counts[i]; });
    return launch(program, Grid{blocks, kThreads, kThreads * sizeof(double)});
  });
}

template <class Launch>
CudaError run_gradient_scale(const GradientScale& program, const Launch& launch) {
  return launch(program, Grid{1, kThreads, kThreads * sizeof(double)});
}

template <class T>
Norm<T> norm_of(const GroupNormBatch& b) {
  return {b.batch,
          b.positions,
          static_cast<int>(b.channels),
          static_cast<int>(b.options.groups),
          b.options.eps,
          b.options.activation == Activation::silu,
          static_cast<const T*>(b.x),
          static_cast<const T*>(b.shift),
          static_cast<const T*>(b.gamma),
          static_cast<const T*>(b.beta),
          b.own_affine,
          b.mean,
          b.rstd};
}

/// Whether threads may take four channels at once: these divide the channels and every pointer.
template <class T>
bool packs(const GroupNormBatch& b, const void* second, const void* third,
           const void* fourth = nullptr) {
  constexpr std::uintptr_t kBytes = 4 * sizeof(T);
  const auto fits = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % kBytes == 0; };
  return b.channels % 4 == 0 && fits(b.x) && fits(second) && fits(third) && fits(fourth);
}

template <int kSums>
Grid norm_grid(const GroupNormBatch& b, const NormTiling& t) {
  const std::size_t shared = kSums == 0 ? 0 : kSums * sizeof(float) * kThreads;
  return {b.batch * t.chunks * t.tiles, kThreads, shared * static_cast<std::size_t>(t.pack)};
}

template <class T, int kPack, class Launch>
CudaError norm_forward(const GroupNormBatch& b, void* y, const Launch& launch) {
  const Norm<T> n = norm_of<T>(b);
  const NormTiling t = norm_tiling(b.positions, n.channels, kPack);
  const NormMoments<T, kPack> moments{n, t, b.workspace, log2_of(kThreads / t.columns)};
  if (const CudaError error = launch(moments, norm_grid<2>(b, t))) return error;
  const NormStatistics<T> statistics{n, t.chunks, b.workspace};
  const Grid groups{b.batch * n.groups, kWarp, 2 * kWarp * sizeof(double)};
  if (const CudaError error = launch(statistics, groups)) return error;
  return launch(NormApply<T, kPack>{n, t, static_cast<T*>(y)}, norm_grid<0>(b, t));
}

template <class T, int kPack, class Launch>
CudaError norm_backward(const GroupNormBatch& b, const GroupNormBatchGradients& g,
                        const Launch& launch) {
  const Norm<T> n = norm_of<T>(b);
  const NormTiling t = norm_tiling(b.positions, n.channels, kPack);
  float* partial = b.workspace;
  float* after = partial + b.batch * t.chunks * 3 * b.channels;
  const NormGradientRows rows{after, after + b.batch * b.channels,
                              after + 2 * b.batch * b.channels};
  const auto* dy = static_cast<const T*>(g.dy);
  const NormGradientSums<T, kPack> sums{n, t, dy, partial, log2_of(kThreads / t.columns)};
  if (const CudaError error = launch(sums, norm_grid<3>(b, t))) return error;
  const NormGradientTotals<T> totals{n, t.chunks, partial, rows, static_cast<T*>(g.dshift)};
  const Grid groups{b.batch * n.groups, kWarp, 2 * kWarp * sizeof(double)};
  if (const CudaError error = launch(totals, groups)) return error;
  const NormInputGradient<T, kPack> input{
      n, t, dy, static_cast<const T*>(g.plus), rows.group, static_cast<T*>(g.dx)};
  if (const CudaError error = launch(input, norm_grid<0>(b, t))) return error;
  // Pictures that have their own are as many channels of one: nothing is added up.
  const std::int64_t summed = b.own_affine ? 1 : b.batch;
  const std::int64_t kept = b.batch / summed * b.channels;
  const NormParameterGradients<T> parameters{rows, summed, kept, static_cast<T*>(g.dgamma),
                                             static_cast<T*>(g.dbeta)};
  return launch(parameters, Grid{2 * ceil_div(kept, kWarp), kThreads, kThreads * sizeof(double)});
}

/// Pictures, positions and channels are at least one each.
template <class Launch>
CudaError run_group_norm_forward(const GroupNormBatch& b, void* y, const Launch& launch) {
  return with_element(b.element, [&](auto zero) {
    using T = decltype(zero);
    return packs<T>(b, y, y) ? norm_forward<T, 4>(b, y, launch) : norm_forward<T, 1>(b, y, launch);
  });
}
template <class Launch>
CudaError run_group_norm_backward(const GroupNormBatch& b, const GroupNormBatchGradients& g,
                                  const Launch& launch) {
  return with_element(b.element, [&](auto zero) {
    using T = decltype(zero);
    return packs<T>(b, g.dy, g.dx, g.plus) ? norm_backward<T, 4>(b, g, launch)
                                           : norm_backward<T, 1>(b, g, launch);
  });
}

/// Floats that either of the two writes to the workspace at most.
inline std::int64_t norm_workspace(const GroupNormBatch& b) {
  const std::int64_t chunks = norm_tiling(b.positions, static_cast<int>(b.channels), 1).chunks;
  return b.batch * (chunks * 3 * b.channels + 2 * b.channels + 2 * b.options.groups);
}

}  // namespace tinta::kernels::device
