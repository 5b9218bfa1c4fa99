#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace tinta::training {

/// What the loss is multiplied by before the backward pass, so that gradients too small for float16
/// (below 6e-8) are not lost; the optimiser divides by it in float32. A power of two, so that it
/// rounds nothing. Where the gradients overflow, the step changes nothing and the next one has half
/// of it; after kGrowAfter steps without that it doubles (Micikevicius et al. 2018,
/// arXiv:1710.03740, section 3.2). bfloat16 and float32 reach as far as each other and need none.
/// Part of what a checkpoint holds.
struct LossScale {
  static constexpr double kFirst = 65536;
  static constexpr double kMost = 16777216;
  static constexpr std::uint64_t kGrowAfter = 2000;

  double value = 0;        ///< 0: nothing is scaled
  std::uint64_t good = 0;  ///< steps taken since it changed

  /// Before the first step in a dtype: kFirst in float16, where there was none; none in any other.
  void begin(c10::ScalarType dtype);
  /// What to multiply by.
  [[nodiscard]] double factor() const { return value > 0 ? value : 1; }
  /// A step was taken.
  void count_taken();
  /// The gradients were not finite. @return whether it could be lowered, so that the scale may have
  ///         been why: above 1
  bool lower();

  friend bool operator==(const LossScale&, const LossScale&) = default;
};

nlohmann::json to_json(const LossScale& scale);
/// None where the object lacks a key, as in checkpoints of earlier versions.
/// @throws nlohmann::json::exception on a value of another kind
LossScale loss_scale_from(const nlohmann::json& json);

}  // namespace tinta::training
