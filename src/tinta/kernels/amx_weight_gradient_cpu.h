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

/// The loops of amx_weight_gradient.h; null where the file is compiled without AMX. bfloat16 is
/// held in uint16_t; pictures are [B,H,W,C]. Whoever calls one has has_amx().
struct AmxKernels {
  /// Bytes that add() needs for pieces no larger than this one.
  std::int64_t (*scratch)(const AmxShape& shape, const AmxPiece& largest);
  /// Adds a piece's share of the gradients of the outputs first .. last - 1 (multiples of 32).
  /// @param sums [out / 32][tap][in / 32][4][16][16], channels shuffled
  /// @param bias [out], likewise
  void (*add)(const AmxShape& shape, const AmxPiece& piece, std::int64_t first, std::int64_t last,
              const std::uint16_t* x, const std::uint16_t* dy, float* sums, float* bias,
              std::byte* scratch);
  /// The total of `shares` arrays of add(), one after the other, of the outputs first .. last - 1,
  /// in order: dweight [O,k,k,I] and dbias [O].
  void (*finish)(const AmxShape& shape, std::int64_t first, std::int64_t last, std::int64_t shares,
                 const float* sums, const float* bias, std::uint16_t* dweight,
                 std::uint16_t* dbias);
};

/// The table of active_isa().
const AmxKernels& amx_kernels() noexcept;

}  // namespace tinta::kernels
