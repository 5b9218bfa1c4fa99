#pragma once

#include <cstdint>

namespace tinta::kernels {

/// Output channels are taken eight at a time.
constexpr std::int64_t kGradientOutputs = 8;

/// A convolution that keeps the pictures' size: an odd kernel, padded by half of it.
struct ConvolutionShape {
  std::int64_t pictures = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t in = 0;   ///< input channels, a multiple of WeightGradientKernels::inputs
  std::int64_t out = 0;  ///< output channels, a multiple of kGradientOutputs
  std::int64_t kernel = 3;
};

/// A share of the pictures, and a block of input channels from `channel` on.
struct GradientTask {
  std::int64_t first = 0;
  std::int64_t last = 0;  ///< pictures first .. last - 1
  std::int64_t channel = 0;
};

/// T is float, or uint16_t holding bfloat16; both [pictures, height, width, channels].
template <class T>
struct GradientArrays {
  const T* x = nullptr;
  const T* dy = nullptr;
  float* weight = nullptr;  ///< [out, kernel, kernel, in]: a task adds to its channels
  float* bias = nullptr;    ///< [out]: added to by the task whose channel is 0
};

template <class T>
using WeightGradient = void (*)(const ConvolutionShape& shape, const GradientTask& task,
                                const GradientArrays<T>& arrays, std::uint32_t* scratch);
/// Words that its scratch has.
using GradientScratch = std::int64_t (*)(const ConvolutionShape& shape);

/// The loops of convolution.h, one table per instruction set.
struct WeightGradientKernels {
  std::int64_t inputs;  ///< input channels of a block
  WeightGradient<float> run_f32;
  GradientScratch scratch_f32;
  WeightGradient<std::uint16_t> run_bf16;  ///< null without instructions for it; ask has_bf16()
  GradientScratch scratch_bf16;
};

/// The table of active_isa().
const WeightGradientKernels& weight_gradient_kernels() noexcept;

}  // namespace tinta::kernels
