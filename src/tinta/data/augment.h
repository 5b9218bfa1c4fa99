#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace tinta::data {

// EDM's non-leaky augmentation (Karras et al. 2022, arXiv:2206.00364, appendix F.2 and table 6,
// after Karras et al. 2020, arXiv:2006.06676): training pictures are turned, stretched and moved,
// and the network is told by how much. Drawing asks it for pictures that nothing was done to, so
// that it does not learn to draw turned ones.

/// What is done to one picture; nothing by default. Applied in this order.
struct Augmentation {
  double mirrored = 0;  ///< 1: left to right
  double upended = 0;   ///< 1: top to bottom
  double scale = 0;     ///< enlarges by 2^(0.2 scale)
  double angle = 0;     ///< radians, turns to the left
  double stretch = 0;   ///< enlarges by 2^(0.2 stretch) along `axis` and by its inverse across
  double axis = 0;      ///< radians, from the horizontal, up
  double right = 0;     ///< moves by 0.125 right of the width
  double down = 0;      ///< moves by 0.125 down of the height

  /// What the network is told: mirrored, upended, scale, cos(angle) - 1, sin(angle),
  /// stretch cos(axis), stretch sin(axis), right, down. All zero where nothing is done.
  [[nodiscard]] std::array<double, 9> labels() const;

  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// How many numbers Augmentation::labels() are.
inline constexpr std::int64_t kAugmentLabels = 9;

/// The augmentation of sample number `sample` of a run, a pure function: half of the samples are
/// mirrored; each of the others is done with `probability`: half of those upended; scale, stretch,
/// right and down standard normal; angle uniform on (-pi, pi); axis likewise for half of those
/// stretched, and else 0. Keys are (seed, Stream::augment, sample), steps 1 and 2.
Augmentation draw_augmentation(double probability, std::uint64_t seed, std::uint64_t sample);

/// The picture after an augmentation. Resampled once, by Keys' cubic convolution (1981, a = -1/2),
/// whose kernel is widened by the symmetric part of the map wherever the map shrinks, so that what
/// is finer than the new pixels is averaged, not aliased. Beyond the edges the picture goes on
/// reflected. Flips, turns by a right angle and moves by whole pixels only exchange pixels; values
/// may overshoot their range by some per cent at sharp edges elsewhere.
/// @param picture [C,H,W] float32 on the CPU
/// @throws ArgumentError on another
at::Tensor augmented(const at::Tensor& picture, const Augmentation& augmentation);

struct Augmented {
  at::Tensor pictures;  ///< [B,C,H,W] float32
  at::Tensor labels;    ///< [B,9] float32
};

/// A batch, of which row i is sample first_sample + i.
/// @param pictures    [B,C,H,W] float32 on the CPU
/// @param probability in [0, 1]
/// @throws ArgumentError
Augmented augmented(const at::Tensor& pictures, double probability, std::uint64_t seed,
                    std::uint64_t first_sample);

}  // namespace tinta::data
