#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tinta::training {

/// Losses of pictures by their noise level, in bins of t in 1..T, T being the schedule's
/// training_levels(): bin k of K holds the t with k T / K <= t - 1 < (k + 1) T / K. Where levels
/// are quantiles of a distribution of sigma, as EDM's, these are bins of sigma that are met equally
/// often. Which noise levels a network still learns, and which one
/// spoils the mean, shows here.
struct LevelLosses {
  static constexpr std::size_t kBins = 10;

  std::array<double, kBins> sums{};
  std::array<std::uint64_t, kBins> counts{};

  /// The bin of a step. @param t in 1..steps
  static std::size_t bin_of(std::int64_t t, std::int64_t steps);

  /// @param t    [B] int64 in 1..steps, on the CPU
  /// @param each [B] float32, on the CPU: each picture's loss
  /// @throws ArgumentError on another dtype, or sizes that disagree
  static LevelLosses of(const at::Tensor& t, const at::Tensor& each, std::int64_t steps);

  void add(const LevelLosses& other);
  /// One for each bin; none where no picture fell.
  [[nodiscard]] std::vector<std::optional<double>> means() const;

  friend bool operator==(const LevelLosses&, const LevelLosses&) = default;
};

}  // namespace tinta::training
