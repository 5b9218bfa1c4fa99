#pragma once

#include <cstddef>
#include <cstdint>

namespace tinta::kernels {

/// A convolution of stride 1: y[r][c][o] = sum over ky, kx, i of
/// W[o][ky][kx][i] x[r + ky - padding][c + kx - padding][i].
struct AmxShape {
  std::int64_t pictures = 0;
  std::int64_t height = 0;  ///< of x
  std::int64_t width = 0;
  std::int64_t in = 0;   ///< input channels, a multiple of kAmxChannels
  std::int64_t out = 0;  ///< output channels, likewise
  std::int64_t kernel = 3;
  std::int64_t padding = 1;  ///< below the kernel

  [[nodiscard]] std::int64_t out_height() const { return height + 2 * padding - kernel + 1; }
  [[nodiscard]] std::int64_t out_width() const { return width + 2 * padding - kernel + 1; }
  [[nodiscard]] std::int64_t taps() const { return kernel * kernel; }
};

/// Channels are taken 32 at a time: two tiles side by side.
constexpr std::int64_t kAmxChannels = 32;

/// Some whole pictures, or a band of rows of one, that is worked on at a time.
struct AmxPiece {
  std::int64_t first = 0;  ///< picture
  std::int64_t pictures = 0;
  std::int64_t top = 0;   ///< row of y
  std::int64_t rows = 0;  ///< of y
};

/// Some outputs, multiples of kAmxChannels.
struct AmxOutputs {
  std::int64_t first = 0;
  std::int64_t last = 0;  ///< first .. last - 1
};

/// bfloat16 is held in uint16_t. Sums have their channels shuffled.
struct AmxArrays {
  const std::uint16_t* x = nullptr;   ///< [B,H,W,I]
  const std::uint16_t* dy = nullptr;  ///< [B,H',W',O]
  float* weight = nullptr;            ///< [shares][out / 32][tap][in / 32][4][16][16]
  float* bias = nullptr;              ///< [shares][out]
};

struct AmxGradients {
  std::uint16_t* weight = nullptr;  ///< [O,k,k,I]
  std::uint16_t* bias = nullptr;    ///< [O]
};

/// The loops of amx_weight_gradient.h; null where the file is compiled without AMX. Whoever
/// calls one has has_amx().
struct AmxKernels {
  /// Bytes that add() needs for pieces no larger than this one.
  std::int64_t (*scratch)(const AmxShape& shape, const AmxPiece& largest);
  /// Adds a piece's gradients of some outputs to the first share of the sums.
  void (*add)(const AmxShape& shape, const AmxPiece& piece, const AmxOutputs& outputs,
              const AmxArrays& arrays, std::byte* scratch);
  /// The total of the shares, in order.
  void (*finish)(const AmxShape& shape, const AmxOutputs& outputs, std::int64_t shares,
                 const AmxArrays& arrays, const AmxGradients& gradients);
};

/// The table of active_isa().
const AmxKernels& amx_kernels() noexcept;

}  // namespace tinta::kernels
